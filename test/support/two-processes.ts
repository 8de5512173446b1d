import { randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { SeedInput } from '../../src/seeding/index.js';
import { freshDatabaseUri } from './database.js';
import type { ServerPair } from './server-pair.js';
import { freePort, startServerProcess, type ServerProcess } from './server-process.js';

export interface ProcessPair extends ServerPair {
  processes: readonly [ServerProcess, ServerProcess];
}

/**
 * Two real server processes of one issuer, with one set of keys on one fresh database (MONGODB_URI, else the embedded
 * one of this run). The first one applies the seed; end both with `killServerProcesses`.
 */
export async function startTwoProcesses(
  seed: SeedInput,
  settings: Readonly<Record<string, string>> = {},
): Promise<ProcessPair> {
  const databaseUri = await freshDatabaseUri();
  const port = await freePort();
  const issuer = `http://localhost:${port}`;
  const directory = mkdtempSync(join(tmpdir(), 'gatehouse-'));
  const environment = {
    ISSUER: issuer,
    MONGODB_URI: databaseUri,
    DATA_DIR: directory,
    MASTER_KEYS: randomBytes(32).toString('base64url'),
    COOKIE_KEYS: randomBytes(32).toString('base64url'),
    LOG_LEVEL: 'warn',
    RATE_LIMIT_FACTOR: '1000', // every request of a race comes from one address
    ...settings,
  };
  const seedFile = join(directory, 'seed.json');
  writeFileSync(seedFile, JSON.stringify(seed));
  try {
    const first = await startServerProcess({ ...environment, PORT: String(port), SEED_FILE: seedFile });
    const otherPort = await freePort();
    const second = await startServerProcess({ ...environment, PORT: String(otherPort) });
    for (const { output } of [first, second]) {
      if (!output().includes('is ready at')) throw new Error(output());
    }
    return { issuer, databaseUri, ports: [port, otherPort], processes: [first, second] };
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}
