import { connect } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import { resetSocket } from './reset-socket.js';
import type { RunningApp } from './start-app.js';

export interface RawRequest {
  method: 'GET' | 'POST';
  path: string;
  headers?: Record<string, string>;
  form?: Record<string, string>;
}

/** Sends the whole request and goes away (RST) before an answer can be read: at once or some milliseconds later. */
export function sendAndVanish({ issuer, port }: { issuer: string; port: number }, request: RawRequest): Promise<void> {
  const body = request.form === undefined ? '' : new URLSearchParams(request.form).toString();
  const head = [
    `${request.method} ${request.path} HTTP/1.1`,
    `Host: ${new URL(issuer).host}`,
    ...Object.entries(request.headers ?? {}).map(([name, value]) => `${name}: ${value}`),
    ...(request.form === undefined
      ? []
      : ['Content-Type: application/x-www-form-urlencoded', `Content-Length: ${Buffer.byteLength(body)}`]),
  ];
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1');
    socket.on('error', () => undefined);
    socket.on('close', () => resolve());
    socket.write(`${head.join('\r\n')}\r\n\r\n${body}`, () => {
      setTimeout(() => resetSocket(socket), Math.random() * 20);
    });
  });
}

/** How many connections of the pool are in somebody's hands now. */
export function watchPool({ database }: RunningApp): { inUse(): number } {
  let inUse = 0;
  const client = database.connection.getClient();
  client.on('connectionCheckedOut', () => inUse++);
  client.on('connectionCheckedIn', () => inUse--);
  return { inUse: () => inUse };
}

/** Calls that many times a second, without waiting for one before the next. */
export async function atRate(perSecond: number, count: number, call: (index: number) => Promise<void>): Promise<void> {
  const startedAt = performance.now();
  const calls: Promise<void>[] = [];
  for (let index = 0; index < count; index++) {
    const dueAt = startedAt + (index * 1000) / perSecond;
    if (dueAt > performance.now()) await delay(dueAt - performance.now());
    calls.push(call(index));
  }
  await Promise.all(calls);
}
