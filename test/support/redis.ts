import { Redis } from 'ioredis';
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { freePort } from './server-process.js';
import { requireTool } from './tools.js';

/** A real Redis server of a suite, which keeps nothing. */
export interface RedisServer {
  readonly url: string;
  /** Ends it at once, as a crash would. */
  kill(): Promise<void>;
  /** Starts it again at the same port, empty. */
  start(): Promise<void>;
  /** It accepts connections and answers nothing until it is resumed. */
  suspend(): void;
  resume(): void;
  /** A command as an operator would give it. */
  command(name: string, ...values: string[]): Promise<unknown>;
}

/** Gives a suite a Redis server, emptied before each test, or skips the suite where there is none. */
export function useRedis(): RedisServer {
  let tool = '';
  let port = 0;
  let child: ChildProcess | null = null;

  const server: RedisServer = {
    get url() {
      return `redis://127.0.0.1:${port}`;
    },
    async kill() {
      const ending = child;
      if (!ending) return;
      child = null;
      ending.kill('SIGKILL');
      await once(ending, 'exit');
    },
    async start() {
      if (child) return;
      const options = ['--port', `${port}`, '--bind', '127.0.0.1', '--save', '', '--appendonly', 'no', '--dir', '/'];
      const starting = spawn(tool, options, { stdio: ['ignore', 'pipe', 'inherit'] });
      child = starting;
      await new Promise<void>((resolve, reject) => {
        starting.stdout.on('data', (chunk: Buffer) => String(chunk).includes('Ready to accept') && resolve());
        starting.once('error', reject);
        starting.once('exit', () => reject(new Error('redis-server ended')));
      });
    },
    suspend: () => void child?.kill('SIGSTOP'),
    resume: () => void child?.kill('SIGCONT'),
    async command(name, ...values) {
      const client = new Redis(server.url, { lazyConnect: true });
      try {
        await client.connect();
        return await client.call(name, ...values);
      } finally {
        client.disconnect();
      }
    },
  };

  before('a Redis server', async function () {
    const found = requireTool('redis-server');
    if (found === undefined) return this.skip();
    tool = found;
    port = await freePort();
  });
  beforeEach('an empty one', async () => {
    await server.start();
    server.resume();
    await server.command('CONFIG', 'SET', 'maxmemory', '0');
    await server.command('FLUSHALL');
  });
  after('it ends', () => server.kill());
  return server;
}
