import { z } from 'zod';
import type { Authority } from '../kernel/actor.js';
import { AppError } from '../kernel/errors.js';
import { newId } from '../kernel/ids.js';
import { isDuplicateKey, type Tx } from '../platform/mongo/transactions.js';
import type { CustomRole } from '../roles/index.js';
import type { Tenant } from '../tenants/index.js';
import type { AdministrationDeps } from './administration-deps.js';
import { requireGrantable } from './grantable.js';
import { nameText, parsed, permissionTexts, roleKeyText, type Precondition } from './input.js';

/** Of one tenant: whatever looks at all of them stays quick. */
const mostRoles = 200;

export const newRoleSchema = z.strictObject({ key: roleKeyText, name: nameText(100), permissions: permissionTexts });
export const roleChangesSchema = z.strictObject({
  name: nameText(100).optional(),
  permissions: permissionTexts.optional(),
});

/** A role over permissions that resources define and the caller has. 409 when the key is in use. */
export async function createRole(
  deps: AdministrationDeps,
  by: Authority,
  tenantId: string,
  input: z.input<typeof newRoleSchema>,
): Promise<CustomRole> {
  const wanted = parsed(newRoleSchema, input);
  const role = { ...wanted, id: newId('rol'), tenantId, builtIn: false as const, createdAt: deps.now() };
  if (deps.roles.builtInRoles.some(({ key }) => key === wanted.key)) throw keyInUse();
  try {
    await deps.inTransaction(async (tx) => {
      const tenant = await deps.tenants.holdTenant(tx, tenantId);
      requireCustomRoles(deps, tenant);
      if ((await deps.roles.listCustomRoles(tenantId, tx)).length >= mostRoles)
        throw new AppError('role.too_many', { status: 409, detail: `A tenant has ${mostRoles} roles at most.` });
      await requirePermissions(deps, tenant, wanted.permissions);
      requireGrantable(by, [role]);
      await deps.roles.createRole(tx, by.actor, role);
    });
  } catch (error) {
    throw isDuplicateKey(error) ? keyInUse(error) : error;
  }
  return role;
}

/** A role of a template that is changed becomes the tenant's own: an upgrade leaves it alone. */
export async function changeRole(
  deps: AdministrationDeps,
  by: Authority,
  { tenantId, roleId, precondition }: { tenantId: string; roleId: string; precondition?: Precondition },
  input: z.input<typeof roleChangesSchema>,
): Promise<void> {
  const { name, permissions } = parsed(roleChangesSchema, input);
  await deps.inTransaction(async (tx) => {
    const { tenant, role } = await heldRole(deps, tx, tenantId, roleId);
    precondition?.(role);
    if (permissions) await requirePermissions(deps, tenant, permissions);
    requireGrantable(by, [role, { key: role.key, permissions: permissions ?? [] }]);
    const changes = { ...(name === undefined ? {} : { name }), ...(permissions === undefined ? {} : { permissions }) };
    await deps.roles.updateRole(tx, by.actor, role, changes);
    await markOwn(deps, tx, { by, tenant, key: role.key });
  });
}

/** 409 while somebody holds it. */
export async function deleteRole(
  deps: AdministrationDeps,
  by: Authority,
  { tenantId, roleId }: { tenantId: string; roleId: string },
): Promise<void> {
  await deps.inTransaction(async (tx) => {
    const { tenant, role } = await heldRole(deps, tx, tenantId, roleId);
    requireGrantable(by, [role]);
    const holders = await countHolders(deps, tx, role);
    if (holders > 0)
      throw new AppError('role.held', { status: 409, detail: `The role is held by ${holders}, who would lose it.` });
    await deps.roles.deleteRole(tx, by.actor, role);
    await markOwn(deps, tx, { by, tenant, key: role.key });
  });
}

/** From now on no template has a say in this role. */
async function markOwn(
  deps: AdministrationDeps,
  tx: Tx,
  { by, tenant, key }: { by: Authority; tenant: Tenant; key: string },
): Promise<void> {
  const path = `roles.${key}`;
  if (tenant.overrides.includes(path)) return;
  await deps.tenants.updateTenant(tx, by.actor, tenant, { overrides: [...tenant.overrides, path] });
}

export async function countHolders(
  deps: AdministrationDeps,
  tx: Tx,
  { tenantId, key }: { tenantId: string; key: string },
): Promise<number> {
  const members = await deps.memberships.countMembersWithRole(tx, tenantId, key);
  return members + (await deps.serviceAccounts.countServiceAccountsWithRole(tx, tenantId, key));
}

async function heldRole(
  deps: AdministrationDeps,
  tx: Tx,
  tenantId: string,
  roleId: string,
): Promise<{ tenant: Tenant; role: CustomRole }> {
  const tenant = await deps.tenants.holdTenant(tx, tenantId);
  const role = (await deps.roles.listCustomRoles(tenantId, tx)).find(({ id }) => id === roleId);
  if (role) return { tenant, role };
  throw new AppError('role.not_found', { status: 404, detail: 'There is no such role.' });
}

function requireCustomRoles(deps: AdministrationDeps, tenant: Tenant): void {
  const { customRoles, name } = deps.tenantTypes[tenant.type];
  if (customRoles) return;
  throw new AppError('role.not_in_type', { status: 409, detail: `${name} tenants have no roles of their own.` });
}

async function requirePermissions(
  deps: AdministrationDeps,
  tenant: Tenant,
  permissions: readonly string[],
): Promise<void> {
  const defined = new Set((await deps.listResources()).flatMap((resource) => resource.permissions));
  const fields = permissions.flatMap((permission, index) => {
    const isForOperators = permission.startsWith('platform:') && tenant.slug !== deps.platformSlug;
    if (defined.has(permission) && !isForOperators) return [];
    return [{ pointer: `/permissions/${index}`, code: 'unknown', detail: 'is defined by no resource' }];
  });
  if (fields.length === 0) return;
  throw new AppError('role.unknown_permission', {
    status: 400,
    detail: 'No resource defines this permission.',
    fields,
  });
}

function keyInUse(cause?: unknown): AppError {
  return new AppError('role.key_taken', { status: 409, detail: 'The tenant has a role with this key.', cause });
}
