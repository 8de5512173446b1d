import { expireCursors } from './cursors.js';
import type { Collection } from './collection.js';
import type { IndexDefinition } from './index-definition.js';
import { parseQuery, runQuery } from './query.js';
import type { ServerState } from './server-state.js';
import { expireSessions } from './sessions.js';
import { writeNow, type Storage } from './storage.js';

const HOUSEKEEPING_MS = 1000;

export interface Expiry {
  reschedule(): void;
  stop(): void;
}

/** Everything that ends by the clock: documents under TTL indexes, transactions, sessions and cursors. */
export function startExpiry(server: ServerState): Expiry {
  let sweepTimer: NodeJS.Timeout;
  const schedule = () => {
    sweepTimer = setTimeout(() => {
      sweep(server.storage, new Date());
      schedule();
    }, server.parameters.ttlMonitorSleepSecs * 1000);
  };
  const housekeeping = setInterval(() => {
    expireSessions(server.storage, server.sessions, server.parameters.transactionLifetimeLimitSeconds);
    expireCursors(server.cursors);
  }, HOUSEKEEPING_MS);
  schedule();
  return {
    reschedule() {
      clearTimeout(sweepTimer);
      schedule();
    },
    stop() {
      clearTimeout(sweepTimer);
      clearInterval(housekeeping);
    },
  };
}

function sweep(storage: Storage, now: Date): void {
  for (const collections of storage.catalog.values()) {
    for (const collection of collections.values()) {
      for (const { definition } of collection.indexes) removeExpired(storage, collection, definition, now);
    }
  }
}

/** What a transaction holds is left for the next sweep. */
function removeExpired(storage: Storage, collection: Collection, definition: IndexDefinition, now: Date): void {
  if (definition.expireAfterSeconds === null) return;
  const before = new Date(now.getTime() - definition.expireAfterSeconds * 1000);
  const expired = { [definition.fields[0]!.name]: { $lte: before } };
  const filter = definition.partialFilter ? { $and: [expired, definition.partialFilter] } : expired;
  for (const { record } of runQuery(collection, parseQuery(filter), null).found) {
    if (record.lock === null) writeNow(storage, collection, record, null);
  }
}
