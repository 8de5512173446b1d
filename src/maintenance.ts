/** What is due at some time and asked for by nobody. Every process does it; each piece of work may be done twice. */
import type { App } from './app.js';
import type { Logger } from './platform/log/logger.js';

const everyMs = 10 * 60_000;

/** Gives what stops it and waits for what is under way. */
export function startMaintenance({ administration }: Pick<App, 'administration'>, log: Logger): () => Promise<void> {
  let underWay: Promise<void> = Promise.resolve();

  async function run(): Promise<void> {
    try {
      const deleted = await administration.deleteDueTenants();
      if (deleted > 0) log.info({ deleted }, 'archived tenants deleted');
    } catch (error) {
      log.error({ err: error as Error }, 'maintenance failed, and is tried again later');
    }
  }

  const timer = setInterval(() => void (underWay = underWay.then(run)), everyMs);
  timer.unref();
  return async () => {
    clearInterval(timer);
    await underWay;
  };
}
