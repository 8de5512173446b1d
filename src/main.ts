/** The process: load, open, build, listen; and on SIGTERM drain and close in the reverse order. */
import { readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { ConfigError, loadConfig, loadEnvironmentFile, type Config } from '../config/index.js';
import { policy } from '../config/policy.js';
import { createApp } from './app.js';
import { configuredSecrets } from './platform/crypto/local-secrets.js';
import { createHttpServer, drain, listen } from './platform/http/server.js';
import { createLogger, type Logger } from './platform/log/logger.js';
import { openStorage } from './platform/mongo/storage.js';
import { SeedError, type SeedingModule } from './seeding/index.js';

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
    if (error instanceof ConfigError || error instanceof SeedError) process.stderr.write(`${error.message}\n`);
    else if (log) log.fatal({ err: error }, 'the server could not start');
    else throw error;
    process.exitCode = 1;
  }
}

async function run(config: Config, log: Logger): Promise<void> {
  const opened: (() => Promise<void>)[] = [];
  const closeAll = async (): Promise<void> => {
    for (const close of opened.reverse()) await close();
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
  let draining = false;
  const storage = await openStorage({ ...config.storage, onLost: (reason) => stopAtOnce(log, reason) }, log);
  opened.push(() => storage.close());
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
  const welcome = await prepare(config, app.seeding, storage.embedded);
  const server = createHttpServer(app.listener, policy.limits);
  const port = await listen(server, config.http.port, config.http.host);
  opened.push(() => drain(server, policy.shutdown.drainMs));
  log.info({ port, host: config.http.host, issuer: config.issuer }, 'listening');
  process.stdout.write(welcome);

  const stop = (signal: 'SIGTERM' | 'SIGINT'): void => {
    if (draining) return;
    draining = true; // readiness says 503 from here on
    log.info({ signal }, 'draining');
    // somebody at a terminal waits for nothing; a balancer gets a moment to look elsewhere
    const noticeMs = signal === 'SIGTERM' ? policy.shutdown.noticeMs : 0;
    setTimeout(() => void closeAll().then(() => log.info('closed')), noticeMs);
  };
  process.on('SIGTERM', stop);
  process.on('SIGINT', stop);
}

/** First start and seed file; answers with what to tell the person at the terminal. */
async function prepare(config: Config, seeding: SeedingModule, embedded: boolean): Promise<string> {
  const { adminEmail, adminPassword, seedFile } = config.firstStart;
  const first = await seeding.firstStart({ email: adminEmail, password: adminPassword });
  const isTrial = embedded && config.issuer.startsWith('http:') && seedFile === undefined;
  if (first && isTrial) await seeding.applySeedFile(await readFile(demoSeed, 'utf8'), 'demo.yaml');
  if (seedFile !== undefined) await seeding.applySeedFile(await readFile(seedFile, 'utf8'), seedFile);
  const lines = ['', `  Gatehouse is ready at ${config.issuer}`];
  if (first) lines.push(`  Administrator: ${adminEmail}`);
  if (first?.generatedPassword) lines.push(`  Password (shown this once): ${first.generatedPassword}`);
  if (isTrial) lines.push(...tryIt(config.issuer));
  return `${lines.join('\n')}\n\n`;
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
