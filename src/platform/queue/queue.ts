import { newId } from '../../kernel/ids.js';
import { afterCommit, type Tx } from '../mongo/transactions.js';
import { createDelivery, type QueueDeps } from './delivery.js';
import { createQueueStore } from './queue-store.js';

export type { QueueRules } from './delivery.js';

export interface Queue<Content> {
  /** In the transaction of what it tells of: it is sent if, and only if, that went through. */
  add(tx: Tx, content: Content): Promise<void>;
  /** Costs the same and is sent to nobody. */
  addForNobody(tx: Tx, content: Content): Promise<void>;
  /** Sends what is due now. Gives how many were delivered. */
  deliverDue(): Promise<number>;
  /** From now on it goes out by itself. */
  start(): void;
  /** Ends once what is under way is done, or its time is over. */
  stop(): Promise<void>;
  ensureIndexes(): Promise<void>;
}

/**
 * What is to be sent out, in the database. Each is sent at least once: a process that dies between sending and noting
 * it leaves one that is sent again under the same id. Nobody waits for the other side.
 */
export function createQueue<Content>(deps: QueueDeps<Content>): Queue<Content> {
  const { rules, log, noun } = deps;
  const store = createQueueStore<Content>(deps);
  const delivery = createDelivery(deps, store);
  let timer: NodeJS.Timeout | undefined;
  let isOn = false;
  let isAsked = false;
  let rounds: Promise<void> | undefined;

  /** One round at a time; whoever asks meanwhile is served by the next one. */
  async function takeUpWhileAsked(): Promise<void> {
    while (isOn && isAsked) {
      isAsked = false;
      try {
        void (await delivery.takeUpDue());
      } catch (error) {
        log.error({ err: error as Error }, `the ${noun} queue was not read`);
      }
    }
    rounds = undefined;
    if (isOn) timer = setTimeout(wake, rules.pollMs);
  }

  function wake(): void {
    if (!isOn) return;
    clearTimeout(timer);
    isAsked = true;
    rounds ??= takeUpWhileAsked();
  }

  async function add(tx: Tx, content: Content, isForNobody: boolean): Promise<void> {
    await store.insert(tx, newId(deps.idPrefix), content, isForNobody);
    afterCommit(tx, noun, wake);
  }

  return {
    add: (tx, content) => add(tx, content, false),
    addForNobody: (tx, content) => add(tx, content, true),
    async deliverDue() {
      const outcomes = await Promise.all(await delivery.takeUpDue());
      return outcomes.filter((isDelivered) => isDelivered).length;
    },
    start() {
      isOn = true;
      wake();
    },
    async stop() {
      isOn = false;
      clearTimeout(timer);
      await delivery.end(rounds);
    },
    ensureIndexes: store.ensureIndexes,
  };
}
