/**
 * Upstream identity providers: what is known of each, and how a person is sent there and comes back as somebody of that
 * provider. Owns the collections `connections` and `connection_transactions`. It does not know who somebody of a
 * provider is here (identities), nor the pages (sign-in, account). For others:
 * - `listOffered` gives the connections of a sign-in, by tenant and app;
 * - `findUsable` reads one again at each step, and finds none once it is not to be used any more;
 * - `begin`, `take` and `finish` are the way to the provider and back;
 * - `recordFailedSignIn` tells the events of one that ended with nobody;
 * - `mappedRoles` gives the roles of a member by what the provider says;
 * - `vouchesFor` is the one place that decides whether the provider is believed about an address.
 */
import type { Actor } from '../kernel/actor.js';
import { equalSecrets } from '../kernel/secret.js';
import type { Clock } from '../kernel/time.js';
import type { RecordEvent } from '../events/index.js';
import { createExpiringMap, createExpiringValue } from '../platform/cache/expiring.js';
import type { KeyRing } from '../platform/crypto/key-ring.js';
import type { Egress } from '../platform/egress/egress.js';
import type { Logger } from '../platform/log/logger.js';
import { ensureOneTimeIndexes, oneTimeRecords } from '../platform/mongo/one-time-records.js';
import type { Database } from '../platform/mongo/open-database.js';
import type { Page } from '../platform/mongo/page.js';
import type { InTransaction, Tx } from '../platform/mongo/transactions.js';
import type { Tenant } from '../tenants/index.js';
import { newClientKey } from './client-key.js';
import { createConnectionStore } from './connection-store.js';
import { isOfferedTo, type Connection } from './connection.js';
import { connectionFrom, draftOf } from './draft.js';
import { failedSignIns, type FailedSignInsDeps, type RecordFailedSignIn } from './failed-sign-ins.js';
import { providerCalls, type ProviderCallLimits } from './provider-calls.js';
import { testConnection, type ConnectionCheck } from './test-connection.js';
import { upstreamClients } from './upstream-client.js';
import { UpstreamFailed } from './upstream-errors.js';
import { redirectUriOf, upstreamSignIn, type UpstreamSignIn } from './upstream-sign-in.js';

export type { ClaimNames, Connection, Upstream, UpstreamPerson } from './connection.js';
export type { SignInFailure } from './failed-sign-ins.js';
export type { ConnectionCheck } from './test-connection.js';
export type { UpstreamFailure } from './upstream-errors.js';
export type {
  UpstreamAnswer,
  UpstreamPlace,
  UpstreamRequest,
  UpstreamSignIn,
  UpstreamTransaction,
} from './upstream-sign-in.js';
export { isWayIn, mappedRoles, vouchesFor } from './connection.js';

export interface ConnectionReference {
  tenantId: string;
  connectionId: string;
}

export interface ConnectionsModule extends UpstreamSignIn {
  /** What its provider is told of us. */
  redirectUriOf(connection: Pick<Connection, 'id'>): string;
  /** Within a transaction: as it is there. */
  findConnection(tenantId: string, id: string, tx?: Tx): Promise<Connection | null>;
  findConnectionByKey(tenantId: string, key: string): Promise<Connection | null>;
  /** Of whichever tenant. */
  isConnectionId(id: string): Promise<boolean>;
  listConnections(tenantId: string, page: Page): Promise<Connection[]>;
  countConnections(tx: Tx, tenantId: string): Promise<number>;
  /** Throws a duplicate key error when another one of the tenant has its key. */
  createConnection(tx: Tx, actor: Actor, connection: Connection, secret: string): Promise<void>;
  /** The secret stays as it is unless another one is given. */
  updateConnection(tx: Tx, actor: Actor, connection: Connection, secret?: string): Promise<void>;
  deleteConnection(tx: Tx, actor: Actor, connection: Connection): Promise<void>;
  isSecretOf(connection: Connection, secret: string): Promise<boolean>;
  newClientKey: typeof newClientKey;
  connectionFrom: typeof connectionFrom;
  draftOf: typeof draftOf;
  /**
   * With what people may sign in on the way into this app: the platform's connections, and those of the tenant that the
   * sign-in is for, if there is one. As of a moment ago.
   */
  listOffered(signIn: { tenantId: string | null; clientId: string }): Promise<Connection[]>;
  /** A connection was changed in this process: the next sign-in shows it as it is. */
  forgetOffered(): void;
  /**
   * As it is now, or in the transaction; null when it or its tenant is gone or closed, or it is not for this app or not
   * for signing in.
   */
  findUsable(reference: ConnectionReference, clientId: string, tx?: Tx): Promise<Connection | null>;
  /** The same for who links an account from their portal; any enabled connection of an open tenant. */
  findLinkable(reference: ConnectionReference, tx?: Tx): Promise<Connection | null>;
  /** Those, of these tenants and the platform. */
  listLinkable(tenantIds: readonly string[]): Promise<Connection[]>;
  /** Whether it is of the whole platform, and not of one tenant. */
  isOfPlatform(connection: Pick<Connection, 'tenantId'>): Promise<boolean>;
  /** No more of them than a log can take. */
  recordFailedSignIn: RecordFailedSignIn;
  testConnection(connection: Connection): Promise<ConnectionCheck[]>;
  ensureIndexes(): Promise<void>;
}

