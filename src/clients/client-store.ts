import type { Database } from '../platform/mongo/open-database.js';
import { sessionOf, type Tx } from '../platform/mongo/transactions.js';
import { afterId, type Page } from '../platform/mongo/page.js';
import type { Client } from './client.js';

type ClientRecord = Omit<Client, 'clientId'> & { _id: string };

export interface ClientStore {
  find(clientId: string, tx?: Tx): Promise<Client | null>;
  insert(tx: Tx, client: Client): Promise<void>;
  replace(tx: Tx, client: Client): Promise<void>;
  remove(tx: Tx, clientId: string): Promise<void>;
  /** At most so many; all kinds. */
  listOfTenant(tenantId: string, limit: number): Promise<Client[]>;
  listApplications(tenantId: string, page: Page): Promise<Client[]>;
  countApplications(tx: Tx, tenantId: string): Promise<number>;
  ensureIndexes(): Promise<void>;
}

export function createClientStore(database: Database): ClientStore {
  const clients = database.collection<ClientRecord>('clients');
  return {
    async find(clientId, tx) {
      const record = await clients.findOne({ _id: clientId }, tx ? sessionOf(tx) : {});
      if (!record) return null;
      return toClient(record);
    },
    async insert(tx, { clientId, ...client }) {
      await clients.insertOne({ _id: clientId, ...client }, sessionOf(tx));
    },
    async replace(tx, { clientId, ...client }) {
      await clients.replaceOne({ _id: clientId }, client, sessionOf(tx));
    },
    async remove(tx, clientId) {
      await clients.deleteOne({ _id: clientId }, sessionOf(tx));
    },
    async listOfTenant(tenantId, limit) {
      return (await clients.find({ tenantId }).limit(limit).toArray()).map(toClient);
    },
    async listApplications(tenantId, page) {
      const filter = { tenantId, kind: 'application' as const, ...afterId(page) };
      return (await clients.find(filter).sort({ _id: 1 }).limit(page.limit).toArray()).map(toClient);
    },
    countApplications: (tx, tenantId) => clients.countDocuments({ tenantId, kind: 'application' }, sessionOf(tx)),
    async ensureIndexes() {
      await clients.createIndex({ tenantId: 1, kind: 1, _id: 1 });
    },
  };
}

function toClient({ _id, ...client }: ClientRecord): Client {
  return { clientId: _id, ...client };
}
