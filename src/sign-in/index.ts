/**
 * The pages of an authorization request: login, second factor, sign-up, invitation, tenant picker, terms, profile,
 * consent, each with the look of the tenant that it is for; the link of
 * an invitation, which begins one; and the links in mails about an account, which lead back to one. Owns no data; the
 * interaction and its next step are the oidc slice's, passwords and factors the credentials slice's, the way to a
 * provider and back the connections slice's, what a link does is the accounts slice's. Endpoints: `/`,
 * `/sign-in/:uid…`, `/connections/callback`, `/invitations/…`, `/recover…`, `/sign-up…`, `/verify-email/…`,
 * `/change-email/…`, `/undo-email-change/…` and `/.well-known/change-password`.
 */
import { connectionRoutes } from './connection-routes.js';
import { invitationRoutes } from './invitation-routes.js';
import { tenantLooks, type LooksDeps } from './looks.js';
import { mailLinkRoutes } from './mail-link-routes.js';
import { requiredActionsRoutes } from './required-actions-routes.js';
import type { SignInDeps } from './sign-in-deps.js';
import { secondFactorRoutes } from './second-factor-routes.js';
import { signInRoutes } from './sign-in-routes.js';

export { invitationClient } from './invitation-routes.js';

export function signInModule(given: Omit<SignInDeps, 'lookOf'> & LooksDeps): {
  routers: ReturnType<typeof signInRoutes>[];
} {
  const deps: SignInDeps = { ...given, lookOf: tenantLooks(given) };
  const ofSignIn = [signInRoutes(deps), secondFactorRoutes(deps), connectionRoutes(deps), requiredActionsRoutes(deps)];
  return { routers: [...ofSignIn, invitationRoutes(deps), mailLinkRoutes(deps)] };
}
