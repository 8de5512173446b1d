import type { AccountsModule } from '../accounts/index.js';
import type { AdministrationModule, schemas } from '../administration/index.js';
import type { ClientsModule } from '../clients/index.js';
import type { ConnectionsModule } from '../connections/index.js';
import type { FactorsModule } from '../credentials/index.js';
import type { IdentitiesModule } from '../identities/index.js';
import type { challengeOf, DomainsModule } from '../domains/index.js';
import type { InvitationsModule } from '../invitations/index.js';
import type { Clock } from '../kernel/time.js';
import type { MembershipsModule } from '../memberships/index.js';
import type { SessionsOf } from '../oidc/index.js';
import type { ResourcesModule } from '../resources/index.js';
import type { Role, RolesModule } from '../roles/index.js';
import type { ServiceAccountsModule } from '../service-accounts/index.js';
import type { SubscriptionsModule } from '../subscriptions/index.js';
import type { TemplatesModule } from '../templates/index.js';
import type { TenantsModule, TenantTypes } from '../tenants/index.js';
import type { UsersModule } from '../users/index.js';

/** What the routes ask of the rest of the product: use cases to change, slices to read. */
export interface RouteDeps {
  now: Clock;
  administration: AdministrationModule;
  accounts: Pick<AccountsModule, 'unlinkIdentity'>;
  identities: Pick<IdentitiesModule, 'listIdentitiesOf'>;
  schemas: typeof schemas;
  tenants: TenantsModule;
  tenantTypes: TenantTypes;
  memberships: MembershipsModule;
  roles: RolesModule & { builtInRoles: readonly Role[] };
  serviceAccounts: ServiceAccountsModule;
  clients: ClientsModule;
  connections: Pick<ConnectionsModule, 'listConnections' | 'findConnection' | 'testConnection' | 'redirectUriOf'>;
  /** Names of presets. */
  connectionPresets: readonly string[];
  invitations: InvitationsModule;
  domains: Pick<DomainsModule, 'listDomains'>;
  challengeOf: typeof challengeOf;
  users: UsersModule;
  sessions: SessionsOf;
  factors: Pick<FactorsModule, 'listFactors' | 'removeFactor' | 'requireFresh'>;
  resources: ResourcesModule;
  templates: TemplatesModule;
  entitlementsOf: SubscriptionsModule['entitlementsOf'];
}
