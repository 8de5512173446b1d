import type { Namespace } from './catalog.js';
import { findObstacle, type Collection } from './collection.js';
import { assertStorable, type Document } from './document.js';
import { CommandError, writeConflict } from './errors.js';
import { isNewerThan, type LockOwner, type StoredRecord } from './record.js';
import { ensureCollection, holdInTransaction, newRecord, writeNow, type Storage, type Transaction } from './storage.js';

/** Under which rules a command writes: at once, or into its transaction. */
export interface WriteScope {
  readonly storage: Storage;
  readonly transaction: Transaction | null;
  readonly namespace: Namespace;
  /** Milliseconds since the epoch, Infinity for none. */
  readonly deadlineAt: number;
}

export function writtenCollection(scope: WriteScope): Collection {
  return ensureCollection(scope.storage, scope.namespace);
}

/**
 * Whether the record may be written now. Another transaction's lock, or a commit this one cannot see, is a write
 * conflict inside a transaction; a plain write gets the lock's owner to wait for, and must look again afterwards.
 */
export function lockInTheWay(scope: WriteScope, record: StoredRecord): LockOwner | null {
  const { transaction } = scope;
  const blocked = record.lock !== null && record.lock !== transaction;
  if (!transaction) return blocked ? record.lock : null;
  if (blocked || isNewerThan(record, transaction)) throw writeConflict();
  return null;
}

/** Writes unless a transaction is in the way, whose end must be waited for. Matching and this must be one synchronous step. */
export function tryPut(scope: WriteScope, record: StoredRecord | null, document: Document): LockOwner | null {
  const { storage, transaction } = scope;
  assertStorable(document);
  const collection = writtenCollection(scope);
  const obstacle = findObstacle({ collection, document, record, writer: transaction });
  if (obstacle !== null) {
    if (transaction || obstacle === 'conflict') throw writeConflict();
    return obstacle;
  }
  write(scope, collection, record ?? newRecord(storage), document);
  return null;
}

/** Takes the lock and changes nothing: inside a transaction a no-op still counts as a write. */
export function touch(scope: WriteScope, record: StoredRecord, document: Document): void {
  if (scope.transaction) holdInTransaction(scope.transaction, writtenCollection(scope), record, document);
}

export function remove(scope: WriteScope, record: StoredRecord): void {
  write(scope, writtenCollection(scope), record, null);
}

function write(scope: WriteScope, collection: Collection, record: StoredRecord, document: Document | null): void {
  if (scope.transaction) holdInTransaction(scope.transaction, collection, record, document);
  else writeNow(scope.storage, collection, record, document);
}

export async function waitForEnd(scope: WriteScope, owner: LockOwner): Promise<void> {
  if (scope.deadlineAt === Infinity) return owner.ended;
  let timer: NodeJS.Timeout | undefined;
  const timeout = new Promise<never>((_resolve, reject) => {
    const fail = () => reject(new CommandError(50, 'operation exceeded time limit'));
    timer = setTimeout(fail, Math.max(0, scope.deadlineAt - Date.now()));
  });
  try {
    await Promise.race([owner.ended, timeout]);
  } finally {
    clearTimeout(timer);
  }
}
