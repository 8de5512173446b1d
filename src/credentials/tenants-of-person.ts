import type { Membership } from '../memberships/index.js';
import type { Tx } from '../platform/mongo/transactions.js';
import type { Tenant, TenantPolicies } from '../tenants/index.js';
import { strictestLimits, type AttemptLimits } from './sign-in-attempts.js';

export interface TenantsOfPersonDeps {
  listMembershipsOfUser(userId: string, tx?: Tx): Promise<Membership[]>;
  findTenantsByIds(ids: readonly string[]): Promise<Tenant[]>;
}

/**
 * What all tenants of a person ask for, of which the strictest counts: there is one password. Of nobody (null) it is asked
 * as well, so that the time of the answer does not tell whether there is an account.
 */
export async function policiesFor(
  deps: TenantsOfPersonDeps,
  userId: string | null,
  tx?: Tx,
): Promise<TenantPolicies[]> {
  const memberships = await deps.listMembershipsOfUser(userId ?? 'nobody', tx);
  const tenants = await deps.findTenantsByIds(memberships.map(({ tenantId }) => tenantId));
  return tenants.map(({ policies }) => policies);
}

/** How many former passwords are refused, and so kept. */
export function strictestHistory(ofPlatform: number, policies: readonly TenantPolicies[]): number {
  return Math.max(ofPlatform, ...policies.map(({ password }) => password.history ?? 0));
}

/** Whether a tenant of this person refuses codes by e-mail: there is one account for all of them. */
export async function refusesEmailCodes(deps: TenantsOfPersonDeps, userId: string, tx?: Tx): Promise<boolean> {
  return (await policiesFor(deps, userId, tx)).some(({ emailCodes }) => emailCodes === 'refused');
}

/** How often may be tried at the account of this person. */
export async function limitsFor(
  deps: TenantsOfPersonDeps,
  ofPlatform: AttemptLimits,
  userId: string | null,
): Promise<AttemptLimits> {
  const policies = await policiesFor(deps, userId);
  return strictestLimits(
    ofPlatform,
    policies.map(({ signInAttempts }) => signInAttempts),
  );
}
