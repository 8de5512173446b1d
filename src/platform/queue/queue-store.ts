import type { Clock } from '../../kernel/time.js';
import { secondsAfter } from '../../kernel/time.js';
import type { Sealing } from '../crypto/sealing.js';
import type { Database } from '../mongo/open-database.js';
import { sessionOf, type Tx } from '../mongo/transactions.js';

/** One that this process has taken up. Nobody else does until the lease is over. */
export interface Taken<Content> {
  id: string;
  /** The first is 1. */
  attempt: number;
  queuedAt: Date;
  /** Rejects when its key is not there. */
  open(): Promise<Content>;
}

export interface QueueStore<Content> {
  /** For nobody: stored like any other, and never taken up. */
  insert(tx: Tx, id: string, content: Content, isForNobody: boolean): Promise<void>;
  /** The next one that is due; decided by one write. */
  take(leaseSeconds: number): Promise<Taken<Content> | null>;
  remove(taken: Taken<Content>): Promise<void>;
  /** Unless somebody else has taken it up meanwhile. */
  postpone(taken: Taken<Content>, dueAt: Date): Promise<void>;
  /** Kept, sealed, for whoever looks into it. */
  fail(taken: Taken<Content>, reason: string, keepSeconds: number): Promise<void>;
  ensureIndexes(): Promise<void>;
}

interface QueueRecord {
  _id: string;
  /** The content. */
  sealed: string;
  status: 'queued' | 'failed' | 'nobody';
  dueAt: Date;
  attempts: number;
  queuedAt: Date;
  reason?: string;
  expiresAt?: Date;
}

export function createQueueStore<Content>(deps: {
  collection: string;
  database: Database;
  sealing: Sealing;
  now: Clock;
}): QueueStore<Content> {
  const records = deps.database.collection<QueueRecord>(deps.collection);
  const contextOf = (id: string): string => `${deps.collection}:${id}`;
  const asTaken = ({ id, attempt }: Taken<Content>): object => ({ _id: id, status: 'queued', attempts: attempt });
  return {
    async insert(tx, id, content, isForNobody) {
      const sealed = await deps.sealing.seal(JSON.stringify(content), contextOf(id));
      const now = deps.now();
      const record = { _id: id, sealed, dueAt: now, attempts: 0, queuedAt: now };
      const fate = isForNobody ? ({ status: 'nobody', expiresAt: now } as const) : ({ status: 'queued' } as const);
      await records.insertOne({ ...record, ...fate }, sessionOf(tx));
    },
    async take(leaseSeconds) {
      const now = deps.now();
      const record = await records.findOneAndUpdate(
        { status: 'queued', dueAt: { $lte: now } },
        { $set: { dueAt: secondsAfter(now, leaseSeconds) }, $inc: { attempts: 1 } },
        { sort: { dueAt: 1 }, returnDocument: 'after' },
      );
      if (!record) return null;
      const { _id: id, sealed, attempts: attempt, queuedAt } = record;
      const open = async (): Promise<Content> => JSON.parse(await deps.sealing.open(sealed, contextOf(id))) as Content;
      return { id, attempt, queuedAt, open };
    },
    async remove({ id }) {
      await records.deleteOne({ _id: id });
    },
    async postpone(taken, dueAt) {
      await records.updateOne(asTaken(taken), { $set: { dueAt } });
    },
    async fail(taken, reason, keepSeconds) {
      const expiresAt = secondsAfter(deps.now(), keepSeconds);
      await records.updateOne(asTaken(taken), { $set: { status: 'failed', reason, expiresAt } });
    },
    async ensureIndexes() {
      await records.createIndex({ status: 1, dueAt: 1 });
      await records.createIndex({ expiresAt: 1 }, { expireAfterSeconds: 60 });
    },
  };
}
