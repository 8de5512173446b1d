import type { AcceptedTerms, User } from '../users/index.js';
import type { AccountDeps } from './account-deps.js';

/** Terms that a person has accepted last: of the platform (null) or of a tenant. */
export interface OwnTerms extends AcceptedTerms {
  tenant: { id: string; name: string } | null;
}

/** Those of the platform first. */
export async function listOwnTerms(
  deps: Pick<AccountDeps, 'memberships' | 'tenants'>,
  user: Pick<User, 'id' | 'acceptedTerms'>,
): Promise<OwnTerms[]> {
  const memberships = await deps.memberships.listMembershipsOfUser(user.id);
  const accepted = memberships.filter(({ acceptedTerms }) => acceptedTerms !== null);
  const tenants = await deps.tenants.findTenantsByIds(accepted.map(({ tenantId }) => tenantId));
  const ofTenants = accepted.flatMap(({ tenantId, acceptedTerms }) => {
    const tenant = tenants.find(({ id }) => id === tenantId);
    return tenant && acceptedTerms ? [{ tenant: { id: tenant.id, name: tenant.name }, ...acceptedTerms }] : [];
  });
  return [...(user.acceptedTerms ? [{ tenant: null, ...user.acceptedTerms }] : []), ...ofTenants];
}
