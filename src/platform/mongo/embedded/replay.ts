import { ensureIndex, findCollection, putCollection, removeCollection, splitNamespace } from './catalog.js';
import { findById, type Collection } from './collection.js';
import { assertStorable, type Document } from './document.js';
import { parseIndexDefinition } from './index-definition.js';
import type { Operation } from './journal-operation.js';
import { openSession, type Session } from './sessions.js';
import { commitNow, newRecord, type Storage } from './storage.js';

/** Makes the state again that the journal tells of. */
export function replay(storage: Storage, sessions: Map<string, Session>, operation: Operation): void {
  if ('put' in operation) put(storage, collectionOf(storage, operation.put), operation.document);
  else if ('remove' in operation) {
    const collection = collectionOf(storage, operation.remove);
    const record = findById(collection, operation.id);
    if (record) commitNow(storage, collection, record, null);
  } else if ('create' in operation) collectionOf(storage, operation.create);
  else if ('createIndex' in operation) {
    ensureIndex(collectionOf(storage, operation.createIndex), parseIndexDefinition(operation.specification));
  } else if ('dropIndex' in operation) {
    const { indexes } = collectionOf(storage, operation.dropIndex);
    const at = indexes.findIndex(({ definition }) => definition.name === operation.name);
    if (at > 0) indexes.splice(at, 1);
  } else if ('drop' in operation) removeCollection(storage.catalog, splitNamespace(operation.drop));
  else if ('dropDatabase' in operation) storage.catalog.delete(operation.dropDatabase);
  else {
    const session = openSession(sessions, operation.session);
    session.txnNumber = operation.txnNumber;
    session.reply = operation.reply;
  }
}

/** The shortest way to the present state. What transactions hold is not part of it. */
export function snapshotOf(storage: Storage, sessions: Map<string, Session>): Operation[] {
  const operations: Operation[] = [];
  for (const collections of storage.catalog.values()) {
    for (const { namespace, indexes, records } of collections.values()) {
      operations.push({ create: namespace });
      for (const { definition } of indexes.slice(1)) {
        operations.push({ createIndex: namespace, specification: definition.specification });
      }
      for (const { document } of records) if (document) operations.push({ put: namespace, document });
    }
  }
  for (const { id, txnNumber, reply } of sessions.values()) {
    if (reply && !(reply instanceof Promise)) operations.push({ reply, session: id, txnNumber });
  }
  return operations;
}

function collectionOf(storage: Storage, namespace: string): Collection {
  const split = splitNamespace(namespace);
  return findCollection(storage.catalog, split) ?? putCollection(storage.catalog, split);
}

function put(storage: Storage, collection: Collection, document: Document): void {
  // Not a doubt about what was stored: it detaches binary values from the bytes of the whole file.
  assertStorable(document);
  commitNow(storage, collection, findById(collection, document['_id']) ?? newRecord(storage), document);
}
