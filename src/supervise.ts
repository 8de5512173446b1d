/** The process above several workers: opens what they share, makes the first start, and keeps that many serving. */
import type { Config } from '../config/index.js';
import { policy } from '../config/policy.js';
import { createConfiguredApp } from './configured-app.js';
import { firstStart, readSeedFile } from './first-start.js';
import { configuredSecrets } from './platform/crypto/local-secrets.js';
import { requireFreePort } from './platform/http/server.js';
import type { Logger } from './platform/log/logger.js';
import { openStorage } from './platform/mongo/storage.js';
import { opening, type Opened } from './platform/process/opening.js';
import { startWorkers, type WorkerPool } from './platform/process/worker-pool.js';
import { announceReady, failedToClose, stopAtOnce } from './serve.js';

/** Past the notice and the draining a worker closes its connections to the databases. */
const closingMs = 3000;

export async function supervise(config: Config, log: Logger): Promise<void> {
  const seed = await readSeedFile(config.firstStart.seedFile);
  await opening(async (opened) => {
    await requireFreePort(config.http.port, config.http.host); // before the one time that a password is shown
    const storage = await openStorage({ ...config.storage, onLost: (reason) => stopAtOnce(log, reason) }, log);
    opened.closeLast(() => storage.close());
    // whatever was generated here or opened here is the same for all of them
    const orders: Config = {
      ...config,
      secrets: await configuredSecrets(config.secrets, config.storage.dataDirectory),
      storage: { ...config.storage, mongodbUri: storage.uri },
    };
    const { seeding } = await createConfiguredApp(orders, { database: storage.database, log });
    await firstStart(config, seeding, { embedded: storage.embedded, seed, log });

    const leaveMs = policy.shutdown.noticeMs + policy.shutdown.drainMs + closingMs;
    const pool = await startWorkers({ size: config.workers, orders, log, leaveMs });
    opened.closeFirst(async () => {
      if (!(await pool.stop())) process.exitCode = 1;
    });
    obeySignals(pool, opened, log);
    announceReady(config);
  });
}

function obeySignals(pool: WorkerPool, opened: Opened, log: Logger): void {
  let isEnding = false;
  let replacing: Promise<void> | undefined;
  const end = (signal: string): void => {
    if (isEnding) return;
    isEnding = true;
    log.info({ signal }, 'draining');
    opened.closeAll().then(() => log.info('closed'), failedToClose(log));
  };
  process.on('SIGTERM', end);
  process.on('SIGINT', end);
  process.on('SIGUSR2', () => {
    log.info('replacing the workers one by one');
    replacing ??= pool.replaceAll().finally(() => (replacing = undefined));
  });
}
