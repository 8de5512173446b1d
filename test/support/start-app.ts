import { randomBytes } from 'node:crypto';
import { Writable } from 'node:stream';
import { fileURLToPath } from 'node:url';
import { policy, type Policy } from '../../config/policy.js';
import german from '../../locales/de.json' with { type: 'json' };
import english from '../../locales/en.json' with { type: 'json' };
import { createApp, type App } from '../../src/app.js';
import type { AppOptions } from '../../src/app-options.js';
import { readPasswordBlockList } from '../../src/credentials/index.js';
import type { Clock } from '../../src/kernel/time.js';
import type { LookupText } from '../../src/platform/dns/text-records.js';
import type { EgressOptions } from '../../src/platform/egress/egress.js';
import { securityHeaders } from '../../src/platform/http/security-headers.js';
import type { ClientCertificateOptions } from '../../src/platform/http/client-certificates.js';
import { createHttpServer, drain, listen, type HttpServer } from '../../src/platform/http/server.js';
import type { ServerTls } from '../../src/platform/http/tls-options.js';
import { createLogger } from '../../src/platform/log/logger.js';
import type { QueuedMail as DeliveredMail } from '../../src/platform/mail/transports.js';
import { openDatabase, type Database } from '../../src/platform/mongo/open-database.js';
import { openRedis } from '../../src/platform/redis/open-redis.js';
import type { SeedInput } from '../../src/seeding/index.js';
import { freshDatabaseUri } from './database.js';
import { contractSeed } from './contract-seed.js';

const passwordBlockList = readPasswordBlockList(policy.passwords.minimumLength);
const viewsDirectory = fileURLToPath(new URL('../../views', import.meta.url));
const localesDirectory = fileURLToPath(new URL('../../locales', import.meta.url));
const noticeSubjects = new Set([english, german].map(({ letters }) => letters.new_browser.subject));

export interface RunningApp {
  issuer: string;
  /** Where it listens, on 127.0.0.1; not in the issuer when that was given. */
  port: number;
  app: App;
  database: Database;
  databaseUri: string;
  /** With which what is stored is sealed and hashed. */
  masterKeys: readonly Uint8Array[];
  /** Every log line so far. */
  logLines: string[];
  /** What was delivered so far, by any process of this database, but for these: */
  mailbox: DeliveredMail[];
  /** Kept apart: what tells of sign-ins in new browsers, which nearly every browser of a test is. */
  browserNotices: DeliveredMail[];
  /** What name servers say of names: their text records. A name that is null here is one about which nobody can say. */
  textRecords: Map<string, string[] | null>;
  /** Sends what is queued. */
  deliverMail(): Promise<void>;
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
  /** The server ends TLS itself. */
  tls?: ServerTls;
  clientCertificates?: ClientCertificateOptions;
  port?: number;
  /** Other numbers than those that the product promises. */
  policy?: Policy;
  now?: Clock;
  /** 1 for the limits by address as they are shipped; many times that unless given, since tests send much from one. */
  rateLimitFactor?: number;
  /** Who may make an account by themselves; anybody unless given. */
  signUp?: AppOptions['signUp'];
  redisUrl?: string;
  /** What its outbound calls may reach and trust; public addresses and well-known authorities alone unless given. */
  egress?: Partial<EgressOptions>;
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
  const headers = securityHeaders({ https: Boolean(options.tls) || (options.issuer?.startsWith('https:') ?? false) });
  const server: HttpServer = createHttpServer((req, res) => void handle(req, res), (options.policy ?? policy).limits, {
    headers,
    tls: options.tls,
  });
  const port = await listen(server, options.port ?? 0, '127.0.0.1');
  const scheme = options.tls ? 'https' : 'http';
  const issuer = options.issuer ?? options.sharedWith?.issuer ?? `${scheme}://localhost:${port}`;
  const mailbox = options.sharedWith?.mailbox ?? [];
  const browserNotices = options.sharedWith?.browserNotices ?? [];
  const textRecords: RunningApp['textRecords'] = options.sharedWith?.textRecords ?? new Map<string, string[] | null>();
  let draining = false;
  const app = await createApp({
    ...keys,
    issuer,
    trustedProxies: options.trustedProxies ?? 0,
    clientCertificates: options.clientCertificates,
    rateLimitFactor: options.rateLimitFactor ?? 1000,
    redis,
    egress: { allow: [], extraAuthorities: [], ...options.egress },
    lookupText: lookupIn(textRecords),
    signUp: options.signUp ?? 'open',
    policy: options.policy ?? policy,
    passwordBlockList,
    mail: {
      send: async (mail) => void (noticeSubjects.has(mail.subject) ? browserNotices : mailbox).push(mail),
      close: async () => undefined,
    },
    ...{ viewsDirectory, localesDirectory },
    database,
    log,
    now: options.now ?? (() => new Date()),
    isDraining: () => draining,
  });
  handle = app.listener;
  if (!options.sharedWith) await app.seeding.applySeed(options.seed ?? contractSeed);

  const instance: RunningApp = {
    ...{ issuer, port, app, database, databaseUri, masterKeys: keys.masterKeys, logLines, mailbox, textRecords },
    browserNotices,
    deliverMail: async () => void (await app.mail.deliverDue()),
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

function lookupIn(records: RunningApp['textRecords']): LookupText {
  return async (name) => {
    const found = records.get(name) ?? null;
    if (found === null && records.has(name)) throw new Error('the name servers do not answer');
    return found ?? [];
  };
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
