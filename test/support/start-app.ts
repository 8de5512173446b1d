import { randomBytes } from 'node:crypto';
import type { Server } from 'node:http';
import { Writable } from 'node:stream';
import { fileURLToPath } from 'node:url';
import { policy, type Policy } from '../../config/policy.js';
import { createApp, type App } from '../../src/app.js';
import type { Clock } from '../../src/kernel/time.js';
import { securityHeaders } from '../../src/platform/http/security-headers.js';
import { createHttpServer, drain, listen } from '../../src/platform/http/server.js';
import { createLogger } from '../../src/platform/log/logger.js';
import { openDatabase, type Database } from '../../src/platform/mongo/open-database.js';
import { openRedis } from '../../src/platform/redis/open-redis.js';
import type { SeedInput } from '../../src/seeding/index.js';
import { freshDatabaseUri } from './database.js';
import { contractSeed } from './contract-seed.js';

const viewsDirectory = fileURLToPath(new URL('../../views', import.meta.url));

export interface RunningApp {
  issuer: string;
  /** Where it listens, on 127.0.0.1; not in the issuer when that was given. */
  port: number;
  app: App;
  database: Database;
  databaseUri: string;
  /** Every log line so far. */
  logLines: string[];
  setDraining(value: boolean): void;
  close(): Promise<void>;
}

export interface StartOptions {
  /** What the database holds; the seed of the contract unless given. */
  seed?: SeedInput;
  /** An existing database and its keys: a second process, or a restart. */
  sharedWith?: RunningApp;
  trustedProxies?: number;
  issuer?: string;
  port?: number;
  /** Other numbers than those that the product promises. */
  policy?: Policy;
  now?: Clock;
  /** 1 for the limits by address as they are shipped; many times that unless given, since tests send much from one. */
  rateLimitFactor?: number;
  redisUrl?: string;
  /** Lets the driver tell of every command that it sends (`commandStarted`). */
  monitorCommands?: boolean;
}

const keysOf = new Map<string, { masterKeys: Buffer[]; cookieKeys: string[] }>();
const running = new Set<RunningApp>();

/** The real application on a database of its own, on a port of its own. Closed after each test (see below). */
export async function startApp(options: StartOptions = {}): Promise<RunningApp> {
  const databaseUri = options.sharedWith?.databaseUri ?? (await freshDatabaseUri());
  const keys = keysOf.get(databaseUri) ?? {
    masterKeys: [randomBytes(32)],
    cookieKeys: [randomBytes(32).toString('hex')],
  };
  keysOf.set(databaseUri, keys);
  const address = new URL(databaseUri);
  if (options.monitorCommands) address.searchParams.set('monitorCommands', 'true');
  const database = await openDatabase(address.href);
  const logLines: string[] = [];
  const log = createLogger('info', collecting(logLines));

  const redis = options.redisUrl === undefined ? null : openRedis(options.redisUrl, log);
  let handle: App['listener'] = (_req, res) => res.writeHead(503).end();
  const headers = securityHeaders({ https: options.issuer?.startsWith('https:') ?? false });
  const server: Server = createHttpServer(
    (req, res) => void handle(req, res),
    (options.policy ?? policy).limits,
    headers,
  );
  const port = await listen(server, options.port ?? 0, '127.0.0.1');
  const issuer = options.issuer ?? options.sharedWith?.issuer ?? `http://localhost:${port}`;
  let draining = false;
  const app = await createApp({
    ...keys,
    issuer,
    trustedProxies: options.trustedProxies ?? 0,
    rateLimitFactor: options.rateLimitFactor ?? 1000,
    redis,
    policy: options.policy ?? policy,
    viewsDirectory,
    database,
    log,
    now: options.now ?? (() => new Date()),
    isDraining: () => draining,
  });
  handle = app.listener;
  if (!options.sharedWith) await app.seeding.applySeed(options.seed ?? contractSeed);

  const instance: RunningApp = {
    ...{ issuer, port, app, database, databaseUri, logLines },
    setDraining: (value) => (draining = value),
    async close() {
      if (!running.delete(instance)) return;
      server.closeAllConnections();
      await drain(server, 0);
      await database.close();
      await redis?.close();
    },
  };
  running.add(instance);
  return instance;
}

function collecting(lines: string[]): Writable {
  return new Writable({
    write(chunk: Buffer, _encoding, done) {
      lines.push(chunk.toString());
      done();
    },
  });
}

/** Ends what a test has left running, so that a failed assertion does not keep the run from ending. */
export async function closeApps(): Promise<void> {
  for (const instance of running) await instance.close();
}
