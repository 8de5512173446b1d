import { createServer, type AddressInfo, type Socket } from 'node:net';
import type { Document } from './document.js';
import { createMessageReader, encodeReply, parseRequest } from './wire.js';

/** Answers one command; null means to close the connection without a word. */
export type Answer = (command: Document) => Promise<Document | null>;

export interface WireServer {
  readonly port: number;
  close(): Promise<void>;
}

/** Listens on loopback only: there is no authentication. The port is the system's choice. */
export async function listen(answer: Answer): Promise<WireServer> {
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    sockets.add(socket);
    socket.setNoDelay(true);
    socket.on('close', () => sockets.delete(socket));
    // A client that goes away is no event here.
    socket.on('error', () => socket.destroy());
    serve(socket, answer);
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(0, '127.0.0.1', resolve);
  });
  return {
    port: (server.address() as AddressInfo).port,
    close() {
      for (const socket of sockets) socket.destroy();
      return new Promise((resolve) => server.close(() => resolve()));
    },
  };
}

/** One command after the other on each connection, as clients rely on after an unacknowledged write. */
function serve(socket: Socket, answer: Answer): void {
  const read = createMessageReader();
  let last: Promise<void> = Promise.resolve();
  socket.on('data', (chunk) => {
    try {
      for (const message of read(chunk)) last = last.then(() => answerMessage(socket, answer, message));
    } catch {
      // What follows a malformed message cannot be told from the rest of it.
      socket.destroy();
    }
  });
}

async function answerMessage(socket: Socket, answer: Answer, message: Buffer): Promise<void> {
  if (socket.destroyed) return;
  try {
    const request = parseRequest(message);
    const reply = await answer(request.body);
    if (reply === null) socket.destroy();
    else if (request.wantsReply) socket.write(encodeReply(request, reply));
  } catch {
    socket.destroy();
  }
}
