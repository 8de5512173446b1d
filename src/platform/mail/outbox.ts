import type { Clock } from '../../kernel/time.js';
import type { Sealing } from '../crypto/sealing.js';
import type { Logger } from '../log/logger.js';
import type { Database } from '../mongo/open-database.js';
import type { Tx } from '../mongo/transactions.js';
import { createQueue, type Queue, type QueueRules } from '../queue/queue.js';
import type { Letter, RenderMail } from './mail-templates.js';
import type { MailTransport, QueuedMail } from './transports.js';

export type OutboxRules = QueueRules;

export interface Outbox extends Pick<Queue<never>, 'deliverDue' | 'start' | 'stop' | 'ensureIndexes'> {
  /**
   * Queues a letter in the transaction of what it tells of: it is sent if, and only if, that went through. To null it goes
   * to nobody and costs the same, so that the time of an answer does not tell whether somebody was written to.
   */
  queueMail(tx: Tx, letter: Letter & { to: string | null }): Promise<void>;
}

export interface OutboxDeps {
  database: Database;
  sealing: Sealing;
  now: Clock;
  log: Logger;
  render: RenderMail;
  transport: MailTransport;
  rules: OutboxRules;
}

/**
 * Mail through a queue in the database. One that is sent a second time has the same Message-ID, by which servers tell.
 * Nobody waits for a mail server.
 */
export function createOutbox(deps: OutboxDeps): Outbox {
  const queue = createQueue<Omit<QueuedMail, 'id'>>({
    ...deps,
    ...{ noun: 'mail', collection: 'mail_outbox', idPrefix: 'mai', judge },
    send: (id, mail, signal) => deps.transport.send({ id, ...mail }, signal),
  });
  return {
    ...queue,
    async queueMail(tx, { to, ...letter }) {
      const content = { to: to ?? '', ...deps.render(letter) };
      await (to === null ? queue.addForNobody(tx, content) : queue.add(tx, content));
    },
    async stop() {
      await queue.stop();
      await deps.transport.close();
    },
  };
}

/** The error of a mail server may hold the address: only its kind is told. */
function judge(error: Error & { code?: string; responseCode?: number }): { reason: string; isFinal: boolean } {
  const { name, code, responseCode } = error;
  // a server that refuses us (a wrong password) may take it later; one that refuses this mail will not
  const isOfThisMail = code === 'EENVELOPE' || code === 'EMESSAGE';
  return {
    reason: responseCode === undefined ? name : String(responseCode),
    isFinal: isOfThisMail && responseCode !== undefined && responseCode >= 500,
  };
}
