import type { MessageKey } from '../kernel/message.js';
import type { Tenant } from '../tenants/index.js';
import type { AccountDeps } from './account-deps.js';

export interface TenantShown {
  id: string;
  slug: string;
  name: string;
  typeLabel: MessageKey;
  /** Null: it is open as always. */
  statusLabel: MessageKey | null;
  roles: string[];
  /** A personal tenant is left with the account alone. */
  mayLeave: boolean;
}

/** Where the person belongs, by name. */
export async function listOwnTenants(
  deps: Pick<AccountDeps, 'memberships' | 'tenants' | 'roles'>,
  userId: string,
): Promise<TenantShown[]> {
  const memberships = new Map(
    (await deps.memberships.listMembershipsOfUser(userId)).map((each) => [each.tenantId, each.roles]),
  );
  const tenants = (await deps.tenants.findTenantsByIds([...memberships.keys()])).filter(
    ({ status }) => status !== 'deleted',
  );
  const roles = await deps.roles.findRolesIn(new Map(tenants.map(({ id }) => [id, memberships.get(id) ?? []])));
  const { compare } = new Intl.Collator('en', { numeric: true });
  return tenants
    .toSorted((left, right) => compare(left.name, right.name))
    .map(({ id, slug, name, type, status }) => ({
      ...{
        id,
        slug,
        name,
        typeLabel: `tenant_types.${type}` as const,
        statusLabel: labelOf(status),
        mayLeave: type !== 'personal',
      },
      roles: (roles.get(id) ?? []).map((role) => role.name),
    }));
}

function labelOf(status: Tenant['status']): MessageKey | null {
  return status === 'suspended' || status === 'archived' ? `tenant_status.${status}` : null;
}
