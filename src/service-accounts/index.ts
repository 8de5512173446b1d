/**
 * Machine principals of a tenant and their API keys. Owns `service_accounts` and `api_keys`.
 * The OAuth client of a service account stands among the clients, made and changed in the same transaction.
 */
import type { Actor } from '../kernel/actor.js';
import type { Clock } from '../kernel/time.js';
import type { Client, ClientsModule } from '../clients/index.js';
import type { EventDraft, RecordEvent } from '../events/index.js';
import type { Logger } from '../platform/log/logger.js';
import type { Database } from '../platform/mongo/open-database.js';
import type { Page } from '../platform/mongo/page.js';
import type { Tx } from '../platform/mongo/transactions.js';
import type { TenantsModule } from '../tenants/index.js';
import { createApiKeyStore } from './api-key-store.js';
import { keyUses } from './key-uses.js';
import { createServiceAccountStore } from './service-account-store.js';
import type { AccountChanges, ApiKey, ServiceAccount } from './service-account.js';

export type { ApiKey, ServiceAccount } from './service-account.js';
export { isLiveKey, withApiKeys } from './service-account.js';
export { newApiKeySecret } from './api-key-secret.js';

export interface ServiceAccountsModule {
  findServiceAccount(tenantId: string, clientId: string): Promise<ServiceAccount | null>;
  /** Within a transaction: as it is there. */
  findServiceAccountById(tenantId: string, id: string, tx?: Tx): Promise<ServiceAccount | null>;
  listServiceAccounts(tenantId: string, page: Page): Promise<ServiceAccount[]>;
  /** All keys, also the expired and revoked ones. */
  listApiKeys(tenantId: string, serviceAccountId: string, tx?: Tx): Promise<ApiKey[]>;
  /** Takes a seat of the tenant; throws 409 when none is left. */
  createServiceAccount(tx: Tx, actor: Actor, account: ServiceAccount): Promise<void>;
  updateServiceAccount(tx: Tx, actor: Actor, account: ServiceAccount, changes: AccountChanges): Promise<void>;
  /** With its keys and its client; gives the seat back. */
  deleteServiceAccount(tx: Tx, actor: Actor, account: ServiceAccount): Promise<void>;
  createApiKey(tx: Tx, actor: Actor, key: ApiKey): Promise<void>;
  revokeApiKey(tx: Tx, actor: Actor, key: ApiKey): Promise<void>;
  /** They open nothing already. */
  forgetApiKeys(tx: Tx, keys: readonly ApiKey[]): Promise<void>;
  /** The account and its live keys have another member to answer for them. */
  adopt(tx: Tx, actor: Actor, account: ServiceAccount, createdBy: string | null): Promise<void>;
  /** Of a member who leaves, and knows them. */
  revokeKeysOf(tx: Tx, actor: Actor, tenantId: string, userId: string): Promise<void>;
  /** Remembers that a key was used now, to the minute and without making anybody wait. */
  noteKeyUse(tenantId: string, keyId: string): void;
  countServiceAccounts(tx: Tx, tenantId: string): Promise<number>;
  countServiceAccountsWithRole(tx: Tx, tenantId: string, roleKey: string): Promise<number>;
}

export interface ServiceAccountsDeps {
  database: Database;
  recordEvent: RecordEvent;
  now: Clock;
  log: Logger;
  clients: Pick<ClientsModule, 'createClient' | 'updateClient' | 'deleteClient' | 'findClient'>;
  takeSeat: TenantsModule['takeSeat'];
  releaseSeat: TenantsModule['releaseSeat'];
}

