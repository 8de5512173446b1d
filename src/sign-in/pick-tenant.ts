import type { Membership } from '../memberships/index.js';
import type { Role } from '../roles/index.js';
import type { Tenant, TenantType } from '../tenants/index.js';

export interface PickTenantDeps {
  listMembershipsOfUser(userId: string): Promise<Membership[]>;
  findTenantsByIds(ids: readonly string[]): Promise<Tenant[]>;
  findRoles(tenantId: string, keys: readonly string[]): Promise<Role[]>;
}

export interface TenantToPick {
  id: string;
  slug: string;
  name: string;
  type: TenantType;
  roleNames: string[];
}

/** The tenants that the person may enter, by name. */
export async function listTenantsToPick(deps: PickTenantDeps, userId: string): Promise<TenantToPick[]> {
  const memberships = await deps.listMembershipsOfUser(userId);
  const tenants = await deps.findTenantsByIds(memberships.map((membership) => membership.tenantId));
  const open = await Promise.all(
    tenants
      .filter((tenant) => tenant.status === 'active')
      .map(async (tenant) => {
        const keys = memberships.find((membership) => membership.tenantId === tenant.id)?.roles ?? [];
        const roles = await deps.findRoles(tenant.id, keys);
        return {
          id: tenant.id,
          slug: tenant.slug,
          name: tenant.name,
          type: tenant.type,
          roleNames: roles.map((role) => role.name),
        };
      }),
  );
  return open.sort((left, right) => left.name.localeCompare(right.name, 'en', { numeric: true }));
}
