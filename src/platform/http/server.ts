import * as http from 'node:http';
import { createServer as createHttpsServer, type Server as HttpsServer } from 'node:https';
import type { AddressInfo, Socket } from 'node:net';
import { TLSSocket } from 'node:tls';
import type { Header } from './security-headers.js';
import { tlsOptions, type ServerTls } from './tls-options.js';

export type HttpServer = http.Server | HttpsServer;

export interface ServerLimits {
  headerBytes: number;
  headersTimeoutMs: number;
  requestTimeoutMs: number;
  keepAliveTimeoutMs: number;
  /** At the same time. */
  connections?: number;
}

export interface ServerManner {
  /** Those of every answer, also of the few that are given before there is a request. */
  headers?: readonly Header[];
  /** Undefined: plain http. */
  tls?: ServerTls | undefined;
}

export function createHttpServer(
  listener: http.RequestListener,
  limits: ServerLimits,
  { headers = [], tls }: ServerManner = {},
): HttpServer {
  const checkEveryMs = Math.min(100, limits.headersTimeoutMs / 4);
  const options: http.ServerOptions = {
    maxHeaderSize: limits.headerBytes,
    headersTimeout: limits.headersTimeoutMs,
    // who is late is found at the next check or the one after, and that is to be within the time
    requestTimeout: Math.max(limits.headersTimeoutMs, limits.requestTimeoutMs - 2 * checkEveryMs),
    keepAliveTimeout: limits.keepAliveTimeoutMs,
    connectionsCheckingInterval: checkEveryMs,
    requireHostHeader: false, // the edge asks for it, and answers like us
  };
  const server: HttpServer = tls
    ? createHttpsServer({ ...options, ...tlsOptions(tls, limits.headersTimeoutMs) }, listener)
    : http.createServer(options, listener);
  server.maxHeadersCount = 0; // none is left out unseen: the edge counts them
  boundConnections(server, limits.connections ?? Number.POSITIVE_INFINITY);
  server.on('clientError', (error: NodeJS.ErrnoException, socket: Socket) => {
    // nothing that is said in the clear would be understood
    if (socket instanceof TLSSocket && !isAboutHttp(error)) return void socket.destroy();
    answerOnSocket(socket, statusOfUnreadable(error.code), headers);
  });
  server.on('connect', (_request, socket: Socket) => answerOnSocket(socket, 405, headers));
  server.on('checkExpectation', listener); // RFC 9110 §10.1.1: what is not understood may be passed over
  return server;
}

/** Of all connections those that are open, also where TLS has not begun, of which Node keeps no list. */
const openSockets = Symbol('open sockets');
type Bounded = HttpServer & { [openSockets]?: Set<Socket> };

/** Past this number new connections are closed; from half of it on none is kept for a next request. */
function boundConnections(server: Bounded, most: number): void {
  const open = new Set<Socket>();
  server[openSockets] = open;
  if (Number.isFinite(most)) server.maxConnections = most;
  server.on('connection', (socket: Socket) => {
    open.add(socket);
    socket.once('close', () => open.delete(socket));
  });
  server.prependListener('request', (_req: unknown, res: http.ServerResponse) => {
    if (open.size > most / 2) res.shouldKeepAlive = false;
  });
}

/** Rather than about the handshake before it. */
function isAboutHttp({ code }: NodeJS.ErrnoException): boolean {
  return code !== undefined && /^(HPE|ERR_HTTP)_/.test(code);
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
  const { _httpMessage: answering } = socket as Socket & { _httpMessage?: http.ServerResponse };
  if (socket.writable && !answering?.headersSent) {
    const lines = [...headers, ['Connection', 'close'], ['Content-Length', '0']].map((header) => header.join(': '));
    socket.write(`HTTP/1.1 ${status} ${http.STATUS_CODES[status]}\r\n${lines.join('\r\n')}\r\n\r\n`);
  }
  socket.destroySoon();
}

export async function listen(server: HttpServer, port: number, host: string): Promise<number> {
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
  const probe = http.createServer();
  await listen(probe, port, host);
  await new Promise((resolve) => probe.close(resolve));
}

/** Takes no new connections, lets running requests end, and after `drainMs` ends those that did not. */
export async function drain(server: HttpServer, drainMs: number): Promise<void> {
  const closed = new Promise<void>((resolve) => server.close(() => resolve()));
  // a connection that is kept alive becomes idle when its request has ended, and nothing else would close it
  const closeIdle = setInterval(() => server.closeIdleConnections(), 50);
  const giveUp = setTimeout(() => (server as Bounded)[openSockets]?.forEach((socket) => socket.destroy()), drainMs);
  await closed;
  clearInterval(closeIdle);
  clearTimeout(giveUp);
}
