import { ensureIndex, findById } from './collection.js';
import { assertStorable, type Document } from './document.js';
import { parseIndexDefinition } from './index-definition.js';
import type { Operation } from './journal-frames.js';
import { openSession, type Session } from './sessions.js';
import { dropCollection, ensureCollection, newRecord, writeNow, type Storage } from './storage.js';

/** Makes the state again that the journal tells of. The storage has no journal yet, so nothing is written twice. */
export function replay(storage: Storage, sessions: Map<string, Session>, operation: Operation): void {
  if ('put' in operation) put(storage, operation.put, operation.document);
  else if ('remove' in operation) remove(storage, operation.remove, operation.id);
  else if ('create' in operation) ensureCollection(storage, operation.create);
  else if ('createIndex' in operation) {
    ensureIndex(ensureCollection(storage, operation.createIndex), parseIndexDefinition(operation.specification));
  } else if ('drop' in operation) dropCollection(storage, ensureCollection(storage, operation.drop));
  else {
    const session = openSession(sessions, operation.session);
    session.txnNumber = operation.txnNumber;
    session.reply = operation.reply;
  }
}

function put(storage: Storage, namespace: string, document: Document): void {
  // Not a doubt about what was stored: it detaches binary values from the bytes of the whole file.
  assertStorable(document);
  const collection = ensureCollection(storage, namespace);
  writeNow(storage, collection, findById(collection, document['_id']) ?? newRecord(storage), document);
}

function remove(storage: Storage, namespace: string, id: unknown): void {
  const collection = ensureCollection(storage, namespace);
  const record = findById(collection, id);
  if (record) writeNow(storage, collection, record, null);
}

/** The shortest way to the present state. What transactions hold is not part of it. */
export function snapshotOf(storage: Storage, sessions: Map<string, Session>): Operation[] {
  const operations: Operation[] = [];
  for (const { namespace, indexes, records } of storage.collections.values()) {
    operations.push({ create: namespace });
    for (const { definition } of indexes.slice(1)) {
      operations.push({ createIndex: namespace, specification: definition.specification });
    }
    for (const { document } of records) if (document) operations.push({ put: namespace, document });
  }
  for (const { id, txnNumber, reply } of sessions.values()) {
    if (reply && !(reply instanceof Promise)) operations.push({ reply, session: id, txnNumber });
  }
  return operations;
}
