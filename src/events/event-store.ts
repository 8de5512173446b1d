import type { Database } from '../platform/mongo/open-database.js';
import { sessionOf, type Tx } from '../platform/mongo/transactions.js';
import type { Event, EventType } from './event.js';

/** Where in a list of the newest first another page begins. */
export interface EventPosition {
  at: Date;
  id: string;
}

/** Events about a person, and those that they caused themselves. */
export interface EventsOfPerson {
  userId: string;
  /** Of what happened to them, whoever did it. */
  about: readonly EventType[];
  /** Of what they did to something else. */
  by: readonly EventType[];
}

export interface EventStore {
  insert(tx: Tx, event: Event): Promise<void>;
  /** The newest first. */
  listOfPerson(of: EventsOfPerson, page: { limit: number; before: EventPosition | null }): Promise<Event[]>;
  ensureIndexes(): Promise<void>;
}

type EventRecord = Omit<Event, 'id'> & { _id: string };

export function createEventStore(database: Database): EventStore {
  const events = database.collection<EventRecord>('events');
  return {
    async insert(tx, { id, ...event }) {
      await events.insertOne({ _id: id, ...event }, sessionOf(tx));
    },
    async listOfPerson({ userId, about, by }, { limit, before }) {
      const earlier = before ? { $or: [{ at: { $lt: before.at } }, { at: before.at, _id: { $lt: before.id } }] } : {};
      const read = (filter: object): Promise<EventRecord[]> =>
        events.find({ ...filter, ...earlier }, { sort: { at: -1, _id: -1 }, limit }).toArray();
      const found = await Promise.all([
        read({ subjectId: userId, type: { $in: [...about] } }),
        read({ 'actor.userId': userId, type: { $in: [...by] } }),
      ]);
      return found
        .flat()
        .toSorted((left, right) => right.at.getTime() - left.at.getTime() || (left._id < right._id ? 1 : -1))
        .slice(0, limit)
        .map(({ _id: id, ...event }) => ({ id, ...event }));
    },
    async ensureIndexes() {
      await events.createIndex({ tenantId: 1, at: -1 });
      await events.createIndex({ subjectId: 1, at: -1, _id: -1 });
      await events.createIndex({ 'actor.userId': 1, at: -1, _id: -1 }, { sparse: true });
    },
  };
}
