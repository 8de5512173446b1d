import { findCollection, parseNamespace, putCollection, type Catalog, type Namespace } from './catalog.js';
import { revise, type Collection } from './collection.js';
import type { Document } from './document.js';
import type { Journal } from './journal-operation.js';
import type { LockOwner, StoredRecord, Version } from './record.js';

/** Everything the server holds. */
export interface Storage {
  readonly catalog: Catalog;
  readonly journal: Journal;
  readonly transactions: Set<Transaction>;
  /** Records that keep old versions for somebody's snapshot. */
  readonly outdated: Map<StoredRecord, Collection>;
  /** Counts commits: the time of versions and snapshots. */
  clock: number;
  /** Counts records: their order of insertion. */
  sequence: number;
}

export interface Transaction extends LockOwner {
  readonly held: Map<StoredRecord, Collection>;
  readonly startedAt: number;
  /** Lets those go on who wait for its locks. */
  release(): void;
}

export function createStorage(catalog: Catalog, journal: Journal): Storage {
  return { catalog, journal, transactions: new Set(), outdated: new Map(), clock: 0, sequence: 0 };
}

export function ensureCollection(storage: Storage, namespace: Namespace): Collection {
  const existing = findCollection(storage.catalog, namespace);
  if (existing) return existing;
  const { database, collection } = parseNamespace(namespace.database, namespace.collection);
  storage.journal.append({ create: `${database}.${collection}` });
  return putCollection(storage.catalog, namespace);
}

export function newRecord(storage: Storage): StoredRecord {
  return { sequence: ++storage.sequence, document: null, committedAt: 0, older: null, lock: null, pending: null };
}

/** Makes `document` (null: nothing) the state of the record, visible to everybody from now on. */
export function commitNow(
  storage: Storage,
  collection: Collection,
  record: StoredRecord,
  document: Document | null,
): void {
  commitAt(storage, collection, record, { document, committedAt: ++storage.clock });
}

function commitAt(storage: Storage, collection: Collection, record: StoredRecord, next: Omit<Version, 'older'>): void {
  const isRead = storage.transactions.size > 0;
  revise(collection, record, () => {
    const replaced: Version = { document: record.document, committedAt: record.committedAt, older: record.older };
    Object.assign(record, next, { older: isRead ? replaced : null, lock: null, pending: null });
  });
  if (isRead) {
    storage.outdated.set(record, collection);
    // A tombstone stays reachable for those who may still see the document.
    collection.records.add(record);
  }
}

function journalChange(
  storage: Storage,
  collection: Collection,
  before: Document | null,
  after: Document | null,
): void {
  if (after) storage.journal.append({ put: collection.namespace, document: after });
  else if (before) storage.journal.append({ remove: collection.namespace, id: before['_id'] });
}

export function writeNow(
  storage: Storage,
  collection: Collection,
  record: StoredRecord,
  document: Document | null,
): void {
  journalChange(storage, collection, record.document, document);
  commitNow(storage, collection, record, document);
}

export function beginTransaction(storage: Storage): Transaction {
  let release = (): void => undefined;
  const ended = new Promise<void>((resolve) => (release = resolve));
  const transaction: Transaction = {
    snapshotAt: storage.clock,
    startedAt: Date.now(),
    held: new Map(),
    ended,
    release,
  };
  storage.transactions.add(transaction);
  return transaction;
}

/** Locks the record and notes what it is to become. The caller has made sure that it may. */
export function holdInTransaction(
  transaction: Transaction,
  collection: Collection,
  record: StoredRecord,
  document: Document | null,
): void {
  transaction.held.set(record, collection);
  revise(collection, record, () => {
    record.lock = transaction;
    record.pending = document;
  });
}

export function commitTransaction(storage: Storage, transaction: Transaction): void {
  const committedAt = ++storage.clock;
  for (const [record, collection] of transaction.held) {
    const { document, pending } = record;
    // A no-op write moves the time on, too: who saw the record before must not write it any more.
    if (pending !== document) journalChange(storage, collection, document, pending);
    commitAt(storage, collection, record, { document: pending, committedAt });
  }
  finish(storage, transaction);
}

export function abortTransaction(storage: Storage, transaction: Transaction): void {
  for (const [record, collection] of transaction.held) {
    revise(collection, record, () => {
      record.lock = null;
      record.pending = null;
    });
  }
  finish(storage, transaction);
}

function finish(storage: Storage, transaction: Transaction): void {
  storage.transactions.delete(transaction);
  let oldest = Infinity;
  for (const { snapshotAt } of storage.transactions) oldest = Math.min(oldest, snapshotAt);
  for (const [record, collection] of storage.outdated) {
    revise(collection, record, () => forgetBefore(record, oldest));
    if (record.older === null) storage.outdated.delete(record);
  }
  transaction.release();
}

/** Cuts the versions nobody can see any more: all behind the newest one that the oldest snapshot sees. */
function forgetBefore(record: StoredRecord, oldestSnapshot: number): void {
  let version: Version = record;
  while (version.older && version.committedAt > oldestSnapshot) version = version.older;
  version.older = null;
}

/** Waits until no transaction has written to the collection: what drops or rebuilds it needs it for itself. */
export async function withoutWriters(storage: Storage, isMeant: (collection: Collection) => boolean): Promise<void> {
  for (;;) {
    const writer = [...storage.transactions].find(({ held }) => [...held.values()].some(isMeant));
    if (!writer) return;
    await writer.ended;
  }
}
