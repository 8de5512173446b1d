import { ObjectId } from 'bson';
import { findCollection } from './catalog.js';
import { type Document, withIdFirst } from './document.js';
import { type Query, runQuery, type Found } from './query.js';
import { visibleDocument, type LockOwner, type StoredRecord } from './record.js';
import type { Update } from './update.js';
import { lockInTheWay, remove, touch, tryPut, waitForEnd, type WriteScope } from './write-scope.js';

/*
 * Matching and writing happen in one synchronous step, which makes each document's change atomic. When a transaction
 * is in the way a plain write waits for its end and starts over with matching, as mongod does.
 */

export async function insertDocument(scope: WriteScope, document: Document): Promise<Document> {
  const stored = withIdFirst('_id' in document ? document : { _id: new ObjectId(), ...document });
  for (;;) {
    const owner = tryPut(scope, null, stored);
    if (!owner) return stored;
    await waitForEnd(scope, owner);
  }
}

export interface Changed {
  readonly before: Document | null;
  readonly after: Document | null;
  readonly kind: 'modified' | 'unchanged' | 'inserted' | 'removed';
}

/** Updates the first match; inserts with `upsert`; null if there is nothing to do. */
export async function updateFirst(
  scope: WriteScope,
  query: Query,
  update: Update,
  upsert: boolean,
): Promise<Changed | null> {
  for (;;) {
    const found = findFirst(scope, query);
    if (!found && !upsert) return null;
    const outcome = found ? tryUpdate(scope, found, update) : tryInsert(scope, update.seed(query.filter));
    if (!isOwner(outcome)) return outcome;
    await waitForEnd(scope, outcome);
  }
}

/** Not atomic as a whole, only for each document. */
export async function updateAll(scope: WriteScope, query: Query, update: Update, upsert: boolean): Promise<Changed[]> {
  const records = matchesOf(scope, query).map(({ record }) => record);
  if (records.length === 0) {
    const changed = upsert ? await updateFirst(scope, query, update, true) : null;
    return changed ? [changed] : [];
  }
  const changed: Changed[] = [];
  for (const record of records) {
    const result = await changeIfMatching(scope, query, record, (found) => tryUpdate(scope, found, update));
    if (result) changed.push(result);
  }
  return changed;
}

export async function removeFirst(scope: WriteScope, query: Query): Promise<Changed | null> {
  for (;;) {
    const found = findFirst(scope, query);
    if (!found) return null;
    const outcome = tryRemove(scope, found);
    if (!isOwner(outcome)) return outcome;
    await waitForEnd(scope, outcome);
  }
}

export async function removeAll(scope: WriteScope, query: Query): Promise<number> {
  let count = 0;
  for (const { record } of matchesOf(scope, query)) {
    if (await changeIfMatching(scope, query, record, (found) => tryRemove(scope, found))) count++;
  }
  return count;
}

async function changeIfMatching(
  scope: WriteScope,
  query: Query,
  record: StoredRecord,
  tryChange: (found: Found) => Changed | LockOwner,
): Promise<Changed | null> {
  for (;;) {
    const document = visibleDocument(record, scope.transaction);
    // The wait may have outlived the record, or its whole collection.
    const isThere = findCollection(scope.storage.catalog, scope.namespace)?.records.has(record) ?? false;
    if (!isThere || !document || !query.matches(document)) return null;
    const outcome = tryChange({ record, document });
    if (!isOwner(outcome)) return outcome;
    await waitForEnd(scope, outcome);
  }
}

function findFirst(scope: WriteScope, query: Query): Found | undefined {
  return matchesOf(scope, { ...query, limit: 1 })[0];
}

function matchesOf(scope: WriteScope, query: Query): Found[] {
  return runQuery(findCollection(scope.storage.catalog, scope.namespace), query, scope.transaction).found;
}

function tryUpdate(scope: WriteScope, { record, document }: Found, update: Update): Changed | LockOwner {
  const owner = lockInTheWay(scope, record);
  if (owner) return owner;
  const after = update.apply(document);
  if (after === document) {
    touch(scope, record, document);
    return { before: document, after, kind: 'unchanged' };
  }
  return tryPut(scope, record, after) ?? { before: document, after, kind: 'modified' };
}

function tryInsert(scope: WriteScope, document: Document): Changed | LockOwner {
  return tryPut(scope, null, document) ?? { before: null, after: document, kind: 'inserted' };
}

function tryRemove(scope: WriteScope, { record, document }: Found): Changed | LockOwner {
  const owner = lockInTheWay(scope, record);
  if (owner) return owner;
  remove(scope, record);
  return { before: document, after: null, kind: 'removed' };
}

function isOwner(outcome: Changed | LockOwner): outcome is LockOwner {
  return 'ended' in outcome;
}
