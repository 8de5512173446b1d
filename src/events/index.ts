/**
 * Facts that happened, written in the transaction of the change they tell of. Owns the `events` collection.
 * It does not deliver them: audit log, webhooks and usage read from here.
 */
import type { Clock } from '../kernel/time.js';
import { newId } from '../kernel/ids.js';
import type { Database } from '../platform/mongo/open-database.js';
import type { Tx } from '../platform/mongo/transactions.js';
import type { EventDraft } from './event.js';
import { createEventStore } from './event-store.js';

export type { Event, EventDraft, EventType } from './event.js';

/** Writes one event as part of the transaction of its change. */
export type RecordEvent = (tx: Tx, draft: EventDraft) => Promise<void>;

export interface EventsModule {
  recordEvent: RecordEvent;
  ensureIndexes(): Promise<void>;
}

export function eventsModule(deps: { database: Database; now: Clock }): EventsModule {
  const store = createEventStore(deps.database);
  return {
    recordEvent: (tx, draft) => store.insert(tx, { data: {}, ...draft, id: newId('evt'), at: deps.now() }),
    ensureIndexes: () => store.ensureIndexes(),
  };
}
