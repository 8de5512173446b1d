import { AppError } from '../kernel/errors.js';
import { parseEmail } from '../kernel/email.js';
import { tenantIdPattern } from '../kernel/patterns.js';
import type { Tenant } from '../tenants/index.js';
import type { User } from '../users/index.js';
import type { Client } from '../clients/index.js';
import type { Page } from '../platform/mongo/page.js';
import type { ApiKey, ServiceAccount } from '../service-accounts/index.js';
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

export async function getServiceAccount(
  deps: AdministrationDeps,
  tenantId: string,
  idOrClientId: string,
): Promise<ServiceAccount> {
  const account =
    (await deps.serviceAccounts.findServiceAccountById(tenantId, idOrClientId)) ??
    (await deps.serviceAccounts.findServiceAccount(tenantId, idOrClientId));
  if (account) return account;
  throw noServiceAccount();
}

export const listTenants = (deps: AdministrationDeps, page: Page): Promise<Tenant[]> => deps.tenants.listTenants(page);

export const listUsers = (deps: AdministrationDeps, page: Page): Promise<User[]> => deps.users.listUsers(page);

export const listClients = (deps: AdministrationDeps, tenantId: string, page: Page): Promise<Client[]> =>
  deps.clients.listApplications(tenantId, page);

export const listServiceAccounts = (
  deps: AdministrationDeps,
  tenantId: string,
  page: Page,
): Promise<ServiceAccount[]> => deps.serviceAccounts.listServiceAccounts(tenantId, page);

export const listApiKeys = (deps: AdministrationDeps, tenantId: string, accountId: string): Promise<ApiKey[]> =>
  deps.serviceAccounts.listApiKeys(tenantId, accountId);

export function noServiceAccount(): AppError {
  return new AppError('service_account.not_found', { status: 404, detail: 'There is no such service account.' });
}

export function noUser(): AppError {
  return new AppError('user.not_found', { status: 404, detail: 'There is no such user.' });
}
