import { AppError } from '../kernel/errors.js';
import { parseEmail } from '../kernel/email.js';
import { tenantIdPattern } from '../kernel/patterns.js';
import type { Tenant } from '../tenants/index.js';
import type { User } from '../users/index.js';
import type { AdministrationDeps } from './administration-deps.js';

/** By id, or by its present slug or one that it had before. Throws the same 404 as every use case. */
export async function getTenant(deps: AdministrationDeps, slugOrId: string): Promise<Tenant> {
  if (typeof slugOrId !== 'string') throw deps.noTenant();
  const tenant = tenantIdPattern.test(slugOrId)
    ? await deps.tenants.findTenantById(slugOrId)
    : await deps.tenants.findTenantBySlug(slugOrId);
  if (!tenant || tenant.status === 'deleted') throw deps.noTenant();
  return tenant;
}

export async function getUserByEmail(deps: AdministrationDeps, address: string): Promise<User> {
  const email = parseEmail(address);
  const user = email === null ? null : await deps.findUserByEmail(email);
  if (user) return user;
  throw noUser();
}

export function noUser(): AppError {
  return new AppError('user.not_found', { status: 404, detail: 'There is no such user.' });
}
