import type { RequiredActionsDeps } from './required-actions-deps.js';
import { noAsks, requiredActions, type TermsOwner } from './required-actions.js';

/** Versions that stood on the page on which somebody agreed. */
export type SeenTerms = Partial<Record<TermsOwner, string | undefined>>;

/** With person and membership as they are in the transaction: an agreement is to what was read and to nothing else. */
export function acceptTerms(
  deps: RequiredActionsDeps,
  { userId, tenantId, seen }: { userId: string; tenantId: string; seen: SeenTerms },
): Promise<boolean> {
  const actor = { kind: 'user', userId } as const;
  return deps.inTransaction(async (tx) => {
    const user = await deps.users.findUserById(userId, tx);
    const membership = await deps.memberships.findMembership(tenantId, userId, tx);
    const tenant = await deps.tenants.findTenantById(tenantId);
    const platform = await deps.tenants.findTenantBySlug(deps.platformSlug);
    if (!user || !membership || !tenant) return false;
    const ofTenant = tenant.id === platform?.id ? noAsks : tenant.policies;
    const asked = { ofEverybody: platform?.policies ?? noAsks, ofTenant };
    const { terms } = requiredActions(asked, { user, acceptedOfTenant: membership.acceptedTerms });
    if (terms.some(({ of: owner, version }) => seen[owner] !== version)) return false;
    for (const { of: owner, version, uri } of terms) {
      const accepted = { version, uri, acceptedAt: deps.now() };
      if (owner === 'platform') await deps.users.acceptPlatformTerms(tx, actor, userId, accepted);
      else await deps.memberships.acceptTenantTerms(tx, actor, membership, accepted);
    }
    return true;
  });
}
