import type { AccountsModule } from '../accounts/index.js';
import type { AdministrationModule } from '../administration/index.js';
import type { ClientsModule } from '../clients/index.js';
import type { ConnectionsModule } from '../connections/index.js';
import type { ConsentsModule } from '../consents/index.js';
import type { Assurance, CredentialsModule, FactorsModule } from '../credentials/index.js';
import type { EventsModule, RecordEvent } from '../events/index.js';
import type { IdentitiesModule } from '../identities/index.js';
import type { InvitationsModule } from '../invitations/index.js';
import type { Clock } from '../kernel/time.js';
import type { MembershipsModule } from '../memberships/index.js';
import type { CurrentSessions, Endings, SessionsOf } from '../oidc/index.js';
import type { BrowserIds } from '../platform/http/browser-id.js';
import type { Sealing } from '../platform/crypto/sealing.js';
import type { Forms } from '../platform/http/forms.js';
import type { LastingCookies } from '../platform/http/lasting-cookies.js';
import type { Pages } from '../platform/http/pages.js';
import type { InTransaction } from '../platform/mongo/transactions.js';
import type { ResourcesModule } from '../resources/index.js';
import type { RolesModule } from '../roles/index.js';
import type { TenantsModule } from '../tenants/index.js';

/** What the portal asks of the rest of the product. */
export interface AccountDeps extends Pick<CurrentSessions, 'currentSession' | 'raiseSession' | 'keepSession'> {
  issuer: string;
  now: Clock;
  pages: Pages;
  forms: Forms;
  sealing: Sealing;
  inTransaction: InTransaction;
  recordEvent: RecordEvent;
  administration: AdministrationModule;
  accounts: Pick<AccountsModule, 'startEmailChange' | 'requestEmailVerification' | 'linkIdentity' | 'unlinkIdentity'>;
  connections: Pick<
    ConnectionsModule,
    'findConnection' | 'listLinkable' | 'findLinkable' | 'begin' | 'take' | 'finish' | 'recordFailedSignIn'
  >;
  identities: Pick<IdentitiesModule, 'listIdentitiesOf'>;
  browserIds: Pick<BrowserIds, 'ensure'>;
  sessions: Pick<SessionsOf, 'listSessionsOf'>;
  endings: Pick<Endings, 'endSession' | 'endAllOf' | 'endOthersOf' | 'endGrantsOf'>;
  credentials: Pick<
    CredentialsModule,
    'beginAttempt' | 'verifyPassword' | 'inLine' | 'passwordRulesFor' | 'knownDevices'
  >;
  cookies: LastingCookies;
  assurance: Pick<Assurance, 'isStrongest' | 'reaches' | 'reachesSecondLevel' | 'levelOf' | 'amrOf' | 'passwordProof'>;
  factors: Pick<
    FactorsModule,
    | 'listFactors'
    | 'countRecoveryCodes'
    | 'refusesEmailCodes'
    | 'passkeys'
    | 'beginTotp'
    | 'confirmTotp'
    | 'addPasskey'
    | 'allowEmailCodes'
    | 'renameFactor'
    | 'removeFactor'
    | 'makeRecoveryCodes'
    | 'forgetTrustedDevices'
  >;
  consents: Pick<ConsentsModule, 'listConsentsOf' | 'revokeConsent'>;
  events: Pick<EventsModule, 'listEventsOfPerson'>;
  invitations: Pick<InvitationsModule, 'listOpenInvitationsTo'>;
  memberships: Pick<MembershipsModule, 'listMembershipsOfUser'>;
  tenants: Pick<TenantsModule, 'findTenantsByIds'>;
  clients: Pick<ClientsModule, 'findClient'>;
  roles: Pick<RolesModule, 'findRolesIn'>;
  resources: Pick<ResourcesModule, 'findResource'>;
  /** Since a person has proven who they are, for what others must not do in their place. */
  freshSeconds: number;
  deletionGraceSeconds: number;
  ownedTeams: number;
}
