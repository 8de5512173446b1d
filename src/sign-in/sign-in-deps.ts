import type { ConsentsModule } from '../consents/index.js';
import type { CredentialsModule } from '../credentials/index.js';
import type { Clock } from '../kernel/time.js';
import type { MembershipsModule } from '../memberships/index.js';
import type { Interactions } from '../oidc/index.js';
import type { BrowserIds } from '../platform/http/browser-id.js';
import type { Forms } from '../platform/http/forms.js';
import type { Pages } from '../platform/http/pages.js';
import type { Resource } from '../resources/index.js';
import type { Tenant } from '../tenants/index.js';
import type { User } from '../users/index.js';
import type { PickTenantDeps } from './pick-tenant.js';
import type { SignInWithPasswordDeps } from './sign-in-with-password.js';

/** What the pages ask of the rest of the product. */
export interface SignInDeps
  extends PickTenantDeps, SignInWithPasswordDeps, Pick<ConsentsModule, 'grantConsent' | 'denyConsent'> {
  issuer: string;
  now: Clock;
  knownDevices: CredentialsModule['knownDevices'];
  interactions: Interactions;
  pages: Pages;
  forms: Forms;
  browserIds: BrowserIds;
  rememberPick: MembershipsModule['rememberPick'];
  findUserById(id: string): Promise<User | null>;
  findTenantById(id: string): Promise<Tenant | null>;
  findResource(identifier: string): Promise<Resource | null>;
}
