import { Redis } from 'ioredis';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { freePort } from './server-process.js';

export interface RedisServer {
  url: string;
  port: number;
  stop(): Promise<void>;
  /** Ends it at once, as a crash would. */
  kill(): Promise<void>;
  /** It accepts connections and answers nothing until it is resumed. */
  suspend(): void;
  resume(): void;
  /** A command as an operator would give it. */
  command(name: string, ...values: string[]): Promise<unknown>;
}

/** A Redis of its own that keeps nothing. Its suite asks `requireTool('redis-server')` first. */
export async function startRedis(port?: number): Promise<RedisServer> {
  const at = port ?? (await freePort());
  const url = `redis://127.0.0.1:${at}`;
  const options = ['--port', String(at), '--bind', '127.0.0.1', '--save', '', '--appendonly', 'no'];
  const child = spawn('redis-server', options, { stdio: ['ignore', 'pipe', 'inherit'] });
  const exited = once(child, 'exit');
  await new Promise<void>((resolve, reject) => {
    let output = '';
    child.stdout.on('data', (chunk: Buffer) => {
      output += chunk.toString();
      if (output.includes('Ready to accept connections')) resolve();
    });
    void exited.then(() => reject(new Error(`redis-server ended:\n${output}`)), reject);
  });
  const end = async (signal: NodeJS.Signals): Promise<void> => {
    child.kill(signal);
    await exited;
  };
  return {
    url,
    port: at,
    stop: () => end('SIGTERM'),
    kill: () => end('SIGKILL'),
    suspend: () => void child.kill('SIGSTOP'),
    resume: () => void child.kill('SIGCONT'),
    async command(name, ...values) {
      const client = new Redis(url, { lazyConnect: true });
      try {
        await client.connect();
        return await client.call(name, ...values);
      } finally {
        client.disconnect();
      }
    },
  };
}
