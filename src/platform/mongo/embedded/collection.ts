import type { Document } from './document.js';
import { CommandError } from './errors.js';
import { idIndexDefinition, isSameIndex, isUntouched, keyValueOf, type IndexDefinition } from './index-definition.js';
import { addEntry, createOrderedIndex, itemsBetween, removeEntry, type OrderedIndex } from './ordered-index.js';
import { encodeValue } from './value-order.js';

/** A committed state of a record; `document` is null where it does not exist (yet, or any more). */
export interface Version {
  document: Document | null;
  committedAt: number;
  /** Kept only as long as a transaction may read it. */
  older: Version | null;
}

/**
 * One document through time. Documents are never changed in place, so a reader may keep what it got. `pending` means
 * something only while `lock` is set: it is what the record becomes if that transaction commits.
 */
export interface StoredRecord extends Version {
  readonly sequence: number;
  lock: Transaction | null;
  pending: Document | null;
}

export interface Transaction {
  /** Sees what was committed up to here, and nothing later. */
  readonly snapshotAt: number;
  readonly startedAt: number;
  /** The records it has locked. */
  readonly held: Map<StoredRecord, Collection>;
  readonly ended: Promise<void>;
  /** Lets those go on who wait for its end. */
  release(): void;
}

export interface Index {
  readonly definition: IndexDefinition;
  /** What is committed. */
  readonly entries: OrderedIndex<StoredRecord>;
  /** Where else unsettled records stand: by what they are to become, and by what some transaction still sees. */
  readonly claims: OrderedIndex<StoredRecord>;
  /** Once some document had several keys here, one document may stand at several places. */
  isMultikey: boolean;
}

interface Claim {
  readonly index: Index;
  readonly key: string;
}

export interface Collection {
  /** `database.collection` */
  readonly namespace: string;
  /** All committed documents, in the order of insertion; the entries of the indexes are exactly theirs. */
  readonly records: Set<StoredRecord>;
  /** The first is that of `_id`. */
  readonly indexes: Index[];
  /** Those that look different to some transaction: locked, or with older versions; and their claims. */
  readonly unsettled: Map<StoredRecord, Claim[]>;
}

export function createCollection(namespace: string): Collection {
  const idIndex = createIndex(idIndexDefinition());
  return { namespace, records: new Set(), indexes: [idIndex], unsettled: new Map() };
}

function createIndex(definition: IndexDefinition): Index {
  const [entries, claims] = [createOrderedIndex<StoredRecord>(), createOrderedIndex<StoredRecord>()];
  return { definition, entries, claims, isMultikey: false };
}

/** What `reader` (a transaction, or null for everyone else) sees. */
export function visibleDocument(record: StoredRecord, reader: Transaction | null): Document | null {
  if (reader === null) return record.document;
  if (record.lock === reader) return record.pending;
  for (let version: Version | null = record; version; version = version.older) {
    if (version.committedAt <= reader.snapshotAt) return version.document;
  }
  return null;
}

/** Changes the committed document of a record, here and in the indexes. */
export function replaceDocument(collection: Collection, record: StoredRecord, document: Document | null): void {
  const before = record.document;
  for (const index of collection.indexes) {
    if (before && document && isUntouched(index.definition, before, document)) continue;
    const oldKeys = before ? index.definition.keysOf(before) : [];
    const newKeys = document ? index.definition.keysOf(document) : [];
    if (newKeys.length > 1) index.isMultikey = true;
    for (const key of oldKeys) if (!newKeys.includes(key)) removeEntry(index.entries, key, record);
    for (const key of newKeys) if (!oldKeys.includes(key)) addEntry(index.entries, key, record);
  }
  record.document = document;
  if (document) collection.records.add(record);
  else collection.records.delete(record);
}

/** Notes that the record also stands for `document`, besides the committed one, which the indexes show. */
export function unsettle(collection: Collection, record: StoredRecord, document: Document | null): void {
  const claims = collection.unsettled.get(record) ?? [];
  collection.unsettled.set(record, claims);
  if (!document) return;
  for (const index of collection.indexes) {
    if (record.document && isUntouched(index.definition, record.document, document)) continue;
    const keys = index.definition.keysOf(document);
    if (keys.length > 1) index.isMultikey = true;
    for (const key of keys) {
      addEntry(index.claims, key, record);
      claims.push({ index, key });
    }
  }
}

