import type { KeyedHash } from '../crypto/keyed-hash.js';
import type { Sealing } from '../crypto/sealing.js';
import { secondsAfter, type Clock } from '../../kernel/time.js';
import type { Database } from './open-database.js';
import { isDuplicateKey } from './transactions.js';

/**
 * Values that count once, shared by all processes. Of a value only its keyed hash is stored, so what is stored cannot
 * be used; each decision is one write, so of any number of parallel uses one wins.
 */
export interface OneTimeRecords {
  /** Marks a value that comes from outside as seen. False: it was seen before. */
  claim(value: string, ttlSeconds: number): Promise<boolean>;
  /**
   * Keeps text (sealed) under a value of ours with at least 128 random bits, until it is taken by whoever has that value
   * and the same binding: the browser it was given to, and what it was given for.
   */
  put(value: string, record: { binding: readonly string[]; text: string; ttlSeconds: number }): Promise<void>;
  /** The text, once. Null when it was taken, has expired, or is bound to somebody else, who may still take it. */
  take(value: string, binding: readonly string[]): Promise<string | null>;
}

export interface OneTimeRecordDeps {
  database: Database;
  hash: KeyedHash;
  sealing: Sealing;
  now: Clock;
}

interface OneTimeRecord {
  _id: string;
  expiresAt: Date;
  binding?: string;
  sealed?: string;
}

export function oneTimeRecords(collectionName: string, deps: OneTimeRecordDeps): OneTimeRecords {
  const { hash, sealing, now } = deps;
  const records = deps.database.collection<OneTimeRecord>(collectionName);
  const idOf = (value: string): string => hash(collectionName, value);
  const bindingOf = (id: string, binding: readonly string[]): string =>
    hash(collectionName, id, JSON.stringify(binding));
  const contextOf = (id: string): string => `${collectionName}:${id}`;

  return {
    async claim(value, ttlSeconds) {
      try {
        await records.insertOne({ _id: idOf(value), expiresAt: secondsAfter(now(), ttlSeconds) });
        return true;
      } catch (error) {
        if (isDuplicateKey(error)) return false;
        throw error;
      }
    },
    async put(value, { binding, text, ttlSeconds }) {
      const _id = idOf(value);
      const sealed = await sealing.seal(text, contextOf(_id));
      const expiresAt = secondsAfter(now(), ttlSeconds);
      await records.insertOne({ _id, expiresAt, binding: bindingOf(_id, binding), sealed });
    },
    async take(value, binding) {
      const _id = idOf(value);
      const taken = await records.findOneAndDelete({
        _id,
        binding: bindingOf(_id, binding),
        expiresAt: { $gt: now() }, // the TTL monitor runs when it likes
      });
      return taken?.sealed === undefined ? null : sealing.open(taken.sealed, contextOf(_id));
    },
  };
}

export async function ensureOneTimeIndexes(database: Database, collectionName: string): Promise<void> {
  await database.collection(collectionName).createIndex({ expiresAt: 1 }, { expireAfterSeconds: 60 });
}
