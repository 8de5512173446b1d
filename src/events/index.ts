/**
 * Facts that happened, written in the transaction of the change they tell of, and the revisions that such changes make.
 * Owns the `events` and `revisions` collections.
 * It does not deliver them: audit log, webhooks and usage read from here.
 */
import type { Clock } from '../kernel/time.js';
import { newId } from '../kernel/ids.js';
import type { Database } from '../platform/mongo/open-database.js';
import { afterCommit, type Tx } from '../platform/mongo/transactions.js';
import type { EventDraft } from './event.js';
import { createEventStore, type EventStore } from './event-store.js';
import { createRevisions, type Revisions } from './revisions.js';

export type { Event, EventDraft, EventType } from './event.js';
export type { EventPosition } from './event-store.js';

/** Writes one event as part of the transaction of its change. */
export type RecordEvent = (tx: Tx, draft: EventDraft) => Promise<void>;

/** Calls back, in this process, after a transaction in which an event of such a type was recorded. */
export type OnChange = (types: RegExp, react: () => void) => void;

export interface EventsModule {
  recordEvent: RecordEvent;
  /**
   * How often what others decide by was changed in a tenant, or (null) in what belongs to none. As of at most two
   * seconds ago; a change made by this process shows at once.
   */
  revisionOf: Revisions['revisionOf'];
  onChange: OnChange;
  /** Kinds that are named in both ways are given twice. */
  listEventsOfPerson: EventStore['listOfPerson'];
  ensureIndexes(): Promise<void>;
}

/** Kinds of facts that change what a tenant's clients, members and services are or may do. */
const revising = /^(tenant|template|membership|role|client|service_account|api_key)\./;

export function eventsModule(deps: { database: Database; cacheSeconds: number; now: Clock }): EventsModule {
  const store = createEventStore(deps.database);
  const revisions = createRevisions(deps);
  const reactions: { types: RegExp; react: () => void }[] = [];

  return {
    async recordEvent(tx, draft) {
      await store.insert(tx, { data: {}, ...draft, id: newId('evt'), at: deps.now() });
      if (revising.test(draft.type)) revisions.revise(tx, draft.tenantId);
      reactions.forEach(({ types, react }, index) => {
        if (types.test(draft.type)) afterCommit(tx, `reaction ${index}`, react);
      });
    },
    revisionOf: revisions.revisionOf,
    listEventsOfPerson: store.listOfPerson,
    onChange: (types, react) => void reactions.push({ types, react }),
    ensureIndexes: () => store.ensureIndexes(),
  };
}
