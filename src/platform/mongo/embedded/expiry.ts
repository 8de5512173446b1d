import type { Collection } from './collection.js';
import type { ServerState } from './command.js';
import { expireCursors } from './cursors.js';
import type { IndexDefinition } from './index-definition.js';
import { compileQuery, runQuery } from './query.js';
import { expireSessions } from './sessions.js';
import { writeNow, type Storage } from './storage.js';

const TICK_MS = 1000;

/** Ends everything that ends by the clock. Gives the function that stops it. */
export function startExpiry(server: ServerState): () => void {
  const { storage, cursors } = server;
  const timer = setInterval(() => {
    expireSessions(server, Date.now());
    expireCursors(cursors, Date.now());
    for (const collection of storage.collections.values()) {
      for (const { definition } of collection.indexes) removeExpired(storage, collection, definition);
    }
  }, TICK_MS);
  return () => clearInterval(timer);
}

/** TTL. What a transaction holds is left for the next time. */
function removeExpired(storage: Storage, collection: Collection, definition: IndexDefinition): void {
  if (definition.expireAfterSeconds === null) return;
  const before = new Date(Date.now() - definition.expireAfterSeconds * 1000);
  const filter = { ...definition.partialFilter, $and: [{ [definition.fields[0]!.name]: { $lte: before } }] };
  for (const { record } of runQuery(collection, compileQuery(filter), null)) {
    if (record.lock === null) writeNow(storage, collection, record, null);
  }
}
