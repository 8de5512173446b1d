import type { AccountsModule } from '../accounts/index.js';
import type { AdministrationModule } from '../administration/index.js';
import type { ConnectionsModule } from '../connections/index.js';
import type { ConsentsModule } from '../consents/index.js';
import type { Assurance, CredentialsModule, FactorsModule } from '../credentials/index.js';
import type { HomeRealms } from '../domains/index.js';
import type { Clock } from '../kernel/time.js';
import type { MembershipsModule } from '../memberships/index.js';
import type { Interactions } from '../oidc/index.js';
import type { BrowserIds } from '../platform/http/browser-id.js';
import type { FormLimits } from '../platform/http/form-body.js';
import type { Forms } from '../platform/http/forms.js';
import type { LastingCookies } from '../platform/http/lasting-cookies.js';
import type { Pages } from '../platform/http/pages.js';
import type { RequiredActionsModule } from '../required-actions/index.js';
import type { Resource } from '../resources/index.js';
import type { Tenant } from '../tenants/index.js';
import type { User } from '../users/index.js';
import type { LookOf } from './looks.js';
import type { PickTenantDeps } from './pick-tenant.js';
import type { SignInWithPasswordDeps } from './sign-in-with-password.js';
import type { SignUpInvitedDeps } from './sign-up-invited.js';

/** What the pages ask of the rest of the product. */
export interface SignInDeps
  extends
    PickTenantDeps,
    SignInWithPasswordDeps,
    SignUpInvitedDeps,
    Pick<ConsentsModule, 'grantConsent' | 'denyConsent'> {
  issuer: string;
  /** Of the portal, which is of no tenant. */
  accountClientId: string;
  accounts: AccountsModule;
  connections: Pick<
    ConnectionsModule,
    | ('listOffered' | 'findUsable' | 'isOfPlatform' | 'begin' | 'take' | 'finish' | 'placeOfState')
    | 'recordFailedSignIn'
  >;
  homeRealms: HomeRealms;
  joinByDomain: AdministrationModule['joinByDomain'];
  findDomainVouching: AdministrationModule['findDomainVouching'];
  formLimits: FormLimits;
  passwordRulesFor: CredentialsModule['passwordRulesFor'];
  factors: FactorsModule;
  /** How old a sign-in may be in which a first factor is set up. */
  freshSeconds: number;
  assurance: Assurance;
  acceptInvitation: AdministrationModule['acceptInvitation'];
  changeOwnProfile: AdministrationModule['changeOwnProfile'];
  requiredActions: Pick<RequiredActionsModule, 'findRequiredActionsIn' | 'acceptTerms'>;
  lookOf: LookOf;
  now: Clock;
  inLine: CredentialsModule['inLine'];
  knownDevices: CredentialsModule['knownDevices'];
  interactions: Interactions;
  pages: Pages;
  forms: Forms;
  browserIds: BrowserIds;
  cookies: LastingCookies;
  rememberPick: MembershipsModule['rememberPick'];
  findUserById(id: string): Promise<User | null>;
  findTenantById(id: string): Promise<Tenant | null>;
  findTenantBySlug(slug: string): Promise<Tenant | null>;
  findResource(identifier: string): Promise<Resource | null>;
}
