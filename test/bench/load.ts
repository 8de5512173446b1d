import { fork, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { Agent, request } from 'node:http';
import { fileURLToPath } from 'node:url';
import type { Usage } from './child.js';

export interface Call {
  method: 'GET' | 'POST';
  path: string;
  headers?: Record<string, string>;
  form?: Record<string, string>;
}

export interface Answer {
  status: number;
  location: string | undefined;
  cookies: string[];
  body: string;
}

export interface MeasuredServer {
  name: string;
  issuer: string;
  send(call: Call): Promise<Answer>;
  usage(): Promise<Usage>;
  stop(): void;
}

/** Starts one of the two servers as a process of its own, so that its processor time is its own. */
export async function startMeasured(
  name: string,
  file: string,
  flags: readonly string[] = [],
): Promise<MeasuredServer> {
  const child = fork(fileURLToPath(new URL(file, import.meta.url)), {
    stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
    execArgv: [...process.execArgv, ...flags],
  });
  const [{ issuer }] = (await once(child, 'message')) as [{ issuer: string }];
  const { send, close } = sender(issuer);
  return {
    ...{ name, issuer, send },
    usage: () => usageOf(child),
    stop() {
      close();
      child.disconnect();
    },
  };
}

/** Sends over connections that are kept. */
export function sender(issuer: string): Pick<MeasuredServer, 'send'> & { close(): void } {
  const agent = new Agent({ keepAlive: true, maxSockets: 64 });
  return { send: (call) => send(agent, issuer, call), close: () => agent.destroy() };
}

async function usageOf(child: ChildProcess): Promise<Usage> {
  child.send('usage');
  const [usage] = (await once(child, 'message')) as [Usage];
  return usage;
}

function send(agent: Agent, issuer: string, { method, path, headers, form }: Call): Promise<Answer> {
  const body = form && new URLSearchParams(form).toString();
  return new Promise((resolve, reject) => {
    const outgoing = request(new URL(path, issuer), {
      agent,
      method,
      headers: {
        ...headers,
        ...(body === undefined
          ? {}
          : { 'Content-Type': 'application/x-www-form-urlencoded', 'Content-Length': Buffer.byteLength(body) }),
      },
    });
    outgoing.on('error', reject);
    outgoing.on('response', (response) => {
      const chunks: Buffer[] = [];
      response.on('data', (chunk: Buffer) => chunks.push(chunk));
      response.on('end', () =>
        resolve({
          status: response.statusCode ?? 0,
          location: response.headers.location,
          cookies: response.headers['set-cookie'] ?? [],
          body: Buffer.concat(chunks).toString(),
        }),
      );
    });
    outgoing.end(body);
  });
}

export interface Slice {
  count: number;
  seconds: number;
  cpuMicroseconds: number;
  latenciesMs: number[];
}

/** Sends all calls, `parallel` at a time; every answer must have the expected status. */
export async function run(server: MeasuredServer, calls: readonly Call[], parallel: number): Promise<Slice> {
  const latenciesMs: number[] = [];
  const before = await server.usage();
  const startedAt = performance.now();
  let next = 0;
  const worker = async (): Promise<void> => {
    for (let call = calls[next++]; call; call = calls[next++]) {
      const sentAt = performance.now();
      const answer = await server.send(call);
      latenciesMs.push(performance.now() - sentAt);
      if (answer.status >= 400) throw new Error(`${server.name} ${call.path}: ${answer.status} ${answer.body}`);
    }
  };
  await Promise.all(Array.from({ length: parallel }, worker));
  const seconds = (performance.now() - startedAt) / 1000;
  const after = await server.usage();
  return { count: calls.length, seconds, cpuMicroseconds: after.cpuMicroseconds - before.cpuMicroseconds, latenciesMs };
}
