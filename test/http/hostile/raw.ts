import { connect } from 'node:net';
import type { Given } from './sound.js';

/** The answers on one connection: all that came until the server closed it. */
export interface RawAnswer extends Given {
  /** How many answers there were; the first one is told. */
  count: number;
  /** The first one word for word. */
  head: string;
}

const patienceMs = 20_000;

/**
 * Writes these bytes and reads until the server closes the connection. Fails when it does not: no request may hang. A
 * list is written piece by piece, each after this many milliseconds.
 */
export function sendBytes(port: number, bytes: string | Buffer | string[], everyMs = 0): Promise<RawAnswer> {
  const pieces = [bytes].flat();
  return new Promise((resolve, reject) => {
    const socket = connect(port, '127.0.0.1');
    const patience = setTimeout(
      () =>
        socket.destroy(
          new Error(
            `the server kept the connection open after ${JSON.stringify(String(bytes)).slice(0, 200)}: ${received}`,
          ),
        ),
      patienceMs,
    );
    const write = (): void => {
      const piece = pieces.shift();
      if (piece !== undefined && socket.writable) socket.write(piece);
    };
    const writing = setInterval(write, everyMs);
    write();
    let received = '';
    socket.setEncoding('latin1');
    socket.on('data', (chunk: string) => (received += chunk));
    socket.on('error', (error: NodeJS.ErrnoException) => {
      // closed while we still wrote: what was said before counts
      if (error.code !== 'ECONNRESET' && error.code !== 'EPIPE') reject(error);
    });
    socket.on('close', () => {
      clearTimeout(patience);
      clearInterval(writing);
      resolve(parseAnswers(received));
    });
  });
}

/** A whole request as it is written, to a server that has another name than its address. */
export interface WrittenRequest {
  host: string;
  method: string;
  /** With its query. */
  target: string;
  headers?: readonly string[];
  body?: string;
}

export function sendRequest(
  port: number,
  { host, method, target, headers = [], body = '' }: WrittenRequest,
): Promise<RawAnswer> {
  const lines = [`${method} ${target} HTTP/1.1`, `Host: ${host}`, 'Connection: close', ...headers];
  if (method === 'POST')
    lines.push('Content-Type: application/x-www-form-urlencoded', `Content-Length: ${body.length}`);
  return sendBytes(port, `${lines.join('\r\n')}\r\n\r\n${body}`);
}

function parseAnswers(received: string): RawAnswer {
  const starts = [...received.matchAll(/(?:^|\n|[^\r\n])(HTTP\/1\.1 \d{3} )/g)];
  const [head = '', ...rest] = received.split('\r\n\r\n');
  const [statusLine = '', ...lines] = head.split('\r\n');
  const headers = new Headers();
  for (const line of lines) headers.append(line.slice(0, line.indexOf(':')), line.slice(line.indexOf(':') + 1).trim());
  return {
    status: Number(statusLine.split(' ')[1] ?? Number.NaN),
    headers,
    text: rest.join('\r\n\r\n'),
    count: starts.length,
    head,
  };
}
