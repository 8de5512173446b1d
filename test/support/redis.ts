import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { freePort } from './server-process.js';

export interface RedisServer {
  url: string;
  port: number;
  stop(): Promise<void>;
}

/** A Redis of its own that keeps nothing. Its suite asks `requireTool('redis-server')` first. */
export async function startRedis(port?: number): Promise<RedisServer> {
  const at = port ?? (await freePort());
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
  return {
    url: `redis://127.0.0.1:${at}`,
    port: at,
    async stop() {
      child.kill('SIGTERM');
      await exited;
    },
  };
}
