/**
 * The pages on which people manage their own account. Owns no data and decides nothing about it: what is done is a use
 * case of administration, or of the slice that owns it. A section is one entry of `places.ts` and one function of
 * `account-routes.ts`. Endpoints: `/account…`.
 */
import type { AccountDeps } from './account-deps.js';
import { accountRoutes } from './account-routes.js';

export { accountClient, accountClientId } from './account-client.js';

export function accountModule(deps: AccountDeps): { router: ReturnType<typeof accountRoutes> } {
  return { router: accountRoutes(deps) };
}
