/**
 * What people have to do before a sign-in ends: accept terms, say who they are. Decides it, and writes down what was
 * accepted. Owns no data: what is asked stands with tenants, what was accepted with users and memberships. The tenant of
 * the operators asks for everybody.
 */
import type { Authorization } from '../access/index.js';
import { createExpiringValue } from '../platform/cache/expiring.js';
import { acceptTerms, type SeenTerms } from './accept-terms.js';
import type { RequiredActionsDeps } from './required-actions-deps.js';
import { asksNothing, noAsks, requiredActions, type RequiredActions } from './required-actions.js';

export type { DueTerms, RequiredActions, TermsOwner } from './required-actions.js';
export type { SeenTerms } from './accept-terms.js';

export interface RequiredActionsModule {
  /** Reads the person only where something is asked of somebody. */
  findRequiredActions(userId: string, authorization: Authorization): Promise<RequiredActions>;
  /** The same for a page, which knows the tenant by its id. Null: the person has no place in it any more. */
  findRequiredActionsIn(userId: string, tenantId: string): Promise<RequiredActions | null>;
  /**
   * Accepts what is due, if that is what the person has seen. False: it is something else by now, or they have no place
   * in the tenant; nothing is written then.
   */
  acceptTerms(userId: string, tenantId: string, seen: SeenTerms): Promise<boolean>;
  /** What is asked of everybody may have changed. */
  forgetPlatform(): void;
}

export function requiredActionsModule(deps: RequiredActionsDeps): RequiredActionsModule {
  const platform = createExpiringValue(
    deps.cacheSeconds,
    async () => (await deps.tenants.findTenantBySlug(deps.platformSlug))?.policies ?? noAsks,
  );

  async function findRequiredActions(userId: string, { asks, tenant }: Authorization): Promise<RequiredActions> {
    const ofTenant = tenant.slug === deps.platformSlug ? noAsks : asks; // asked of everybody already
    const asked = { ofEverybody: await platform.get(), ofTenant };
    const user = asksNothing(asked) ? null : await deps.users.findUserById(userId);
    if (!user) return { terms: [], profile: [] };
    return requiredActions(asked, { user, acceptedOfTenant: asks.acceptedTerms });
  }

  return {
    findRequiredActions,
    async findRequiredActionsIn(userId, tenantId) {
      const authorization = await deps.authorizationOf({ kind: 'user', userId }, tenantId);
      return authorization && findRequiredActions(userId, authorization);
    },
    acceptTerms: (userId, tenantId, seen) => acceptTerms(deps, { userId, tenantId, seen }),
    forgetPlatform: platform.forget,
  };
}
