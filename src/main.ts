/** The process: load, open, build, listen; and on SIGTERM drain and close in the reverse order. */
import { readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { ConfigError, loadConfig, loadEnvironmentFile, type Config } from '../config/index.js';
import { policy } from '../config/policy.js';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { createApp, type App } from './app.js';
import { configuredSecrets } from './platform/crypto/local-secrets.js';
import { createHttpServer, drain, listen } from './platform/http/server.js';
import { createLogger, type Logger } from './platform/log/logger.js';
import { openRedis } from './platform/redis/open-redis.js';
import { openStorage } from './platform/mongo/storage.js';
import { isDatabaseUnavailable } from './platform/mongo/transactions.js';
import { parseSeedFile, SeedError, type SeedingModule } from './seeding/index.js';

const viewsDirectory = fileURLToPath(new URL('../views', import.meta.url));
const demoSeed = new URL('../config/demo.yaml', import.meta.url);

await main();

async function main(): Promise<void> {
  let log: Logger | undefined;
  try {
    loadEnvironmentFile();
    const config = loadConfig();
    log = createLogger(config.logLevel);
    await run(config, log);
  } catch (error) {
    // what the operator has to mend is said plainly; everything else is a bug and wants its stack
    const plain = plainReason(error);
    if (plain !== null) process.stderr.write(`${plain}\n`);
    else if (log) log.fatal({ err: error }, 'the server could not start');
    else throw error;
    process.exitCode = 1;
  }
}

function plainReason(error: unknown): string | null {
  if (error instanceof ConfigError || error instanceof SeedError) return error.message;
  const { name, code, port } = error as NodeJS.ErrnoException & { port?: number };
  if (code === 'EADDRINUSE')
    return `Port ${port} is in use by another process. Set PORT to another one, or stop that process.`;
  if (isDatabaseUnavailable(error)) return `The database cannot be reached: ${name}. Check MONGODB_URI.`;
  return null;
}

async function run(config: Config, log: Logger): Promise<void> {
  const opened: (() => Promise<void>)[] = [];
  const closeAll = async (): Promise<void> => {
    for (let close = opened.pop(); close; close = opened.pop()) await close();
  };
  try {
    await serve(config, log, opened, closeAll);
  } catch (error) {
    await closeAll();
    throw error;
  }
}

async function serve(
  config: Config,
  log: Logger,
  opened: (() => Promise<void>)[],
  closeAll: () => Promise<void>,
): Promise<void> {
  const seed = await readSeedFile(config.firstStart.seedFile);
  let draining = false;
  let handle: App['listener'] = notYet;
  const server = createHttpServer((req, res) => void handle(req, res), policy.limits);
  // the port first: a first start that cannot serve must not use up the one time that its password is shown
  const port = await listen(server, config.http.port, config.http.host);
  opened.push(() => drain(server, policy.shutdown.drainMs));
  const storage = await openStorage({ ...config.storage, onLost: (reason) => stopAtOnce(log, reason) }, log);
  opened.unshift(() => storage.close()); // closed after the server, which needs it until the last request
  const redis = config.redisUrl === undefined ? null : openRedis(config.redisUrl, log);
  if (redis) opened.unshift(() => redis.close());
  const app = await createApp({
    ...(await configuredSecrets(config.secrets, config.storage.dataDirectory)),
    issuer: config.issuer,
    trustedProxies: config.http.trustedProxies,
    policy,
    viewsDirectory,
    database: storage.database,
    log,
    now: () => new Date(),
    isDraining: () => draining,
  });
  await firstStart(config, app.seeding, storage.embedded);
  if (seed) await app.seeding.applySeedFile(seed.source, seed.name);

  const stop = (signal: 'SIGTERM' | 'SIGINT'): void => {
    if (draining) return;
    draining = true; // readiness says 503 from here on
    log.info({ signal }, 'draining');
    // somebody at a terminal waits for nothing; a balancer gets a moment to look elsewhere
    const noticeMs = signal === 'SIGTERM' ? policy.shutdown.noticeMs : 0;
    setTimeout(() => void closeAll().then(() => log.info('closed'), failedToClose(log)), noticeMs);
  };
  process.on('SIGTERM', stop);
  process.on('SIGINT', stop);

  handle = app.listener;
  log.info({ port, host: config.http.host, issuer: config.issuer }, 'listening');
  process.stdout.write(`\n  Gatehouse is ready at ${config.issuer}\n\n`);
}

/** Until everything is there. */
function notYet(_req: IncomingMessage, res: ServerResponse): void {
  res.writeHead(503, { 'Retry-After': '1' }).end();
}

function failedToClose(log: Logger): (error: unknown) => void {
  return (error) => {
    log.fatal({ err: error }, 'could not close cleanly');
    process.exit(1);
  };
}

async function readSeedFile(name: string | undefined): Promise<{ name: string; source: string } | null> {
  if (name === undefined) return null;
  try {
    const source = await readFile(name, 'utf8');
    parseSeedFile(source, name); // refused before anything is made
    return { name, source };
  } catch (error) {
    if (error instanceof SeedError) throw error;
    throw new SeedError([`${name} cannot be read (${(error as NodeJS.ErrnoException).code ?? 'unknown'})`]);
  }
}

/** Makes the platform tenant and its administrator once, with the demo data where this is a trial, and says so. */
async function firstStart(config: Config, seeding: SeedingModule, embedded: boolean): Promise<void> {
  const { adminEmail, adminPassword, seedFile } = config.firstStart;
  const isTrial = embedded && config.issuer.startsWith('http:') && seedFile === undefined;
  const demo = isTrial ? await readFile(demoSeed, 'utf8') : undefined;
  const first = await seeding.firstStart({ email: adminEmail, password: adminPassword, demo });
  if (!first) return;
  const lines = ['', `  Administrator: ${adminEmail}`];
  if (first.generatedPassword) lines.push(`  Password (shown this once): ${first.generatedPassword}`);
  if (isTrial) lines.push(...tryIt(config.issuer));
  process.stdout.write(`${lines.join('\n')}\n`);
}

function tryIt(issuer: string): string[] {
  return [
    '',
    '  Try it: `npm run demo` in a second terminal, then open http://localhost:3001',
    '  and sign in as ada@example.com with the password "correct horse battery"; or get a service token:',
    '',
    `    curl -u acme-ci:sk_demo-key-for-localhost-only-0000 ${issuer}/oauth2/token \\`,
    '      -d grant_type=client_credentials -d resource=https://api.example.com/projects -d scope=projects:read',
  ];
}

function stopAtOnce(log: Logger, reason: string): void {
  log.fatal({ reason }, 'the embedded database is gone');
  process.exitCode = 1;
  process.kill(process.pid, 'SIGTERM');
}
