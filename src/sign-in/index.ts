/**
 * The pages of an authorization request: login, tenant picker, consent. Owns no data; the interaction and its next step
 * are the oidc slice's, passwords the credentials slice's. Endpoints: `/` and `/sign-in/:uid…`.
 */
import type { SignInDeps } from './sign-in-deps.js';
import { signInRoutes } from './sign-in-routes.js';

export function signInModule(deps: SignInDeps): { router: ReturnType<typeof signInRoutes> } {
  return { router: signInRoutes(deps) };
}
