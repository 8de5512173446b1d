/**
 * OAuth clients: their metadata, owner and secrets (stored hashed). Owns the `clients` collection; a client id is
 * unique over applications and service accounts because both stand in it.
 */
import type { Actor } from '../kernel/actor.js';
import type { RecordEvent } from '../events/index.js';
import type { KeyRing } from '../platform/crypto/key-ring.js';
import type { Database } from '../platform/mongo/open-database.js';
import type { Tx } from '../platform/mongo/transactions.js';
import { createClientStore } from './client-store.js';
import type { Client } from './client.js';

export type { Client, ClientMetadata } from './client.js';

export interface ClientsModule {
  findClient(clientId: string): Promise<Client | null>;
  /** The form in which a client secret or an API key is stored. */
  hashSecret(secret: string): string;
  createClient(tx: Tx, actor: Actor, client: Client): Promise<void>;
  updateClient(tx: Tx, actor: Actor, before: Client, client: Client): Promise<void>;
  deleteClient(tx: Tx, actor: Actor, client: Client): Promise<void>;
  /** At most so many; also those of service accounts. */
  listClientsOfTenant(tenantId: string, limit: number): Promise<Client[]>;
  /** Clients of the tenant that sign people in. */
  countApplications(tx: Tx, tenantId: string): Promise<number>;
  ensureIndexes(): Promise<void>;
}

export function clientsModule(deps: { database: Database; keyRing: KeyRing; recordEvent: RecordEvent }): ClientsModule {
  const store = createClientStore(deps.database);
  const hash = deps.keyRing.hashFor('client-secret');
  return {
    findClient: (clientId) => store.find(clientId),
    hashSecret: (secret) => hash(secret),
    async createClient(tx, actor, client) {
      await store.insert(tx, client);
      await deps.recordEvent(tx, {
        type: 'client.created',
        tenantId: client.tenantId,
        actor,
        subjectId: client.clientId,
        data: { kind: client.kind },
      });
    },
    async updateClient(tx, actor, before, client) {
      await store.replace(tx, client);
      // a client that changes hands is news to both its owners
      for (const tenantId of new Set([before.tenantId, client.tenantId])) {
        await deps.recordEvent(tx, { type: 'client.updated', tenantId, actor, subjectId: client.clientId });
      }
    },
    async deleteClient(tx, actor, { clientId, tenantId }) {
      await store.remove(tx, clientId);
      await deps.recordEvent(tx, { type: 'client.deleted', tenantId, actor, subjectId: clientId });
    },
    listClientsOfTenant: store.listOfTenant,
    countApplications: store.countApplications,
    ensureIndexes: store.ensureIndexes,
  };
}
