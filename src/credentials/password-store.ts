import type { Database } from '../platform/mongo/open-database.js';
import { sessionOf, type Tx } from '../platform/mongo/transactions.js';

interface PasswordRecord {
  /** User id. */
  _id: string;
  hash: string;
  setAt: Date;
}

export interface PasswordStore {
  find(userId: string): Promise<string | null>;
  set(tx: Tx, userId: string, hash: string, setAt: Date): Promise<void>;
  /** Replaces a hash by a stronger one of the same password; does nothing if the password was changed meanwhile. */
  strengthen(userId: string, current: string, stronger: string): Promise<void>;
}

export function createPasswordStore(database: Database): PasswordStore {
  const passwords = database.collection<PasswordRecord>('passwords');
  return {
    async find(userId) {
      return (await passwords.findOne({ _id: userId }))?.hash ?? null;
    },
    async set(tx, userId, hash, setAt) {
      await passwords.updateOne({ _id: userId }, { $set: { hash, setAt } }, { upsert: true, ...sessionOf(tx) });
    },
    async strengthen(userId, current, stronger) {
      await passwords.updateOne({ _id: userId, hash: current }, { $set: { hash: stronger } });
    },
  };
}
