import type { MembershipsModule } from '../memberships/index.js';
import type { Role } from '../roles/index.js';
import type { Tenant, TenantType } from '../tenants/index.js';

export interface PickTenantDeps {
  listMembershipsOfUser: MembershipsModule['listMembershipsOfUser'];
  findTenantsByIds(ids: readonly string[]): Promise<Tenant[]>;
  findRolesIn(held: ReadonlyMap<string, readonly string[]>): Promise<Map<string, Role[]>>;
}

export interface TenantToPick {
  id: string;
  slug: string;
  name: string;
  type: TenantType;
  roleNames: string[];
  /** When the person last chose it. */
  pickedAt: Date | null;
}

/** The tenants that the person may enter: the one chosen last, then the others by name. */
export async function listTenantsToPick(deps: PickTenantDeps, userId: string): Promise<TenantToPick[]> {
  const memberships = new Map((await deps.listMembershipsOfUser(userId)).map((each) => [each.tenantId, each]));
  const tenants = await deps.findTenantsByIds([...memberships.keys()]);
  const open = tenants.filter((tenant) => tenant.status === 'active');
  const roles = await deps.findRolesIn(new Map(open.map(({ id }) => [id, memberships.get(id)?.roles ?? []])));
  const toPick = open.map(({ id, slug, name, type }) => ({
    ...{ id, slug, name, type },
    roleNames: (roles.get(id) ?? []).map((role) => role.name),
    pickedAt: memberships.get(id)?.pickedAt ?? null,
  }));
  const { compare } = new Intl.Collator('en', { numeric: true });
  const byName = toPick.sort((left, right) => compare(left.name, right.name));
  const times = byName.map(({ pickedAt }) => pickedAt?.getTime() ?? 0);
  const last = Math.max(0, ...times) === 0 ? undefined : byName[times.indexOf(Math.max(...times))];
  return last ? [last, ...byName.filter((tenant) => tenant !== last)] : byName;
}

/** Those whose name or slug holds each word of the search, however it is written; all when there is none. */
export function searchTenants(tenants: readonly TenantToPick[], search: string): TenantToPick[] {
  const plain = (text: string): string => text.normalize('NFKD').replace(/\p{M}/gu, '').toLowerCase();
  const words = plain(search).split(/\s+/);
  return tenants.filter(({ name, slug }) => words.every((word) => plain(`${name} ${slug}`).includes(word)));
}
