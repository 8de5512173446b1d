import type { Authority } from '../kernel/actor.js';
import { AppError } from '../kernel/errors.js';
import type { Tx } from '../platform/mongo/transactions.js';
import type { Tenant, TenantType } from '../tenants/index.js';
import type { AdministrationDeps } from './administration-deps.js';
import { requireNotClosed } from './change-settings.js';
import { applyDiff, diffTo } from './govern-templates.js';
import { parsed, tenantTypeText } from './input.js';
import { getTenant } from './look-up.js';

/** Something that the tenant has and the other type does not know: nothing is lost by a change of type. */
export interface TypeBlocker {
  code: 'members' | 'built_in_roles' | 'custom_roles' | 'service_accounts' | 'clients';
  detail: string;
}

/** What stands in the way of a change to this type; empty when nothing does. */
export function listTypeBlockers(deps: AdministrationDeps, tenantId: string, type: TenantType): Promise<TypeBlocker[]> {
  const wanted = parsed(tenantTypeText, type);
  return deps.inTransaction(async (tx) => blockersOf(deps, tx, await getTenant(deps, tenantId), wanted));
}

/** Up or down; the tenant goes on with the template of its new type. 409, with all that blocks it, when it cannot. */
export async function changeType(
  deps: AdministrationDeps,
  by: Authority,
  tenantId: string,
  type: TenantType,
): Promise<void> {
  const wanted = parsed(tenantTypeText, type);
  const next = await deps.templates.getTemplate(deps.tenantTypes[wanted].template);
  await deps.inTransaction(async (tx) => {
    const tenant = await deps.tenants.holdTenant(tx, tenantId);
    requireNotClosed(tenant);
    if (tenant.type === wanted) return;
    const blockers = await blockersOf(deps, tx, tenant, wanted);
    if (blockers.length > 0) {
      throw new AppError('tenant.type_blocked', {
        status: 409,
        detail: `The tenant cannot become ${wanted}: ${blockers.map((blocker) => blocker.detail).join('; ')}.`,
        fields: blockers.map(({ code, detail }) => ({ pointer: '/type', code, detail })),
      });
    }
    await deps.tenants.updateTenant(tx, by.actor, tenant, { type: wanted });
    await deps.recordEvent(tx, {
      type: 'tenant.type_changed',
      tenantId,
      actor: by.actor,
      subjectId: tenantId,
      data: { before: tenant.type, after: wanted },
    });
    await applyDiff(deps, tx, { by, tenant, diff: await diffTo(deps, tx, { tenant, next }) });
  });
}

async function blockersOf(
  deps: AdministrationDeps,
  tx: Tx,
  { id, type: present }: Tenant,
  wanted: TenantType,
): Promise<TypeBlocker[]> {
  const rules = deps.tenantTypes[wanted];
  const blockers: TypeBlocker[] = [];
  const block = (code: TypeBlocker['code'], detail: string): void => void blockers.push({ code, detail });

  const members = await deps.memberships.countMembers(tx, id);
  if (rules.maximumMembers !== null && members > rules.maximumMembers)
    block('members', `it has ${members} members, and ${wanted} tenants have ${rules.maximumMembers}`);
  const lost = deps.tenantTypes[present].builtInRoles.filter((key) => !rules.builtInRoles.includes(key));
  for (const key of lost) {
    const holders = await deps.memberships.countMembersWithRole(tx, id, key);
    if (holders > 0) block('built_in_roles', `${holders} hold the role ${key}, which ${wanted} tenants do not have`);
  }
  const customRoles = (await deps.roles.listCustomRoles(id, tx)).length;
  if (!rules.customRoles && customRoles > 0) block('custom_roles', `it has ${customRoles} roles of its own`);
  const accounts = await deps.serviceAccounts.countServiceAccounts(tx, id);
  if (!rules.serviceAccounts && accounts > 0) block('service_accounts', `it has ${accounts} service accounts`);
  const clients = await deps.clients.countApplications(tx, id);
  if (!rules.clients && clients > 0) block('clients', `it owns ${clients} clients`);
  return blockers;
}
