/**
 * The pages of an authorization request: login, tenant picker, consent. Owns no data; the interaction and its next step
 * are the oidc slice's, passwords the credentials slice's. Endpoints: `/` and `/sign-in/:uid…`.
 */
import type { ConsentsModule } from '../consents/index.js';
import type { Interactions } from '../oidc/index.js';
import type { Forms } from '../platform/http/forms.js';
import type { Pages } from '../platform/http/pages.js';
import type { Resource } from '../resources/index.js';
import type { Tenant } from '../tenants/index.js';
import type { User } from '../users/index.js';
import type { PickTenantDeps } from './pick-tenant.js';
import { signInRoutes } from './sign-in-routes.js';
import type { SignInWithPasswordDeps } from './sign-in-with-password.js';

export interface SignInDeps
  extends PickTenantDeps, SignInWithPasswordDeps, Pick<ConsentsModule, 'grantConsent' | 'denyConsent'> {
  issuer: string;
  interactions: Interactions;
  pages: Pages;
  forms: Forms;
  findUserById(id: string): Promise<User | null>;
  findTenantById(id: string): Promise<Tenant | null>;
  findResource(identifier: string): Promise<Resource | null>;
}

export function signInModule(deps: SignInDeps): { router: ReturnType<typeof signInRoutes> } {
  return { router: signInRoutes(deps) };
}
