import type { Actor } from '../kernel/actor.js';
import type { Tx } from '../platform/mongo/transactions.js';
import type { ClientsModule } from '../clients/index.js';
import type { Connection, ConnectionsModule } from '../connections/index.js';
import type { ConnectionPreset } from '../platform/schemas/connection.js';
import type { CredentialsModule } from '../credentials/index.js';
import type { DomainsModule, parseDomainName, ProblemOfName } from '../domains/index.js';
import type { logoOf, LogosModule } from '../logos/index.js';
import type { MembershipsModule } from '../memberships/index.js';
import type { Endings } from '../oidc/index.js';
import type { ResourcesModule } from '../resources/index.js';
import type { RolesModule } from '../roles/index.js';
import type { ServiceAccount, ServiceAccountsModule } from '../service-accounts/index.js';
import type { newTenant, Tenant, TenantsModule, TenantTypes } from '../tenants/index.js';
import type { TemplatesModule } from '../templates/index.js';
import type { UsersModule } from '../users/index.js';
import type { Client } from '../clients/index.js';
import type { Clock } from '../kernel/time.js';
import type { SeedIssue } from './seed.js';

/** The slices that a seed speaks to, each through what it offers to everybody. */
export interface SeedDeps {
  now: Clock;
  tenants: TenantsModule;
  tenantTypes: TenantTypes;
  reservedSlugs: ReadonlySet<string>;
  getTemplate: TemplatesModule['getTemplate'];
  newTenant: typeof newTenant;
  logos: Pick<LogosModule, 'keepLogo' | 'dropFormerLogo'>;
  logoOf: typeof logoOf;
  users: UsersModule;
  memberships: MembershipsModule;
  roles: RolesModule & { builtInRoleKeys: readonly string[] };
  resources: ResourcesModule;
  clients: ClientsModule & { checkClient(client: Client): Promise<void> };
  connections: Pick<
    ConnectionsModule,
    | ('findConnectionByKey' | 'isConnectionId' | 'createConnection' | 'updateConnection')
    | ('isSecretOf' | 'newClientKey' | 'connectionFrom')
  >;
  connectionPresets: Readonly<Record<string, ConnectionPreset>>;
  mayHaveConnections(tenant: Tenant): boolean;
  isWayIn(connection: Connection): boolean;
  endAllOpenedBy: Endings['endAllOpenedBy'];
  serviceAccounts: ServiceAccountsModule;
  clientOfServiceAccount(account: ServiceAccount): Client;
  credentials: CredentialsModule;
  domains: DomainsModule;
  parseDomainName: typeof parseDomainName;
  problemOfDomainName: ProblemOfName;
  isPlan(key: string): boolean;
  platformSlug: string;
  /** OpenID scopes that a client's `scope` may name beside permissions. */
  knownScopes: readonly string[];
  /** Why this is no address that the server calls, or null. */
  problemOfOutboundUri(uri: string): string | null;
  passwordLength: { minimum: number; maximum: number };
}

/**
 * What a seed comes to, found by reading only: the writes that are missing, and what is wrong. Slow work (hashing) is
 * done while planning, so that the writes fit into one short transaction and may be repeated.
 */
export interface SeedPlan {
  readonly actor: Actor;
  readonly writes: ((tx: Tx) => Promise<void>)[];
  /** By which nobody comes any more: what they have opened ends once all is written. */
  readonly closedConnections: Set<string>;
  readonly issues: SeedIssue[];
  readonly counts: { created: number; updated: number; unchanged: number };
  /** Tenants that the seed names, by slug, as they will be. */
  readonly tenants: Map<string, Tenant>;
  /** Slugs of those that the seed makes. */
  readonly newTenants: Set<string>;
  /** Role keys of those tenants, by tenant id, as they will be. */
  readonly roleKeys: Map<string, Set<string>>;
  /** Names that the seed has used, each under its kind: what a unique index would refuse is refused with its line. */
  takes(kind: 'client' | 'secret' | 'key' | 'membership' | 'personal' | 'connection' | 'domain', name: string): boolean;
  create(write: (tx: Tx) => Promise<void>): void;
  update(write: (tx: Tx) => Promise<void>): void;
  keep(): void;
  refuse(path: SeedIssue['path'], message: string): void;
}

export function newSeedPlan(actor: Actor): SeedPlan {
  const counts = { created: 0, updated: 0, unchanged: 0 };
  const writes: SeedPlan['writes'] = [];
  const issues: SeedIssue[] = [];
  const taken = new Set<string>();
  return {
    ...{ actor, writes, issues, counts },
    closedConnections: new Set(),
    tenants: new Map(),
    newTenants: new Set(),
    roleKeys: new Map(),
    takes(kind, name) {
      const key = `${kind} ${name}`;
      return !taken.has(key) && Boolean(taken.add(key));
    },
    create(write) {
      counts.created++;
      writes.push(write);
    },
    update(write) {
      counts.updated++;
      writes.push(write);
    },
    keep: () => void counts.unchanged++,
    refuse: (path, message) => void issues.push({ path, message }),
  };
}
