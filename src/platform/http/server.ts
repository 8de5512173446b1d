import { createServer, STATUS_CODES, type RequestListener, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import type { Header } from './security-headers.js';

export interface ServerLimits {
  headerBytes: number;
  headersTimeoutMs: number;
  requestTimeoutMs: number;
  keepAliveTimeoutMs: number;
  /** At the same time. */
  connections?: number;
}

/** `headers` are those of every answer, also of the few that are given before there is a request. */
export function createHttpServer(
  listener: RequestListener,
  limits: ServerLimits,
  headers: readonly Header[] = [],
): Server {
  const checkEveryMs = Math.min(100, limits.headersTimeoutMs / 4);
  const server = createServer(
    {
      maxHeaderSize: limits.headerBytes,
      headersTimeout: limits.headersTimeoutMs,
      // who is late is found at the next check or the one after, and that is to be within the time
      requestTimeout: Math.max(limits.headersTimeoutMs, limits.requestTimeoutMs - 2 * checkEveryMs),
      keepAliveTimeout: limits.keepAliveTimeoutMs,
      connectionsCheckingInterval: checkEveryMs,
      requireHostHeader: false, // the edge asks for it, and answers like us
    },
    listener,
  );
  server.maxHeadersCount = 0; // none is left out unseen: the edge counts them
  if (limits.connections !== undefined) boundConnections(server, limits.connections);
  server.on('clientError', (error: NodeJS.ErrnoException, socket: Socket) =>
    answerOnSocket(socket, statusOfUnreadable(error.code), headers),
  );
  server.on('connect', (_request, socket: Socket) => answerOnSocket(socket, 405, headers));
  server.on('checkExpectation', listener); // RFC 9110 §10.1.1: what is not understood may be passed over
  return server;
}

/** Past this number new connections are closed; from half of it on none is kept for a next request. */
function boundConnections(server: Server, most: number): void {
  let open = 0;
  server.maxConnections = most;
  server.on('connection', (socket: Socket) => {
    open++;
    socket.once('close', () => open--);
  });
  server.prependListener('request', (_req, res: ServerResponse) => {
    if (open > most / 2) res.shouldKeepAlive = false;
  });
}

function statusOfUnreadable(code: string | undefined): number {
  switch (code) {
    case 'HPE_HEADER_OVERFLOW':
      return 431;
    case 'HPE_CHUNK_EXTENSIONS_OVERFLOW':
      return 413;
    case 'ERR_HTTP_REQUEST_TIMEOUT':
      return 408;
    default:
      return 400;
  }
}

/** Says only the status, and ends the connection. Says nothing into an answer that has begun. */
function answerOnSocket(socket: Socket, status: number, headers: readonly Header[]): void {
  // Node takes its own listener away before `connect`; a client that resets the connection must not end the process
  socket.on('error', () => socket.destroy());
  // who has said nothing asked for nothing; when thousands end at once, an answer to each would make others wait
  if (socket.bytesRead === 0) return void socket.destroy();
  const { _httpMessage: answering } = socket as Socket & { _httpMessage?: ServerResponse };
  if (socket.writable && !answering?.headersSent) {
    const lines = [...headers, ['Connection', 'close'], ['Content-Length', '0']].map((header) => header.join(': '));
    socket.write(`HTTP/1.1 ${status} ${STATUS_CODES[status]}\r\n${lines.join('\r\n')}\r\n\r\n`);
  }
  socket.destroySoon();
}

export async function listen(server: Server, port: number, host: string): Promise<number> {
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, host, () => {
      server.off('error', reject);
      resolve();
    });
  });
  return (server.address() as AddressInfo).port;
}

/** Rejects when somebody else listens there. */
export async function requireFreePort(port: number, host: string): Promise<void> {
  const probe = createServer();
  await listen(probe, port, host);
  await new Promise((resolve) => probe.close(resolve));
}

/** Takes no new connections, lets running requests end, and after `drainMs` ends those that did not. */
export async function drain(server: Server, drainMs: number): Promise<void> {
  const closed = new Promise<void>((resolve) => server.close(() => resolve()));
  // a connection that is kept alive becomes idle when its request has ended, and nothing else would close it
  const closeIdle = setInterval(() => server.closeIdleConnections(), 50);
  const giveUp = setTimeout(() => server.closeAllConnections(), drainMs);
  await closed;
  clearInterval(closeIdle);
  clearTimeout(giveUp);
}
