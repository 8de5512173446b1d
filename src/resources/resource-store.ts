import type { Database } from '../platform/mongo/open-database.js';
import { sessionOf, type Tx } from '../platform/mongo/transactions.js';
import type { Resource } from './resource.js';

type ResourceRecord = Omit<Resource, 'identifier'> & { _id: string };

export interface ResourceStore {
  list(): Promise<Resource[]>;
  insert(tx: Tx, resource: Resource): Promise<void>;
  replace(tx: Tx, resource: Resource): Promise<void>;
}

export function createResourceStore(database: Database): ResourceStore {
  const resources = database.collection<ResourceRecord>('resources');
  return {
    async list() {
      const records = await resources.find({}).toArray();
      return records.map(({ _id, ...resource }) => ({ identifier: _id, ...resource }));
    },
    async insert(tx, { identifier, ...resource }) {
      await resources.insertOne({ _id: identifier, ...resource }, sessionOf(tx));
    },
    async replace(tx, { identifier, ...resource }) {
      await resources.replaceOne({ _id: identifier }, resource, sessionOf(tx));
    },
  };
}
