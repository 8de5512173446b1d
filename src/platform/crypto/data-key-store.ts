import type { Database } from '../mongo/open-database.js';

/** A data key as it is stored: sealed under a master key. */
export interface StoredDataKey {
  name: string;
  sealed: string;
}

export interface DataKeyStore {
  find(name: string): Promise<StoredDataKey | null>;
  /** Keeps the first one: of several processes at their first start one wins, and all read what it wrote. */
  insertIfAbsent(key: StoredDataKey): Promise<void>;
  replaceSealed(name: string, sealed: string): Promise<void>;
}

export function createDataKeyStore(database: Database): DataKeyStore {
  const keys = database.collection<{ _id: string; sealed: string }>('data_keys');
  return {
    async find(name) {
      const found = await keys.findOne({ _id: name });
      return found && { name: found._id, sealed: found.sealed };
    },
    async insertIfAbsent({ name, sealed }) {
      await keys.updateOne({ _id: name }, { $setOnInsert: { sealed } }, { upsert: true });
    },
    async replaceSealed(name, sealed) {
      await keys.updateOne({ _id: name }, { $set: { sealed } });
    },
  };
}
