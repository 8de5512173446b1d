import type { Database } from '../platform/mongo/open-database.js';
import { sessionOf, type Tx } from '../platform/mongo/transactions.js';

interface PasswordRecord {
  /** User id. */
  _id: string;
  hash: string;
  setAt: Date;
  /** It opens nothing until there is another one. */
  mustReset?: true;
  /** Of one that another system made: by which hash (as keyed hash) it came, also after it was made stronger. */
  imported?: string;
  /** Hashes of those before, the last one first, where a tenant asks that they are not taken again. */
  former?: string[];
  /** When it is time to ask again whether one does. */
  historyCheckAt?: Date;
}

/** How many former passwords are kept, and until when that is not asked again. */
export interface History {
  size: number;
  checkAt: Date;
}

/** A hash as it is stored, and how it came where another system made it. */
export interface PasswordToStore {
  hash: string;
  imported: string | null;
  history: History;
}

export interface PasswordStore {
  /** Within a transaction: as it is there. */
  find(userId: string, tx?: Tx): Promise<string | null>;
  /** The present one, whether it opens anything or not, and those before. */
  findWithFormer(userId: string): Promise<string[]>;
  /** The one there was becomes the last of the former ones, if any are kept. */
  set(tx: Tx, userId: string, password: PasswordToStore, setAt: Date): Promise<void>;
  /** By which hash of another system the present password came. */
  findImported(userId: string): Promise<string | null>;
  requireReset(tx: Tx, userId: string): Promise<void>;
  remove(tx: Tx, userId: string): Promise<void>;
  /** Ids of people of whom former passwords are kept, and it is time to ask whether they still are. */
  listHistoriesToCheck(now: Date, limit: number): Promise<string[]>;
  /** Whether anything was deleted. */
  shortenHistory(userId: string, history: History): Promise<boolean>;
  ensureIndexes(): Promise<void>;
  /** Replaces a hash by a stronger one of the same password; does nothing if the password was changed meanwhile. */
  strengthen(userId: string, current: string, stronger: string): Promise<void>;
}

export function createPasswordStore(database: Database): PasswordStore {
  const passwords = database.collection<PasswordRecord>('passwords');
  return {
    async find(userId, tx) {
      const found = await passwords.findOne({ _id: userId }, tx ? sessionOf(tx) : {});
      return found && !found.mustReset ? found.hash : null;
    },
    async findWithFormer(userId) {
      const found = await passwords.findOne({ _id: userId });
      return found ? [found.hash, ...(found.former ?? [])] : [];
    },
    async set(tx, userId, { hash, imported, history }, setAt) {
      const before = history.size > 0 ? await passwords.findOne({ _id: userId }, sessionOf(tx)) : null;
      const record: Omit<PasswordRecord, '_id'> = {
        ...{ hash, setAt },
        ...(imported === null ? {} : { imported }),
        ...keptOf(before ? [before.hash, ...(before.former ?? [])] : [], history),
      };
      await passwords.replaceOne({ _id: userId }, record, { upsert: true, ...sessionOf(tx) });
    },
    async listHistoriesToCheck(now, limit) {
      const due = passwords.find({ historyCheckAt: { $lte: now } }, { limit, projection: { _id: 1 } });
      return (await due.toArray()).map(({ _id }) => _id);
    },
    async shortenHistory(userId, history) {
      const found = await passwords.findOne({ _id: userId });
      if (!found?.former) return false;
      const { former, ...checked } = keptOf(found.former, history);
      const changes = former
        ? { $set: { former, ...checked } }
        : { $unset: { former: 1 as const, historyCheckAt: 1 as const } };
      // a password that was set meanwhile has asked for itself
      const { matchedCount } = await passwords.updateOne({ _id: userId, setAt: found.setAt }, changes);
      return matchedCount === 1 && (former?.length ?? 0) < found.former.length;
    },
    async ensureIndexes() {
      await passwords.createIndex({ historyCheckAt: 1 }, { sparse: true });
    },
    async findImported(userId) {
      return (await passwords.findOne({ _id: userId }))?.imported ?? null;
    },
    async requireReset(tx, userId) {
      await passwords.updateOne({ _id: userId }, { $set: { mustReset: true } }, sessionOf(tx));
    },
    async remove(tx, userId) {
      await passwords.deleteOne({ _id: userId }, sessionOf(tx));
    },
    async strengthen(userId, current, stronger) {
      await passwords.updateOne({ _id: userId, hash: current }, { $set: { hash: stronger } });
    },
  };
}

function keptOf(former: readonly string[], { size, checkAt }: History): { former?: string[]; historyCheckAt?: Date } {
  const kept = former.slice(0, size);
  return kept.length === 0 ? {} : { former: kept, historyCheckAt: checkAt };
}
