import { randomUUID } from 'node:crypto';
import type { Database } from '../platform/mongo/open-database.js';
import { isDuplicateKey, sessionOf, type Tx } from '../platform/mongo/transactions.js';
import type { Attempts } from './sign-in-attempts.js';

interface AttemptsRecord extends Attempts {
  /** User id, or for a name that nobody has its keyed hash. */
  _id: string;
  /** New at every write, so that a write can tell whether the record is still the one that was read. */
  revision: string;
}

/** Attempts as they stood at one moment. */
export interface Seen {
  attempts: Attempts;
  revision: string;
}

export interface SignInAttemptsStore {
  find(subject: string): Promise<Seen | null>;
  /** Writes only where nobody else has written since; null removes. Gives what stands now, or `overtaken`. */
  replace(subject: string, seen: Seen | null, next: Attempts | null): Promise<Seen | null | 'overtaken'>;
  remove(tx: Tx, subject: string): Promise<void>;
  ensureIndexes(): Promise<void>;
}

export function createSignInAttemptsStore(database: Database): SignInAttemptsStore {
  const records = database.collection<AttemptsRecord>('sign_in_attempts');

  async function insert(record: AttemptsRecord): Promise<boolean> {
    try {
      await records.insertOne(record);
      return true;
    } catch (error) {
      if (isDuplicateKey(error)) return false;
      throw error;
    }
  }

  return {
    async find(subject) {
      const record = await records.findOne({ _id: subject });
      if (!record) return null;
      const { _id, revision, ...attempts } = record;
      return { attempts, revision };
    },
    async replace(subject, seen, next) {
      if (!next) {
        if (!seen) return null;
        const { deletedCount } = await records.deleteOne({ _id: subject, revision: seen.revision });
        return deletedCount === 1 ? null : 'overtaken';
      }
      const stands = { attempts: next, revision: randomUUID() };
      const record = { ...next, revision: stands.revision };
      if (!seen) return (await insert({ _id: subject, ...record })) ? stands : 'overtaken';
      const { matchedCount } = await records.replaceOne({ _id: subject, revision: seen.revision }, record);
      return matchedCount === 1 ? stands : 'overtaken';
    },
    async remove(tx, subject) {
      await records.deleteOne({ _id: subject }, sessionOf(tx));
    },
    async ensureIndexes() {
      await records.createIndex({ expiresAt: 1 }, { expireAfterSeconds: 0 });
    },
  };
}
