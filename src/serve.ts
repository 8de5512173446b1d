/** A process that serves: alone, or as one of the workers of a supervisor. */
import type { RequestListener } from 'node:http';
import type { Config } from '../config/index.js';
import { policy } from '../config/policy.js';
import type { App } from './app.js';
import { createConfiguredApp } from './configured-app.js';
import { firstStart, readSeedFile } from './first-start.js';
import { createMaintenance } from './maintenance.js';
import { securityHeaders, type Header } from './platform/http/security-headers.js';
import { createHttpServer, drain, listen, type HttpServer } from './platform/http/server.js';
import type { Logger } from './platform/log/logger.js';
import { openStorage, type Storage } from './platform/mongo/storage.js';
import { openFilesLimit } from './platform/process/open-files.js';
import { opening, type Opened } from './platform/process/opening.js';
import { onLeave } from './platform/process/worker-channel.js';
import { openRedis } from './platform/redis/open-redis.js';

const { noticeMs, drainMs } = policy.shutdown;

/** Kept back for the databases and the process itself: without a file left it could not serve those it has let in. */
const otherFiles = 100;
const fewestConnections = 50;

interface Serving {
  server: HttpServer;
  listener: App['listener'];
  /** The process is about to end, so nobody should come again on the same connection. */
  isLeaving: boolean;
  /** All of the service is about to end: not ready. */
  isDraining: boolean;
}

/** Everything in one process: the port, the database, the first start. */
export async function serveAlone(config: Config, log: Logger): Promise<void> {
  const seed = await readSeedFile(config.firstStart.seedFile);
  await opening(async (opened) => {
    const serving = createServing(config);
    // the port first: a first start that cannot serve must not use up the one time that its password is shown
    await listenTo(serving, config, opened);
    const { app, storage } = await openApp(config, log, { serving, opened });
    await firstStart(config, app.seeding, { embedded: storage.embedded, seed, log });
    serving.listener = app.listener;
    endOnSignals(serving, opened, log);
    log.info({ ...config.http, issuer: config.issuer }, 'listening');
    announceReady(config);
  });
}

/** One of several. Its supervisor has opened the database and made the first start. */
export async function serveAsWorker(config: Config, log: Logger): Promise<void> {
  await opening(async (opened) => {
    const serving = createServing(config);
    const { app } = await openApp(config, log, { serving, opened });
    serving.listener = app.listener;
    opened.closeLast(async () => process.disconnect()); // nothing else keeps the process then
    endOnSignals(serving, opened, log);
    onLeave(() => end(serving, opened, { log, waitMs: noticeMs }));
    // the port last: connections go to whoever listens, and the others can serve them already
    await listenTo(serving, config, opened);
    log.info({ ...config.http, issuer: config.issuer }, 'listening');
  });
}

export function announceReady(config: Config): void {
  process.stdout.write(`\n  Gatehouse is ready at ${config.issuer}\n\n`);
}

function createServing({ issuer, tls, clientCertificates }: Config): Serving {
  const headers = securityHeaders({ https: issuer.startsWith('https:') });
  const handle: RequestListener = (req, res) => {
    if (serving.isLeaving) res.shouldKeepAlive = false;
    void serving.listener(req, res);
  };
  const connections = Math.max(openFilesLimit() - otherFiles, fewestConnections);
  // who comes through a proxy has the proxy's connection, so its certificate would be the proxy's
  const clientAuthorities = clientCertificates?.header === undefined ? (clientCertificates?.authorities ?? null) : null;
  const manner = { headers, tls: tls && { ...tls, clientAuthorities } };
  const server = createHttpServer(handle, { ...policy.limits, connections }, manner);
  const serving: Serving = { server, listener: notYet(headers), isLeaving: false, isDraining: false };
  return serving;
}

/** Until everything is there. */
function notYet(headers: readonly Header[]): App['listener'] {
  return (_req, res) => {
    for (const [name, value] of headers) res.setHeader(name, value);
    res.writeHead(503, { 'Retry-After': '1' }).end();
  };
}

async function listenTo({ server }: Serving, { http }: Config, opened: Opened): Promise<void> {
  await listen(server, http.port, http.host);
  opened.closeFirst(() => drain(server, drainMs)); // what is opened stays so until the last request has ended
}

async function openApp(
  config: Config,
  log: Logger,
  { serving, opened }: { serving: Serving; opened: Opened },
): Promise<{ app: App; storage: Storage }> {
  const maintenance = createMaintenance(log);
  const queues: (() => Promise<void>)[] = [];
  opened.closeLast(maintenance.stop); // before what it works on
  opened.closeLast(async () => void (await Promise.all(queues.map((stop) => stop()))));
  const storage = await openStorage({ ...config.storage, onLost: (reason) => stopAtOnce(log, reason) }, log);
  opened.closeLast(() => storage.close());
  const redis = config.redisUrl === undefined ? null : openRedis(config.redisUrl, log);
  if (redis) opened.closeLast(() => redis.close());
  const { database } = storage;
  const app = await createConfiguredApp(config, { database, redis, log, isDraining: () => serving.isDraining });
  for (const queue of [app.mail, app.logouts]) {
    queue.start();
    queues.push(() => queue.stop());
  }
  maintenance.start(app);
  return { app, storage };
}

function endOnSignals(serving: Serving, opened: Opened, log: Logger): void {
  const onSignal = (signal: 'SIGTERM' | 'SIGINT'): void => {
    if (serving.isDraining) return;
    serving.isDraining = true; // readiness says 503 from here on
    log.info({ signal }, 'draining');
    // somebody at a terminal waits for nothing; a balancer gets a moment to look elsewhere
    end(serving, opened, { log, waitMs: signal === 'SIGTERM' ? noticeMs : 0 });
  };
  process.on('SIGTERM', onSignal);
  process.on('SIGINT', onSignal);
}

function end(serving: Serving, opened: Opened, { log, waitMs }: { log: Logger; waitMs: number }): void {
  if (serving.isLeaving) return;
  serving.isLeaving = true;
  setTimeout(() => void opened.closeAll().then(() => log.info('closed'), failedToClose(log)), waitMs);
}

export function failedToClose(log: Logger): (error: unknown) => void {
  return (error) => {
    log.fatal({ err: error }, 'could not close cleanly');
    process.exit(1);
  };
}

export function stopAtOnce(log: Logger, reason: string): void {
  log.fatal({ reason }, 'the embedded database is gone');
  process.exitCode = 1;
  process.kill(process.pid, 'SIGTERM');
}
