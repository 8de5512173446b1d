import { passwordRules, type PasswordLimits, type PasswordRules } from './password-rules.js';
import { strictestHistory, type TenantsOfPersonDeps } from './tenants-of-person.js';

/** Whose password it becomes; what is not known yet is left out. */
export interface PasswordOwner {
  userId?: string | undefined;
  email?: string;
  name?: string | undefined;
  /** Tenants that they are about to join. */
  tenantIds?: readonly string[] | undefined;
}

export interface RulesOfOwnerDeps extends TenantsOfPersonDeps {
  /** What the service is called, by which nobody guards their account. */
  serviceNames: readonly string[];
  passwordBlockList: ReadonlySet<string>;
  passwords: { minimumLength: number; maximumLength: number; history: number };
}

/** The strictest of the platform and of all tenants of the person. */
export async function rulesOfOwner(
  deps: RulesOfOwnerDeps,
  { userId, email, name, tenantIds = [] }: PasswordOwner,
): Promise<PasswordRules & { history: number }> {
  const memberships = userId === undefined ? [] : await deps.listMembershipsOfUser(userId);
  const tenants = await deps.findTenantsByIds([...tenantIds, ...memberships.map(({ tenantId }) => tenantId)]);
  const lengths = tenants.map(({ policies }) => policies.password.minimumLength ?? 0);
  const shared = tenants.filter(({ type }) => type !== 'personal');
  const ofTenants = shared.flatMap((tenant) => [tenant.name, tenant.slug]);
  const limits: PasswordLimits = {
    minimumLength: Math.max(deps.passwords.minimumLength, ...lengths),
    maximumLength: deps.passwords.maximumLength,
    guessable: [...deps.serviceNames, ...ofTenants, ...addressParts(email), ...(name ? [name] : [])],
    isCommon: (text) => deps.passwordBlockList.has(text),
  };
  const policies = tenants.map((tenant) => tenant.policies);
  return { ...passwordRules(limits), history: strictestHistory(deps.passwords.history, policies) };
}

/** But for the last label, which says nothing of the person. */
function addressParts(email: string | undefined): string[] {
  const [local = '', domain = ''] = (email ?? '').split('@');
  return [local, ...domain.split('.').slice(0, -1)];
}