export interface ConnectionsDeps {
  database: Database;
  keyRing: KeyRing;
  inTransaction: InTransaction;
  recordEvent: RecordEvent;
  now: Clock;
  log: Logger;
  issuer: string;
  fetch: Egress['fetch'];
  cacheSeconds: number;
  limits: ProviderCallLimits &
    FailedSignInsDeps['limits'] & { documentSeconds: number; transactionSeconds: number; answerSeconds: number };
  platformSlug: string;
  /** Whether its plan includes them. */
  mayHaveConnections(tenant: Tenant): boolean;
  findTenantById(id: string): Promise<Tenant | null>;
  findTenantBySlug(slug: string): Promise<Tenant | null>;
}

const transactionsCollection = 'connection_transactions';

export function connectionsModule(deps: ConnectionsDeps): ConnectionsModule {
  const { database, keyRing, limits, issuer } = deps;
  const { sealing } = keyRing;
  const store = createConnectionStore(database);
  const contextOf = (id: string): string => `connection:${id}`;

  async function openSecret({ tenantId, id }: Connection): Promise<string> {
    const sealed = await store.findSecret(tenantId, id);
    if (sealed === null) throw new UpstreamFailed('unavailable', 'the connection was deleted');
    return sealing.open(sealed, contextOf(id));
  }

  const calls = providerCalls({ fetch: deps.fetch, limits });
  const clients = upstreamClients({ calls, openSecret, documentSeconds: limits.documentSeconds });
  const hash = keyRing.hashFor('connection-transaction');
  const transactions = oneTimeRecords(transactionsCollection, { database, hash, sealing, now: deps.now });

  return {
    redirectUriOf: (connection) => redirectUriOf(issuer, connection),
    findConnection: store.find,
    findConnectionByKey: store.findByKey,
    isConnectionId: store.isThere,
    listConnections: store.list,
    countConnections: store.count,
    async createConnection(tx, actor, connection, secret) {
      await store.insert(tx, connection, await sealing.seal(secret, contextOf(connection.id)));
      await deps.recordEvent(tx, about('connection.created', actor, connection));
    },
    async updateConnection(tx, actor, connection, secret) {
      const sealed = secret === undefined ? undefined : await sealing.seal(secret, contextOf(connection.id));
      await store.replace(tx, connection, sealed);
      await deps.recordEvent(tx, about('connection.updated', actor, connection));
    },
    async deleteConnection(tx, actor, connection) {
      await store.remove(tx, connection.tenantId, connection.id);
      await deps.recordEvent(tx, about('connection.deleted', actor, connection));
    },
    isSecretOf: async (connection, secret) => equalSecrets(secret, await openSecret(connection)),
    ...{ newClientKey, connectionFrom, draftOf },
    ...usable(deps, store),
    ...upstreamSignIn({ issuer, clients, transactions, log: deps.log, limits }),
    recordFailedSignIn: failedSignIns(deps),
    testConnection: (connection) => testConnection({ issuer, clients }, connection),
    ensureIndexes: () => ensureOneTimeIndexes(database, transactionsCollection),
  };
}

function usable(
  deps: ConnectionsDeps,
  store: ReturnType<typeof createConnectionStore>,
): Pick<
  ConnectionsModule,
  'listOffered' | 'forgetOffered' | 'findUsable' | 'findLinkable' | 'listLinkable' | 'isOfPlatform'
> {
  const enabled = createExpiringMap<Connection[]>(deps.cacheSeconds);
  const isOpen = (tenant: Tenant): boolean => tenant.status === 'active' && deps.mayHaveConnections(tenant);
  const enabledOf = (tenantId: string): Promise<Connection[]> =>
    enabled.get(tenantId, async () => {
      const tenant = await deps.findTenantById(tenantId);
      return tenant && isOpen(tenant) ? store.listEnabled(tenantId) : [];
    });
  const platformId = createExpiringValue(
    deps.cacheSeconds,
    async () => (await deps.findTenantBySlug(deps.platformSlug))?.id ?? null,
  );
  const ofPlatform = async (): Promise<Connection[]> => {
    const tenantId = await platformId.get();
    return tenantId === null ? [] : enabledOf(tenantId);
  };

  async function findLinkable({ tenantId, connectionId }: ConnectionReference, tx?: Tx): Promise<Connection | null> {
    const found = store.find(tenantId, connectionId, tx);
    const [connection, tenant] = await Promise.all([found, deps.findTenantById(tenantId)]);
    return connection?.status === 'enabled' && tenant && isOpen(tenant) ? connection : null;
  }

  return {
    async listOffered({ tenantId, clientId }) {
      const found = [...(tenantId === null ? [] : await enabledOf(tenantId)), ...(await ofPlatform())];
      return found.filter((connection) => isOfferedTo(connection, clientId));
    },
    isOfPlatform: async ({ tenantId }) => (await platformId.get()) === tenantId,
    forgetOffered: () => enabled.forgetAll(),
    async findUsable(reference, clientId, tx) {
      const connection = await findLinkable(reference, tx);
      return connection && isOfferedTo(connection, clientId) ? connection : null;
    },
    findLinkable,
    async listLinkable(tenantIds) {
      const ofTenants = await Promise.all(tenantIds.map(enabledOf));
      return [...ofTenants.flat(), ...(await ofPlatform())];
    },
  };
}

function about(
  type: 'connection.created' | 'connection.updated' | 'connection.deleted',
  actor: Actor,
  { id, tenantId, status }: Connection,
) {
  return { type, tenantId, actor, subjectId: id, data: { status } };
}
