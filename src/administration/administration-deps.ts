import type { ActionLinksModule } from '../action-links/index.js';
import type { AccessModule } from '../access/index.js';
import type { Client, ClientAuthentication, ClientsModule } from '../clients/index.js';
import type { Connection, ConnectionsModule, UpstreamPerson } from '../connections/index.js';
import type { ConsentsModule } from '../consents/index.js';
import type { CredentialsModule, FactorsModule } from '../credentials/index.js';
import type { challengeOf, DomainsModule, parseDomainName, ProblemOfName } from '../domains/index.js';
import type { RecordEvent } from '../events/index.js';
import type { Said } from '../kernel/message.js';
import type { Clock } from '../kernel/time.js';
import type { LogosModule } from '../logos/index.js';
import type { MembershipsModule } from '../memberships/index.js';
import type { IdentitiesModule } from '../identities/index.js';
import type { InvitationsModule } from '../invitations/index.js';
import type { CurrentSessions, Endings, SessionsOf } from '../oidc/index.js';
import type { LookupText } from '../platform/dns/text-records.js';
import type { Outbox } from '../platform/mail/outbox.js';
import type { Database } from '../platform/mongo/open-database.js';
import type { InTransaction } from '../platform/mongo/transactions.js';
import type { ConnectionPreset } from '../platform/schemas/connection.js';
import type { ResourcesModule } from '../resources/index.js';
import type { Role, RolesModule } from '../roles/index.js';
import type { ApiKey, ServiceAccount, ServiceAccountsModule } from '../service-accounts/index.js';
import type { SubscriptionsModule } from '../subscriptions/index.js';
import type { TemplatesModule } from '../templates/index.js';
import type { newTenant, noBranding, noTenant, Tenant, TenantsModule, TenantTypes } from '../tenants/index.js';
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
  logos: Pick<LogosModule, 'keepLogo' | 'dropFormerLogo'>;
  noBranding: typeof noBranding;
  isPlan: SubscriptionsModule['isPlan'];
  memberships: MembershipsModule;
  roles: RolesModule & { builtInRoles: readonly Role[] };
  serviceAccounts: ServiceAccountsModule;
  clients: ClientsModule;
  connections: ConnectionsModule;
  connectionPresets: Readonly<Record<string, ConnectionPreset>>;
  connectionLimits: { ofTenant: number };
  /** Whether its plan includes them; the operators need no plan for theirs. */
  mayHaveConnections(tenant: Tenant): boolean;
  forgetIdentitiesOfConnection: IdentitiesModule['forgetIdentitiesOfConnection'];
  invitations: InvitationsModule;
  domains: DomainsModule;
  parseDomainName: typeof parseDomainName;
  challengeOf: typeof challengeOf;
  mappedRoles(connection: Connection, person: UpstreamPerson): string[];
  isWayIn(connection: Connection): boolean;
  problemOfDomainName: ProblemOfName;
  lookupText: LookupText;
  users: UsersModule;
  credentials: Pick<
    CredentialsModule,
    | 'passwordRulesFor'
    | 'isUsableHash'
    | 'hashPassword'
    | 'setPasswordHash'
    | 'changePasswordHash'
    | 'requirePasswordReset'
    | 'forgetCredentials'
    | 'endWaits'
  >;
  links: Pick<ActionLinksModule, 'forgetLinksOf' | 'listLinksOf'>;
  factors: Pick<FactorsModule, 'resetFactors' | 'disallowEmailCodes' | 'forgetEmailCode' | 'endWaits'>;
  sessions: SessionsOf;
  renewSession: CurrentSessions['renewSession'];
  resources: ResourcesModule;
  authorizationOf: AccessModule['authorizationOf'];
  forgetConsents: ConsentsModule['forgetConsents'];
  permissionsOf(roles: readonly Role[], isOfOperators: boolean): string[];
  entitlementsOf: SubscriptionsModule['entitlementsOf'];
  withApiKeys: ClientAuthentication;
  clientOfServiceAccount(account: ServiceAccount): Client;
  newApiKeySecret(): string;
  isLiveKey(key: ApiKey, now: Date): boolean;
  /** Throws, with the reason, metadata that the library would refuse. */
  checkClient(client: Client): Promise<void>;
  /** Why this is no address that the server calls; or null. */
  problemOfOutboundUri(uri: string): string | null;
  queueMail: Outbox['queueMail'];
  /** What the API says of what pages say in the language of the reader. */
  inEnglish(said: Said): string;
  /** What people may do by themselves. */
  portal: { deletionGraceSeconds: number; ownedTeams: number };
  /** How long the record of a verified domain may be missing. */
  domainRules: { graceSeconds: number };
  apiKeys: { lifetimeSeconds: number; longestLifetimeSeconds: number; ofAccount: number; keptDead: number };
  invitationLimits: {
    lifetimeSeconds: number;
    pending: number;
    sendings: number;
    toAddressAnHour: number;
    ofTenantAnHour: number;
  };
  findUserById: UsersModule['findUserById'];
  findUserByEmail: UsersModule['findUserByEmail'];
  listResources: ResourcesModule['listResources'];
  endings: Endings;
}
