import type { Database } from '../platform/mongo/open-database.js';
import { sessionOf, type Tx } from '../platform/mongo/transactions.js';

/** A signing key as stored: the private half only sealed. */
export interface StoredSigningKey {
  kid: string;
  alg: string;
  sealedPrivateJwk: string;
  createdAt: Date;
}

type KeyRecord = Omit<StoredSigningKey, 'kid'> & { _id: string; initial: true };

export interface SigningKeyStore {
  /** Oldest first. */
  list(): Promise<StoredSigningKey[]>;
  /** The first key of an algorithm; a duplicate-key error when another process was first. */
  insertInitial(tx: Tx, key: StoredSigningKey): Promise<void>;
  ensureIndexes(): Promise<void>;
}

export function createSigningKeyStore(database: Database): SigningKeyStore {
  const keys = database.collection<KeyRecord>('signing_keys');
  return {
    async list() {
      const records = await keys.find({}).sort({ createdAt: 1 }).toArray();
      return records.map(({ _id, initial: _initial, ...key }) => ({ kid: _id, ...key }));
    },
    async insertInitial(tx, { kid, ...key }) {
      await keys.insertOne({ _id: kid, initial: true, ...key }, sessionOf(tx));
    },
    async ensureIndexes() {
      // of several processes at their first start one makes the first key of each algorithm
      await keys.createIndex({ alg: 1, initial: 1 }, { unique: true, partialFilterExpression: { initial: true } });
    },
  };
}
