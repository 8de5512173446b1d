import type { ClientsModule } from '../clients/index.js';
import type { RecordEvent } from '../events/index.js';
import type { Clock } from '../kernel/time.js';
import type { MembershipsModule } from '../memberships/index.js';
import type { Endings } from '../oidc/index.js';
import type { Database } from '../platform/mongo/open-database.js';
import type { InTransaction } from '../platform/mongo/transactions.js';
import type { ResourcesModule } from '../resources/index.js';
import type { Role, RolesModule } from '../roles/index.js';
import type { ServiceAccountsModule } from '../service-accounts/index.js';
import type { SubscriptionsModule } from '../subscriptions/index.js';
import type { TemplatesModule } from '../templates/index.js';
import type { newTenant, noTenant, TenantsModule, TenantTypes } from '../tenants/index.js';
import type { UsersModule } from '../users/index.js';

/** What governing a tenant asks of the slices. */
export interface AdministrationDeps {
  database: Database;
  inTransaction: InTransaction;
  recordEvent: RecordEvent;
  now: Clock;
  tenants: TenantsModule;
  newTenant: typeof newTenant;
  noTenant: typeof noTenant;
  tenantTypes: TenantTypes;
  reservedSlugs: ReadonlySet<string>;
  platformSlug: string;
  /** How long an archived tenant is kept. */
  deletionGraceSeconds: number;
  templates: TemplatesModule;
  isPlan: SubscriptionsModule['isPlan'];
  memberships: MembershipsModule;
  roles: RolesModule & { builtInRoles: readonly Role[] };
  serviceAccounts: ServiceAccountsModule;
  clients: ClientsModule;
  findUserById: UsersModule['findUserById'];
  findUserByEmail: UsersModule['findUserByEmail'];
  listResources: ResourcesModule['listResources'];
  endings: Endings;
}
