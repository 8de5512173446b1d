/**
 * Facts that happened, written in the transaction of the change they tell of, and the revisions that such changes make.
 * Owns the `events` and `revisions` collections.
 * It does not deliver them: audit log, webhooks and usage read from here.
 */
import type { Clock } from '../kernel/time.js';
import { newId } from '../kernel/ids.js';
import type { Database } from '../platform/mongo/open-database.js';
import { afterCommit, type Tx } from '../platform/mongo/transactions.js';
import type { EventDraft, EventType } from './event.js';
import { createEventStore } from './event-store.js';
import { createRevisions, type Revisions } from './revisions.js';

export type { Event, EventDraft, EventType } from './event.js';

/** Writes one event as part of the transaction of its change. */
export type RecordEvent = (tx: Tx, draft: EventDraft) => Promise<void>;

export interface EventsModule {
  recordEvent: RecordEvent;
  /**
   * How often what others decide by was changed in a tenant, or (null) in what belongs to none. As of at most two
   * seconds ago; a change made by this process shows at once.
   */
  revisionOf: Revisions['revisionOf'];
  /** Calls back, in this process, after a transaction with such a change or with a changed user or resource. */
  onChange(react: () => void): void;
  ensureIndexes(): Promise<void>;
}

/** Kinds of facts that change what a tenant's clients, members and services are or may do. */
const revising = /^(tenant|membership|role|client|service_account|api_key)\./;
const changing = /^(user\.(created|updated)|resource\.)/;

export function eventsModule(deps: { database: Database; cacheSeconds: number; now: Clock }): EventsModule {
  const store = createEventStore(deps.database);
  const revisions = createRevisions(deps);
  const reactions: (() => void)[] = [];

  function announce(tx: Tx, type: EventType, tenantId: string | null): void {
    const isRevision = revising.test(type);
    if (isRevision) revisions.revise(tx, tenantId);
    if (!isRevision && !changing.test(type)) return;
    afterCommit(tx, 'changed', () => reactions.forEach((react) => react()));
  }

  return {
    async recordEvent(tx, draft) {
      await store.insert(tx, { data: {}, ...draft, id: newId('evt'), at: deps.now() });
      announce(tx, draft.type, draft.tenantId);
    },
    revisionOf: revisions.revisionOf,
    onChange: (react) => void reactions.push(react),
    ensureIndexes: () => store.ensureIndexes(),
  };
}
