import type { Database } from '../platform/mongo/open-database.js';
import { sessionOf, type Tx } from '../platform/mongo/transactions.js';
import type { Resource } from './resource.js';

type ResourceRecord = Omit<Resource, 'identifier'> & { _id: string };

export interface ResourceStore {
  list(): Promise<Resource[]>;
  find(tx: Tx, identifier: string): Promise<Resource | null>;
  insert(tx: Tx, resource: Resource): Promise<void>;
  replace(tx: Tx, resource: Resource): Promise<void>;
  remove(tx: Tx, identifier: string): Promise<void>;
}

export function createResourceStore(database: Database): ResourceStore {
  const resources = database.collection<ResourceRecord>('resources');
  return {
    async list() {
      return (await resources.find({}).toArray()).map(toResource);
    },
    async find(tx, identifier) {
      const record = await resources.findOne({ _id: identifier }, sessionOf(tx));
      return record && toResource(record);
    },
    async insert(tx, { identifier, ...resource }) {
      await resources.insertOne({ _id: identifier, ...resource }, sessionOf(tx));
    },
    async remove(tx, identifier) {
      await resources.deleteOne({ _id: identifier }, sessionOf(tx));
    },
    async replace(tx, { identifier, ...resource }) {
      await resources.replaceOne({ _id: identifier }, resource, sessionOf(tx));
    },
  };
}

function toResource({ _id, ...resource }: ResourceRecord): Resource {
  return { identifier: _id, ...resource };
}
