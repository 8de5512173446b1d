/** What is due at some time and asked for by nobody. Every process does it; each piece of work may be done twice. */
import type { App } from './app.js';
import type { Logger } from './platform/log/logger.js';

const everyMs = 10 * 60_000;

type MaintainedApp = Pick<App, 'administration' | 'forgetFormerPasswords'>;

export interface Maintenance {
  start(app: MaintainedApp): void;
  /** Ends once the piece that is under way is done. */
  stop(): Promise<void>;
}

export function createMaintenance(log: Logger): Maintenance {
  let underWay: Promise<void> = Promise.resolve();
  let timer: NodeJS.Timeout | undefined;
  let isOver = false;

  async function run({ administration, forgetFormerPasswords }: MaintainedApp): Promise<void> {
    const { deleteDueTenants, deleteDueUsers, recheckDomains } = administration;
    await piece(deleteDueTenants, 'archived tenants deleted');
    await piece(deleteDueUsers, 'accounts deleted that their people had given up');
    await piece(forgetFormerPasswords, 'former passwords deleted that no tenant asks for');
    await piece(recheckDomains, 'domains lost whose records are gone');
  }

  /** One that fails keeps no other. */
  async function piece(work: (isOver: () => boolean) => Promise<number>, told: string): Promise<void> {
    try {
      const count = await work(() => isOver);
      if (count > 0) log.info({ count }, told);
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