/** Everybody sees what is committed again. */
export function settle({ unsettled }: Collection, record: StoredRecord): void {
  for (const { index, key } of unsettled.get(record) ?? []) removeEntry(index.claims, key, record);
  unsettled.delete(record);
}

function recordsAt(entries: OrderedIndex<StoredRecord>, key: string): Iterable<StoredRecord> {
  return itemsBetween(entries, [key, key + '\x00']);
}

export function findById(collection: Collection, id: unknown): StoredRecord | null {
  for (const record of recordsAt(collection.indexes[0]!.entries, encodeValue(id))) return record;
  return null;
}

/** True if it was built, false if it is there already; a duplicate stops it before anything is changed. */
export function ensureIndex(collection: Collection, definition: IndexDefinition): boolean {
  if (collection.indexes.some((index) => isSameIndex(index.definition, definition))) return false;
  const index = createIndex(definition);
  for (const record of collection.records) {
    const keys = definition.keysOf(record.document!);
    if (keys.length > 1) index.isMultikey = true;
    for (const key of keys) {
      const [taken] = recordsAt(index.entries, key);
      if (definition.unique && taken) throw duplicateKey(collection, definition, record.document!, key);
      addEntry(index.entries, key, record);
    }
  }
  collection.indexes.push(index);
  // No transaction has written here, but one may still see older versions.
  for (const record of collection.unsettled.keys()) {
    for (let version = record.older; version; version = version.older) unsettle(collection, record, version.document);
  }
  return true;
}

export interface Intent {
  readonly collection: Collection;
  /** The record that is to become `document`, null for a new one. */
  readonly record: StoredRecord | null;
  readonly document: Document;
  readonly writer: Transaction | null;
}

/**
 * Checks the unique indexes. Throws on a duplicate; gives the transaction whose end decides whether there will be one;
 * 'unseen' if a commit the writer cannot see decided it already; null if the way is free.
 */
export function findObstacle(intent: Intent): Transaction | 'unseen' | null {
  const { collection, record, document, writer } = intent;
  const before = record && visibleDocument(record, writer);
  for (const index of collection.indexes) {
    // The keys it has are its own already.
    if (before && isUntouched(index.definition, before, document)) continue;
    // Also for other indexes: keys that cannot be made (parallel arrays) must fail before anything is changed.
    const keys = index.definition.keysOf(document);
    if (!index.definition.unique) continue;
    for (const key of keys) {
      for (const other of [...recordsAt(index.entries, key), ...recordsAt(index.claims, key)]) {
        const obstacle = other === record ? null : obstacleIn(other, intent, index.definition, key);
        if (obstacle) return obstacle;
      }
    }
  }
  return null;
}

function obstacleIn(other: StoredRecord, intent: Intent, definition: IndexDefinition, key: string) {
  const { collection, document, writer } = intent;
  const hasKey = (candidate: Document | null) => candidate !== null && definition.keysOf(candidate).includes(key);
  if (other.lock && other.lock !== writer) return hasKey(other.document) || hasKey(other.pending) ? other.lock : null;
  const current = other.lock ? other.pending : other.document;
  const isUnseen = writer !== null && isNewerThan(other, writer);
  if (isUnseen && (hasKey(current) || hasKey(visibleDocument(other, writer)))) return 'unseen' as const;
  if (hasKey(current)) throw duplicateKey(collection, definition, document, key);
  return null;
}

/** Changed after the transaction's snapshot was taken: it may not write here any more. */
export function isNewerThan(record: StoredRecord, reader: Transaction): boolean {
  return record.lock !== reader && record.committedAt > reader.snapshotAt;
}

function duplicateKey({ namespace }: Collection, definition: IndexDefinition, document: Document, key: string) {
  const keyValue = keyValueOf(definition, document, key);
  const shown = Object.entries(keyValue).map(([name, value]) => `${name}: ${JSON.stringify(value)}`);
  return new CommandError(
    'DuplicateKey',
    `E11000 duplicate key error collection: ${namespace} index: ${definition.name} dup key: { ${shown.join(', ')} }`,
    { keyPattern: definition.specification['key'], keyValue },
  );
}
