/**
 * OAuth clients: their metadata, owner and secrets (stored hashed). Owns the `clients` collection; a client id is
 * unique over applications and service accounts because both stand in it.
 */
import type { Actor } from '../kernel/actor.js';
import type { RecordEvent } from '../events/index.js';
import type { KeyRing } from '../platform/crypto/key-ring.js';
import type { Database } from '../platform/mongo/open-database.js';
import type { Page } from '../platform/mongo/page.js';
import type { Tx } from '../platform/mongo/transactions.js';
import { createClientStore } from './client-store.js';
import type { Client } from './client.js';

export type { Client, ClientAuthentication, ClientMetadata } from './client.js';

export interface ClientsModule {
  /** Within a transaction: as it is there. */
  findClient(clientId: string, tx?: Tx): Promise<Client | null>;
  listApplications(tenantId: string, page: Page): Promise<Client[]>;
  /** Whether people may make an account on the way into it. */
  offersSignUp(clientId: string): Promise<boolean>;
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

export interface ClientsDeps {
  database: Database;
  keyRing: KeyRing;
  recordEvent: RecordEvent;
  /** Ours: they are there without being stored, and nobody changes them. */
  builtIn: readonly Client[];
}

export function clientsModule(deps: ClientsDeps): ClientsModule {
  const builtIn = new Map(deps.builtIn.map((client) => [client.clientId, client]));
  const store = createClientStore(deps.database);
  const hash = deps.keyRing.hashFor('client-secret');
  const findClient: ClientsModule['findClient'] = async (clientId, tx) =>
    builtIn.get(clientId) ?? store.find(clientId, tx);
  return {
    findClient,
    async offersSignUp(clientId) {
      const client = await findClient(clientId);
      return client !== null && (client.signUp ?? client.tenantId === null);
    },
    listApplications: store.listApplications,
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
