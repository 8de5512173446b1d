import {
  createCollection,
  replaceDocument,
  settle,
  unsettle,
  type Collection,
  type StoredRecord,
  type Transaction,
} from './collection.js';
import { waitFor } from './deadline.js';
import type { Document } from './document.js';
import { CommandError } from './errors.js';
import { createForgetfulJournal, type Journal } from './journal.js';

/** Everything the server holds, and how it changes: at once, or through a transaction. */
export interface Storage {
  /** By `database.collection`. Database names have no dot, collection names may. */
  readonly collections: Map<string, Collection>;
  readonly transactions: Set<Transaction>;
  /** Forgetful while the real one is being read. */
  journal: Journal;
  /** Counts commits: the time of versions and snapshots. */
  clock: number;
  /** Counts records: their order of insertion. */
  sequence: number;
}

export function createStorage(): Storage {
  return { collections: new Map(), transactions: new Set(), journal: createForgetfulJournal(), clock: 0, sequence: 0 };
}

export function namespaceOf(database: string, collection: unknown): string {
  const isName = typeof collection === 'string' && /^(?!system\.|\.)[^$\0]+$/.test(collection);
  if (isName) return `${database}.${collection}`;
  throw new CommandError('InvalidNamespace', `Invalid collection name: '${String(collection)}'`);
}

export function collectionsIn(storage: Storage, database: string): Collection[] {
  return [...storage.collections.values()].filter(({ namespace }) => namespace.startsWith(`${database}.`));
}

export function ensureCollection(storage: Storage, namespace: string): Collection {
  const existing = storage.collections.get(namespace);
  if (existing) return existing;
  const created = createCollection(namespace);
  storage.collections.set(namespace, created);
  storage.journal.append({ create: namespace });
  return created;
}

export function dropCollection(storage: Storage, { namespace, records }: Collection): void {
  storage.collections.delete(namespace);
  // A write that waited, or removes one document after the other, finds nothing any more.
  for (const record of records) record.document = null;
  storage.journal.append({ drop: namespace });
}

export function newRecord(storage: Storage): StoredRecord {
  return { sequence: ++storage.sequence, document: null, committedAt: 0, older: null, lock: null, pending: null };
}

/** Makes `document` (null: nothing) the state of the record, visible to everybody from now on. */
export function writeNow(storage: Storage, collection: Collection, record: StoredRecord, document: Document | null) {
  storage.clock++;
  commitRecord(storage, collection, record, document);
}

function commitRecord(storage: Storage, collection: Collection, record: StoredRecord, document: Document | null): void {
  const { document: replaced, committedAt, older } = record;
  if (document && document !== replaced) storage.journal.append({ put: collection.namespace, document });
  else if (!document && replaced) storage.journal.append({ remove: collection.namespace, id: replaced['_id'] });
  replaceDocument(collection, record, document);
  record.committedAt = storage.clock;
  record.lock = null;
  record.pending = null;
  if (storage.transactions.size === 0) return;
  record.older = { document: replaced, committedAt, older };
  unsettle(collection, record, replaced);
}

export function beginTransaction(storage: Storage): Transaction {
  let release = (): void => undefined;
  const ended = new Promise<void>((resolve) => (release = resolve));
  const transaction = { snapshotAt: storage.clock, startedAt: Date.now(), held: new Map(), ended, release };
  storage.transactions.add(transaction);
  return transaction;
}

/** Locks the record and notes what it is to become. The caller has made sure that it may. */
export function holdRecord(
  transaction: Transaction,
  collection: Collection,
  record: StoredRecord,
  document: Document | null,
): void {
  transaction.held.set(record, collection);
  unsettle(collection, record, document);
  record.lock = transaction;
  record.pending = document;
}

export function commitTransaction(storage: Storage, transaction: Transaction): void {
  storage.transactions.delete(transaction);
  storage.clock++;
  // A write that changes nothing moves the time on, too: who saw the record before must not write it any more.
  for (const [record, collection] of transaction.held) commitRecord(storage, collection, record, record.pending);
  forgetVersions(storage);
  transaction.release();
}

export function abortTransaction(storage: Storage, transaction: Transaction): void {
  storage.transactions.delete(transaction);
  for (const record of transaction.held.keys()) {
    record.lock = null;
    record.pending = null;
  }
  forgetVersions(storage);
  transaction.release();
}

/** Forgets the versions nobody can see any more: all behind the newest one that the oldest snapshot sees. */
function forgetVersions({ collections, transactions }: Storage): void {
  let oldest = Infinity;
  for (const { snapshotAt } of transactions) oldest = Math.min(oldest, snapshotAt);
  for (const collection of collections.values()) {
    for (const record of collection.unsettled.keys()) {
      let version: { older: StoredRecord['older']; committedAt: number } = record;
      while (version.older && version.committedAt > oldest) version = version.older;
      version.older = null;
      if (record.older === null && record.lock === null) settle(collection, record);
    }
  }
}

/** Waits until no transaction has written to the collection: what drops it or adds an index needs it for itself. */
export async function withoutWriters(storage: Storage, collection: Collection, deadlineAt: number): Promise<void> {
  for (;;) {
    const writer = [...storage.transactions].find(({ held }) => [...held.values()].includes(collection));
    if (!writer) return;
    await waitFor(writer.ended, deadlineAt);
  }
}
