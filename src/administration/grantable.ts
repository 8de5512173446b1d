import type { Authority } from '../kernel/actor.js';
import { AppError } from '../kernel/errors.js';
import type { Tx } from '../platform/mongo/transactions.js';
import type { Role } from '../roles/index.js';
import type { Tenant } from '../tenants/index.js';
import type { AdministrationDeps } from './administration-deps.js';

/** Nobody gives, takes or changes what they lack. An owner is made and unmade by owners alone. */
export function requireGrantable(by: Authority, roles: readonly Pick<Role, 'key' | 'permissions'>[]): void {
  for (const { key, permissions } of roles) {
    const lacks = permissions.some((permission) => !by.allows(permission));
    if (lacks || (key === 'owner' && !by.roles.includes('owner'))) {
      throw new AppError('role.beyond_own', {
        status: 403,
        detail: 'This takes rights in the tenant that you do not have yourself.',
      });
    }
  }
}

/** For what only operators decide: what a plan gives, and what is not of one tenant. */
export function requireOperator(by: Authority): void {
  if (by.allows('platform:tenants:write')) return;
  throw new AppError('operator.required', { status: 403, detail: 'Operators alone may do this.' });
}

/** The roles that members of this tenant may hold, as of this transaction. */
export async function rolesOfTenant(deps: AdministrationDeps, tx: Tx, tenant: Tenant): Promise<Role[]> {
  const { builtInRoles } = deps.tenantTypes[tenant.type];
  const custom = await deps.roles.listCustomRoles(tenant.id, tx);
  const all = [...deps.roles.builtInRoles.filter(({ key }) => builtInRoles.includes(key)), ...custom];
  // with what they come to in the tenant of the operators
  const isOfOperators = tenant.slug === deps.platformSlug;
  return all.map((role) => ({ ...role, permissions: deps.permissionsOf([role], isOfOperators) }));
}

/** Throws 400 with a pointer when one of the keys names no role of the tenant. */
export function rolesNamed(available: readonly Role[], keys: readonly string[]): Role[] {
  return keys.map((key, index) => {
    const role = available.find((candidate) => candidate.key === key);
    if (role) return role;
    throw new AppError('role.unknown', {
      status: 400,
      detail: 'The tenant has no such role.',
      fields: [{ pointer: `/roles/${index}`, code: 'unknown', detail: 'names no role of the tenant' }],
    });
  });
}
