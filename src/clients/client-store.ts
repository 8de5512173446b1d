import type { Database } from '../platform/mongo/open-database.js';
import { sessionOf, type Tx } from '../platform/mongo/transactions.js';
import type { Client } from './client.js';

type ClientRecord = Omit<Client, 'clientId'> & { _id: string };

export interface ClientStore {
  find(clientId: string): Promise<Client | null>;
  insert(tx: Tx, client: Client): Promise<void>;
  replace(tx: Tx, client: Client): Promise<void>;
}

export function createClientStore(database: Database): ClientStore {
  const clients = database.collection<ClientRecord>('clients');
  return {
    async find(clientId) {
      const record = await clients.findOne({ _id: clientId });
      if (!record) return null;
      const { _id, ...client } = record;
      return { clientId: _id, ...client };
    },
    async insert(tx, { clientId, ...client }) {
      await clients.insertOne({ _id: clientId, ...client }, sessionOf(tx));
    },
    async replace(tx, { clientId, ...client }) {
      await clients.replaceOne({ _id: clientId }, client, sessionOf(tx));
    },
  };
}
