import type { Database } from '../platform/mongo/open-database.js';
import { sessionOf, type Tx } from '../platform/mongo/transactions.js';
import type { Event } from './event.js';

export interface EventStore {
  insert(tx: Tx, event: Event): Promise<void>;
  ensureIndexes(): Promise<void>;
}

type EventRecord = Omit<Event, 'id'> & { _id: string };

export function createEventStore(database: Database): EventStore {
  const events = database.collection<EventRecord>('events');
  return {
    async insert(tx, { id, ...event }) {
      await events.insertOne({ _id: id, ...event }, sessionOf(tx));
    },
    async ensureIndexes() {
      await events.createIndex({ tenantId: 1, at: -1 });
      await events.createIndex({ subjectId: 1, at: -1 });
    },
  };
}
