/** The process: takes its configuration, and serves alone, supervises workers, or is one of them. */
import cluster from 'node:cluster';
import { ConfigError, loadConfig, loadEnvironmentFile, type Config } from '../config/index.js';
import { createLogger, type Logger } from './platform/log/logger.js';
import { EmbeddedDatabaseNotStarted } from './platform/mongo/embedded/open-embedded-database.js';
import { isDatabaseUnavailable } from './platform/mongo/transactions.js';
import { watchForUncaughtErrors } from './platform/process/broken-process.js';
import { receiveOrders, tellSupervisor } from './platform/process/worker-channel.js';
import { WorkerStartError } from './platform/process/worker-pool.js';
import { SeedError } from './seeding/index.js';
import { serveAlone, serveAsWorker } from './serve.js';
import { supervise } from './supervise.js';

await (cluster.worker ? work(cluster.worker.id) : main());

async function main(): Promise<void> {
  let log: Logger | undefined;
  try {
    loadEnvironmentFile();
    const config = loadConfig();
    log = createLogger(config.logLevel);
    watchForUncaughtErrors(log);
    await (config.workers === 1 ? serveAlone(config, log) : supervise(config, log));
  } catch (error) {
    // what the operator has to mend is said plainly; everything else is a bug and wants its stack
    const plain = plainReason(error);
    if (plain !== null) process.stderr.write(`${plain}\n`);
    else if (log) log.fatal({ err: error }, 'the server could not start');
    else throw error;
    process.exitCode = 1;
  }
}

/** A worker reads no environment: all of them get the same configuration from their supervisor. */
async function work(worker: number): Promise<void> {
  const config = await receiveOrders<Config>();
  const log = createLogger(config.logLevel).child({ worker });
  watchForUncaughtErrors(log);
  try {
    await serveAsWorker(config, log);
  } catch (error) {
    const plain = plainReason(error);
    if (plain === null) log.fatal({ err: error }, 'the worker could not start');
    await tellSupervisor({ kind: 'failed', reason: plain ?? 'A worker could not start; the log says why.' });
    process.exit(1);
  }
}

function plainReason(error: unknown): string | null {
  const plain = [ConfigError, SeedError, WorkerStartError, EmbeddedDatabaseNotStarted];
  if (plain.some((kind) => error instanceof kind)) return (error as Error).message;
  const { name, code, port } = error as NodeJS.ErrnoException & { port?: number };
  if (code === 'EADDRINUSE')
    return `Port ${port} is in use by another process. Set PORT to another one, or stop that process.`;
  if (isDatabaseUnavailable(error)) return `The database cannot be reached: ${name}. Check MONGODB_URI.`;
  return null;
}
