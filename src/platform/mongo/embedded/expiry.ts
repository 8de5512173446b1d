import type { Collection } from './collection.js';
import type { ServerState } from './command.js';
import { expireCursors } from './cursors.js';
import type { IndexDefinition } from './index-definition.js';
import { compileQuery, runQuery } from './query.js';
import { expireSessions } from './sessions.js';
import { writeNow, type Storage } from './storage.js';

const TICK_MS = 1000;

/** Ends everything that ends by the clock. Gives the function that stops it. */
export function startExpiry({ storage, sessions, cursors, parameters }: ServerState): () => void {
  let sinceSweepMs = 0;
  const timer = setInterval(() => {
    expireSessions(storage, sessions, parameters.transactionLifetimeLimitSeconds);
    expireCursors(cursors);
    sinceSweepMs += TICK_MS;
    if (sinceSweepMs < parameters.ttlMonitorSleepSecs * 1000) return;
    sinceSweepMs = 0;
    sweep(storage, Date.now());
  }, TICK_MS);
  return () => clearInterval(timer);
}

function sweep(storage: Storage, now: number): void {
  for (const collection of storage.collections.values()) {
    for (const { definition } of collection.indexes) removeExpired(storage, collection, definition, now);
  }
}

/** What a transaction holds is left for the next sweep. */
function removeExpired(storage: Storage, collection: Collection, definition: IndexDefinition, now: number): void {
  if (definition.expireAfterSeconds === null) return;
  const before = new Date(now - definition.expireAfterSeconds * 1000);
  const filter = { ...definition.partialFilter, $and: [{ [definition.fields[0]!.name]: { $lte: before } }] };
  for (const { record } of runQuery(collection, compileQuery(filter), null).found) {
    if (record.lock === null) writeNow(storage, collection, record, null);
  }
}
