import { ObjectId } from 'bson';
import { findObstacle, isNewerThan, visibleDocument, type StoredRecord, type Transaction } from './collection.js';
import { waitFor } from './deadline.js';
import { assertStorable, withIdFirst, type Document } from './document.js';
import { CommandError } from './errors.js';
import { runQuery, type Query } from './query.js';
import { ensureCollection, holdRecord, newRecord, writeNow, type Storage } from './storage.js';

/** Under which rules a command writes: at once, or into its transaction. */
export interface WriteScope {
  readonly storage: Storage;
  readonly transaction: Transaction | null;
  readonly namespace: string;
  /** Milliseconds since the epoch, Infinity for none. */
  readonly deadlineAt: number;
}

/** `before` is null for an upsert that inserted, `after` is null for a removal; the same object where nothing changed. */
export interface Changed {
  readonly before: Document | null;
  readonly after: Document | null;
}

/** What a matching document is to become; null removes it, the same object leaves it. */
export type ChangeDocument = (document: Document) => Document | null;

/** Another transaction is in the way of a plain write, which has to wait for its end. */
class Blocked extends Error {
  readonly owner: Transaction;

  constructor(owner: Transaction) {
    super('blocked by a transaction');
    this.owner = owner;
  }
}

export async function insertDocument(scope: WriteScope, document: Document): Promise<void> {
  const stored = withIdFirst('_id' in document ? document : { _id: new ObjectId(), ...document });
  await whenFree(scope, () => write(scope, null, stored));
}

/** Changes the first match; without one inserts what `seed` gives, if there is a seed; null if nothing was to do. */
export function changeFirst(
  scope: WriteScope,
  query: Query,
  change: ChangeDocument,
  seed: (() => Document) | null = null,
): Promise<Changed | null> {
  return whenFree(scope, () => {
    const [found] = findMatches(scope, { ...query, limit: 1 });
    if (found) return changeRecord(scope, found.record, found.document, change);
    if (!seed) return null;
    const inserted = seed();
    write(scope, null, inserted);
    return { before: null, after: inserted };
  });
}

/** Not atomic as a whole, only for each document. */
export async function changeAll(scope: WriteScope, query: Query, change: ChangeDocument): Promise<Changed[]> {
  const changes: Changed[] = [];
  for (const { record } of findMatches(scope, query)) {
    const changed = await whenFree(scope, () => {
      const document = visibleDocument(record, scope.transaction);
      return document && query.matches(document) ? changeRecord(scope, record, document, change) : null;
    });
    if (changed) changes.push(changed);
  }
  return changes;
}

/**
 * Runs one attempt to match and write, synchronously, which makes each document's change atomic. A plain write that
 * meets another transaction waits for its end and starts over with matching, as in mongod.
 */
async function whenFree<Result>(scope: WriteScope, attempt: () => Result): Promise<Result> {
  for (;;) {
    try {
      return attempt();
    } catch (error) {
      if (!(error instanceof Blocked)) throw error;
      await waitFor(error.owner.ended, scope.deadlineAt);
    }
  }
}

function findMatches({ storage, namespace, transaction }: WriteScope, query: Query) {
  return runQuery(storage.collections.get(namespace), query, transaction);
}

function changeRecord(scope: WriteScope, record: StoredRecord, before: Document, change: ChangeDocument): Changed {
  const { transaction } = scope;
  if (record.lock !== null && record.lock !== transaction) throw obstructed(scope, record.lock);
  if (transaction && isNewerThan(record, transaction)) throw writeConflict();
  const after = change(before);
  // Inside a transaction a change that changes nothing takes the lock all the same.
  if (after !== before || transaction) write(scope, record, after);
  return { before, after };
}

function write(scope: WriteScope, record: StoredRecord | null, document: Document | null): void {
  const { storage, transaction, namespace } = scope;
  if (document) assertStorable(document);
  const collection = ensureCollection(storage, namespace);
  const obstacle = document && findObstacle({ collection, record, document, writer: transaction });
  if (obstacle) throw obstacle === 'unseen' ? writeConflict() : obstructed(scope, obstacle);
  const target = record ?? newRecord(storage);
  if (transaction) holdRecord(transaction, collection, target, document);
  else writeNow(storage, collection, target, document);
}

/** First writer wins: a transaction that meets another gives up, a plain write waits. */
function obstructed({ transaction }: WriteScope, owner: Transaction): Error {
  return transaction ? writeConflict() : new Blocked(owner);
}

function writeConflict(): CommandError {
  return new CommandError('WriteConflict', 'Caused by :: Write conflict. Please retry your operation or transaction.');
}
