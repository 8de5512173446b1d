import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import type { RunningApp } from '../support/start-app.js';

const script = fileURLToPath(new URL('../../scripts/demo.ts', import.meta.url));
const seedFile = new URL('../../config/demo.yaml', import.meta.url);

export interface DemoProcess {
  address: string;
  close(): Promise<void>;
}

/** `npm run demo` on a port that the system picks. */
export async function startDemo(issuer: string): Promise<DemoProcess> {
  const process_ = spawn(process.execPath, ['--import', 'tsx', script, '--issuer', issuer, '--port', '0'], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const ended = once(process_, 'exit');
  for await (const line of createInterface({ input: process_.stdout })) {
    const address = /http:\/\/localhost:\d+/.exec(line)?.[0];
    if (address === undefined) throw new Error(`the demo said: ${line}`);
    return {
      address,
      async close() {
        process_.kill('SIGTERM');
        await ended;
      },
    };
  }
  throw new Error('the demo ended before it said where it is');
}

/** What a first start on localhost holds, for a demo at another address. */
export async function seedDemo({ app }: RunningApp, address: string): Promise<void> {
  const source = await readFile(seedFile, 'utf8');
  await app.seeding.applySeedFile(source.replaceAll('http://localhost:3001', address), 'demo.yaml');
}
