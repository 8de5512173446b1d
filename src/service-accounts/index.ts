/**
 * Machine principals of a tenant and their API keys. Owns `service_accounts` and `api_keys`.
 * The OAuth client of a service account stands among the clients, made in the same transaction.
 */
import type { Actor } from '../kernel/actor.js';
import type { Client } from '../clients/index.js';
import type { RecordEvent } from '../events/index.js';
import type { Database } from '../platform/mongo/open-database.js';
import type { Tx } from '../platform/mongo/transactions.js';
import type { TenantsModule } from '../tenants/index.js';
import { createServiceAccountStore } from './service-account-store.js';
import type { AccountChanges, ApiKey, ServiceAccount } from './service-account.js';

export type { ApiKey, ServiceAccount } from './service-account.js';

export interface ServiceAccountsModule {
  findServiceAccount(tenantId: string, clientId: string): Promise<ServiceAccount | null>;
  /** All keys, also the expired and revoked ones. */
  listApiKeys(tenantId: string, serviceAccountId: string): Promise<ApiKey[]>;
  /** Takes a seat of the tenant; throws 409 when none is left. */
  createServiceAccount(tx: Tx, actor: Actor, account: ServiceAccount): Promise<void>;
  updateServiceAccount(tx: Tx, actor: Actor, account: ServiceAccount, changes: AccountChanges): Promise<void>;
  createApiKey(tx: Tx, actor: Actor, key: ApiKey): Promise<void>;
  countServiceAccounts(tx: Tx, tenantId: string): Promise<number>;
  countServiceAccountsWithRole(tx: Tx, tenantId: string, roleKey: string): Promise<number>;
}

export interface ServiceAccountsDeps {
  database: Database;
  recordEvent: RecordEvent;
  createClient(tx: Tx, actor: Actor, client: Client): Promise<void>;
  takeSeat: TenantsModule['takeSeat'];
}

export function serviceAccountsModule(deps: ServiceAccountsDeps): ServiceAccountsModule {
  const store = createServiceAccountStore(deps.database);
  return {
    findServiceAccount: (tenantId, clientId) => store.findByClientId(tenantId, clientId),
    listApiKeys: (tenantId, serviceAccountId) => store.listKeys(tenantId, serviceAccountId),
    async createServiceAccount(tx, actor, account) {
      await deps.takeSeat(tx, account.tenantId, 'serviceAccounts');
      await store.insert(tx, account);
      await deps.createClient(tx, actor, clientOf(account));
      await deps.recordEvent(tx, {
        type: 'service_account.created',
        tenantId: account.tenantId,
        actor,
        subjectId: account.id,
        data: { roles: account.roles },
      });
    },
    async updateServiceAccount(tx, actor, account, changes) {
      await store.update(tx, account.tenantId, account.id, changes);
      await deps.recordEvent(tx, {
        type: 'service_account.updated',
        tenantId: account.tenantId,
        actor,
        subjectId: account.id,
        data: { changed: Object.keys(changes) },
      });
    },
    async createApiKey(tx, actor, key) {
      await store.insertKey(tx, key);
      await deps.recordEvent(tx, {
        type: 'api_key.created',
        tenantId: key.tenantId,
        actor,
        subjectId: key.id,
        data: { serviceAccountId: key.serviceAccountId },
      });
    },
    countServiceAccounts: store.count,
    countServiceAccountsWithRole: store.countWithRole,
  };
}

function clientOf(account: ServiceAccount): Client {
  return {
    clientId: account.clientId,
    kind: 'service_account',
    tenantId: account.tenantId,
    firstParty: true,
    requirePkce: true,
    resources: [],
    actors: [],
    scope: null,
    secretHashes: [],
    metadata: {
      client_name: account.name,
      grant_types: ['client_credentials'],
      response_types: [],
      redirect_uris: [],
      token_endpoint_auth_method: 'client_secret_basic',
    },
    createdAt: account.createdAt,
  };
}
