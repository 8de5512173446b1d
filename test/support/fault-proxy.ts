import { once } from 'node:events';
import { connect, createServer, type AddressInfo, type Server, type Socket } from 'node:net';
import { resetSocket } from './reset-socket.js';

export interface FaultProxy {
  readonly port: number;
  /** Connections that are open now. */
  open(): number;
  /** For how long the oldest connection that died silently has been kept open by its client. */
  oldestDeadMs(): number;
  /** Pieces that clients have sent so far; a small request is one. */
  requests(): number;
  /** Everything that comes back takes this much longer, on connections that are there and on new ones. */
  delay(milliseconds: number): void;
  /**
   * Nothing passes in either direction, and nobody is told. New connections are accepted and stay silent. Connections
   * of that time stay dead after `heal`, as behind a firewall that has forgotten them.
   */
  swallow(): void;
  /** Resets every connection now (RST), and each new one at its first byte. */
  reset(): void;
  /** Resets every connection and listens no more. */
  refuse(): Promise<void>;
  /** Each connection, also one that is there, is reset once this many more bytes have come back on it. */
  cutAfter(bytes: number): void;
  /** The far end goes away without a word: what it closes is not passed on, what is sent to it is lost. */
  halfOpen(): void;
  /** New connections work again. */
  heal(): Promise<void>;
  close(): Promise<void>;
}

interface Link {
  near: Socket;
  far: Socket;
  bytesLeft: number;
  /** When it died silently, if it did. */
  diedAt: number | null;
}

type Mode = 'pass' | 'swallow' | 'reset';

/** A TCP proxy on loopback that forwards to `target`, and does what networks do when they fail. */
export async function startFaultProxy(target: { port: number; host?: string }, port = 0): Promise<FaultProxy> {
  const links = new Set<Link>();
  let mode: Mode = 'pass';
  let delayMs = 0;
  let bytesEach = Infinity;
  let requests = 0;

  function carry(near: Socket): void {
    const far = connect(target.port, target.host ?? '127.0.0.1');
    const link: Link = { near, far, bytesLeft: bytesEach, diedAt: mode === 'swallow' ? performance.now() : null };
    const cut = (): void => end(link);
    links.add(link);
    near.setNoDelay(true);
    far.setNoDelay(true);
    near.on('data', (chunk) => {
      requests++;
      if (mode === 'reset') cut();
      else if (link.diedAt === null) far.write(chunk);
    });
    let last = Promise.resolve();
    far.on('data', (chunk) => {
      const dueAt = performance.now() + delayMs;
      last = last.then(() => until(dueAt)).then(() => answer(link, chunk));
    });
    for (const socket of [near, far]) socket.on('error', () => undefined);
    near.on('close', cut);
    far.on('close', () => {
      if (link.diedAt !== null) return;
      last = last.then(() => void near.end()); // what is still on its way arrives first
    });
  }

  function answer(link: Link, chunk: Buffer): void {
    if (link.diedAt !== null || link.near.destroyed) return;
    link.near.write(chunk.subarray(0, link.bytesLeft));
    link.bytesLeft -= chunk.length;
    if (link.bytesLeft <= 0) end(link);
  }

  function end(link: Link): void {
    links.delete(link);
    resetSocket(link.near);
    link.far.destroy();
  }

  const endAll = (): void => links.forEach(end);
  const server: Server = createServer(carry);
  const listen = async (at: number): Promise<number> => {
    await once(server.listen(at, '127.0.0.1'), 'listening');
    return (server.address() as AddressInfo).port;
  };
  const stopListening = async (): Promise<void> => {
    if (!server.listening) return;
    const closed = once(server, 'close');
    server.close();
    endAll();
    await closed;
  };
  const ownPort = await listen(port);

  return {
    port: ownPort,
    open: () => links.size,
    oldestDeadMs: () =>
      Math.max(0, ...[...links].map(({ diedAt }) => (diedAt === null ? 0 : performance.now() - diedAt))),
    requests: () => requests,
    delay: (milliseconds) => void (delayMs = milliseconds),
    swallow() {
      mode = 'swallow';
      for (const link of links) link.diedAt ??= performance.now();
    },
    reset() {
      mode = 'reset';
      endAll();
    },
    refuse: stopListening,
    cutAfter(bytes) {
      bytesEach = bytes;
      for (const link of links) link.bytesLeft = bytes;
    },
    halfOpen() {
      for (const link of links) {
        link.diedAt ??= performance.now();
        link.far.destroy();
      }
    },
    async heal() {
      mode = 'pass';
      delayMs = 0;
      bytesEach = Infinity;
      if (!server.listening) await listen(ownPort);
    },
    close: stopListening,
  };
}

async function until(instant: number): Promise<void> {
  const milliseconds = instant - performance.now();
  if (milliseconds > 0) await new Promise((resolve) => setTimeout(resolve, milliseconds));
}