export function serviceAccountsModule(deps: ServiceAccountsDeps): ServiceAccountsModule {
  const accounts = createServiceAccountStore(deps.database);
  const keys = createApiKeyStore(deps.database);
  type About = Pick<EventDraft, 'type' | 'tenantId' | 'subjectId' | 'data'>;
  const record = (tx: Tx, actor: Actor, about: About): Promise<void> => deps.recordEvent(tx, { actor, ...about });

  return {
    findServiceAccount: accounts.findByClientId,
    findServiceAccountById: accounts.findById,
    listServiceAccounts: accounts.list,
    listApiKeys: keys.list,
    async createServiceAccount(tx, actor, account) {
      await deps.takeSeat(tx, account.tenantId, 'serviceAccounts');
      await accounts.insert(tx, account);
      await deps.clients.createClient(tx, actor, clientOf(account));
      const { tenantId, id: subjectId, roles } = account;
      await record(tx, actor, { type: 'service_account.created', tenantId, subjectId, data: { roles } });
    },
    async updateServiceAccount(tx, actor, account, changes) {
      await accounts.update(tx, account.tenantId, account.id, changes);
      if (changes.name !== undefined || changes.authentication !== undefined)
        await updateClientOf(deps, tx, { actor, account: { ...account, ...changes } });
      const about = { tenantId: account.tenantId, subjectId: account.id, data: { changed: Object.keys(changes) } };
      await record(tx, actor, { type: 'service_account.updated', ...about });
    },
    async deleteServiceAccount(tx, actor, account) {
      const { tenantId, id: subjectId } = account;
      await keys.removeOf(tx, tenantId, subjectId);
      await accounts.remove(tx, tenantId, subjectId);
      await deps.clients.deleteClient(tx, actor, clientOf(account));
      await deps.releaseSeat(tx, tenantId, 'serviceAccounts');
      await record(tx, actor, { type: 'service_account.deleted', tenantId, subjectId });
    },
    async createApiKey(tx, actor, key) {
      await keys.insert(tx, key);
      const { tenantId, id: subjectId, serviceAccountId } = key;
      await record(tx, actor, { type: 'api_key.created', tenantId, subjectId, data: { serviceAccountId } });
    },
    async revokeApiKey(tx, actor, key) {
      await keys.update(tx, key, { revokedAt: deps.now() });
      await record(tx, actor, { type: 'api_key.revoked', ...about(key) });
    },
    forgetApiKeys: keys.removeEach,
    async adopt(tx, actor, account, createdBy) {
      const authenticationSetBy = account.authenticationSetBy === null ? null : createdBy;
      await accounts.update(tx, account.tenantId, account.id, { createdBy, authenticationSetBy });
      await keys.setCreatorOf(tx, account, createdBy);
      const about = { tenantId: account.tenantId, subjectId: account.id };
      await record(tx, actor, { type: 'service_account.adopted', ...about });
    },
    async revokeKeysOf(tx, actor, tenantId, userId) {
      for (const key of await keys.listLiveOf(tx, tenantId, userId)) {
        await keys.update(tx, key, { revokedAt: deps.now() });
        await record(tx, actor, { type: 'api_key.revoked', ...about(key) });
      }
    },
    noteKeyUse: keyUses({ ...deps, noteUse: keys.noteUse }),
    countServiceAccounts: accounts.count,
    countServiceAccountsWithRole: accounts.countWithRole,
  };
}

/** Its OAuth face. */
function about({ tenantId, id, serviceAccountId }: ApiKey): Pick<EventDraft, 'tenantId' | 'subjectId' | 'data'> {
  return { tenantId, subjectId: id, data: { serviceAccountId } };
}

/** The client goes along: what the protocol reads stands there. */
async function updateClientOf(
  { clients }: ServiceAccountsDeps,
  tx: Tx,
  { actor, account }: { actor: Actor; account: ServiceAccount },
): Promise<void> {
  const before = await clients.findClient(account.clientId, tx);
  if (before) await clients.updateClient(tx, actor, before, { ...before, ...clientOf(account) });
}

export function clientOf(account: ServiceAccount): Client {
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
      ...account.authentication,
    },
    createdAt: account.createdAt,
  };
}
