/** What is due at some time and asked for by nobody. Every process does it; each piece of work may be done twice. */
import type { App } from './app.js';
import type { Logger } from './platform/log/logger.js';

const everyMs = 10 * 60_000;

export interface Maintenance {
  start(app: Pick<App, 'administration'>): void;
  /** Ends once the piece that is under way is done. */
  stop(): Promise<void>;
}

export function createMaintenance(log: Logger): Maintenance {
  let underWay: Promise<void> = Promise.resolve();
  let timer: NodeJS.Timeout | undefined;
  let isOver = false;

  async function run({ administration }: Pick<App, 'administration'>): Promise<void> {
    try {
      const deleted = await administration.deleteDueTenants(() => isOver);
      if (deleted > 0) log.info({ deleted }, 'archived tenants deleted');
    } catch (error) {
      log.error({ err: error as Error }, 'maintenance failed, and is tried again later');
    }
  }

  return {
    start(app) {
      timer = setInterval(() => void (underWay = underWay.then(() => run(app))), everyMs);
      timer.unref();
    },
    async stop() {
      isOver = true;
      clearInterval(timer);
      await underWay;
    },
  };
}
