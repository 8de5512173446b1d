import type { Document } from './document.js';
import { CommandError } from './errors.js';
import { ID_INDEX_SPECIFICATION, type IndexDefinition, keyValueOf, parseIndexDefinition } from './index-definition.js';
import { createOrderedIndex, type OrderedIndex } from './ordered-index.js';
import { documentsOf, isNewerThan, visibleDocument, type LockOwner, type StoredRecord } from './record.js';
import { encodeValue } from './value-order.js';

/**
 * Entries cover every document somebody may see: committed, kept for a snapshot, or pending. A lookup therefore finds
 * too much at times, never too little, and re-checks what its reader sees.
 */
export interface Index {
  readonly definition: IndexDefinition;
  readonly entries: OrderedIndex<StoredRecord>;
  /** Once some document had several keys here, one document may stand at several places. */
  isMultikey: boolean;
}

export interface Collection {
  readonly namespace: string;
  /** In the order of insertion. */
  readonly records: Set<StoredRecord>;
  /** The first is that of `_id`. */
  readonly indexes: Index[];
}

export function createCollection(namespace: string): Collection {
  return { namespace, records: new Set(), indexes: [createIndex(parseIndexDefinition(ID_INDEX_SPECIFICATION))] };
}

function createIndex(definition: IndexDefinition): Index {
  return { definition, entries: createOrderedIndex<StoredRecord>(), isMultikey: false };
}

/** Changes a record and moves its index entries along. The only way a record may be changed. */
export function revise(collection: Collection, record: StoredRecord, change: () => void): void {
  const before = documentsOf(record);
  change();
  const after = documentsOf(record);
  for (const index of collection.indexes) moveEntries(index, record, before, after);
  if (after.length === 0 && record.lock === null) collection.records.delete(record);
  else collection.records.add(record);
}

function moveEntries(index: Index, record: StoredRecord, before: Document[], after: Document[]): void {
  const oldKeys = allKeys(index, before);
  const newKeys = allKeys(index, after);
  for (const key of oldKeys) if (!newKeys.includes(key)) index.entries.remove(key, record);
  for (const key of newKeys) if (!oldKeys.includes(key)) index.entries.add(key, record);
}

function allKeys(index: Index, documents: Document[]): string[] {
  const keys: string[] = [];
  for (const document of documents) {
    const own = index.definition.keysOf(document);
    if (own.length > 1) index.isMultikey = true;
    keys.push(...own);
  }
  return keys;
}

export function findById(collection: Collection, id: unknown): StoredRecord | null {
  const key = encodeValue(id);
  for (const [, record] of collection.indexes[0]!.entries.range(key, key + '\x00')) return record;
  return null;
}

/** Builds an index over what is there; a duplicate stops it before anything is changed. */
export function addIndex(collection: Collection, definition: IndexDefinition): void {
  const index = createIndex(definition);
  for (const record of collection.records) {
    if (definition.unique && record.document) refuseTaken(collection, index, record.document);
    moveEntries(index, record, [], documentsOf(record));
  }
  collection.indexes.push(index);
}

function refuseTaken(collection: Collection, index: Index, document: Document): void {
  for (const key of index.definition.keysOf(document)) {
    for (const [, other] of index.entries.range(key, key + '\x00')) {
      if (other.document && index.definition.keysOf(other.document).includes(key)) {
        throw duplicateKey(collection, index.definition, document);
      }
    }
  }
}

export interface Intent {
  collection: Collection;
  document: Document;
  /** The record that is to become `document`, null for a new one. */
  record: StoredRecord | null;
  writer: LockOwner | null;
}

/**
 * Checks the unique indexes. Throws on a duplicate; gives the transaction whose end decides whether there will be one;
 * 'conflict' if a commit the writer cannot see decided it already; null if the way is free.
 */
export function findObstacle(intent: Intent): LockOwner | 'conflict' | null {
  for (const index of intent.collection.indexes) {
    // Also for other indexes: keys that cannot be made (parallel arrays) must fail before anything is changed.
    const keys = index.definition.keysOf(intent.document);
    if (!index.definition.unique) continue;
    for (const key of keys) {
      for (const [, other] of index.entries.range(key, key + '\x00')) {
        if (other === intent.record) continue;
        const obstacle = judge(intent, index.definition, key, other);
        if (obstacle) return obstacle;
      }
    }
  }
  return null;
}

function judge(
  intent: Intent,
  definition: IndexDefinition,
  key: string,
  other: StoredRecord,
): LockOwner | 'conflict' | null {
  const { writer, collection, document } = intent;
  const holds = (candidate: Document | null) => candidate !== null && definition.keysOf(candidate).includes(key);
  if (other.lock && other.lock !== writer) return holds(other.document) || holds(other.pending) ? other.lock : null;
  const current = other.lock ? other.pending : other.document;
  if (writer && isNewerThan(other, writer) && (holds(current) || holds(visibleDocument(other, writer))))
    return 'conflict';
  if (holds(current)) throw duplicateKey(collection, definition, document);
  return null;
}

function duplicateKey(collection: Collection, definition: IndexDefinition, document: Document): CommandError {
  const keyValue = keyValueOf(definition, document);
  const shown = Object.entries(keyValue).map(([name, value]) => `${name}: ${JSON.stringify(value)}`);
  return new CommandError(
    11000,
    `E11000 duplicate key error collection: ${collection.namespace} index: ${definition.name} dup key: { ${shown.join(', ')} }`,
    { keyPattern: definition.specification['key'], keyValue },
  );
}
