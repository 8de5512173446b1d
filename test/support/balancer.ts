import { once } from 'node:events';
import { connect, createServer, type AddressInfo, type Socket } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import { resetSocket } from './reset-socket.js';

export interface Balancer {
  readonly port: number;
  close(): Promise<void>;
}

const checkEveryMs = 200;
const checkTimeoutMs = 500;

/**
 * Hands each TCP connection to the next of these ports on loopback that is ready, and to any when none is. A port that
 * refuses is passed over at once. What a balancer in front of real servers does, without its retries.
 */
export async function startBalancer(ports: readonly number[]): Promise<Balancer> {
  const unready = new Set(ports);
  const sockets = new Set<Socket>();
  const stopped = new AbortController();
  let turn = 0;

  async function check(port: number): Promise<void> {
    const signal = AbortSignal.any([stopped.signal, AbortSignal.timeout(checkTimeoutMs)]);
    const answer = await fetch(`http://127.0.0.1:${port}/health/ready`, { signal }).catch(() => null);
    await answer?.body?.cancel();
    if (answer?.ok) unready.delete(port);
    else unready.add(port);
  }

  async function watch(port: number): Promise<void> {
    while (!stopped.signal.aborted) {
      await check(port);
      await delay(checkEveryMs, undefined, { signal: stopped.signal }).catch(() => undefined);
    }
  }

  function carry(near: Socket): void {
    const ready = ports.filter((port) => !unready.has(port));
    const candidates = ready.length > 0 ? ready : [...ports];
    const start = turn++ % candidates.length;
    forward(near, [...candidates.slice(start), ...candidates.slice(0, start)]);
  }

  function forward(near: Socket, [port, ...others]: readonly number[]): void {
    if (port === undefined) return void resetSocket(near);
    const far = connect(port, '127.0.0.1');
    let isConnected = false;
    far.setNoDelay(true);
    far.on('connect', () => {
      isConnected = true;
      near.pipe(far).pipe(near);
    });
    far.on('error', () => {
      if (isConnected) return void resetSocket(near);
      unready.add(port);
      forward(near, others);
    });
    near.on('close', () => far.destroy());
  }

  const server = createServer({ noDelay: true }, (near) => {
    sockets.add(near);
    near.on('error', () => undefined);
    near.on('close', () => sockets.delete(near));
    carry(near);
  });
  await once(server.listen(0, '127.0.0.1'), 'listening');
  const watching = Promise.all(ports.map(watch));
  return {
    port: (server.address() as AddressInfo).port,
    async close() {
      stopped.abort();
      for (const socket of sockets) socket.destroy();
      server.close();
      await watching;
    },
  };
}
