/**
 * The one read port for rights: who may do what in which tenant, now. Everything that issues, checks or shows a token
 * asks here, so that a removed member, a disabled user, a changed role or a suspended tenant shows everywhere at once.
 * Owns no data. What belongs to a tenant is kept while the tenant's revision stands; that, and whether a person is
 * active, is as of at most two seconds ago, and seen at once in the process that changed something.
 */
import { createExpiringMap } from '../platform/cache/expiring.js';
import { createRevisedMap } from '../platform/cache/revised.js';
import type { Membership } from '../memberships/index.js';
import type { Role } from '../roles/index.js';
import type { ServiceAccount } from '../service-accounts/index.js';
import type { Tenant } from '../tenants/index.js';
import type { Authorization, Subject } from './authorization.js';

export type { Authorization, Subject } from './authorization.js';

export interface AccessDeps {
  cacheSeconds: number;
  /** Of a tenant; see the events. */
  revisionOf(tenantId: string | null): Promise<number>;
  unrevisedCacheSeconds: number;
  findTenantById(id: string): Promise<Tenant | null>;
  isActiveUser(id: string): Promise<boolean>;
  findMembership(tenantId: string, userId: string): Promise<Membership | null>;
  findServiceAccount(tenantId: string, clientId: string): Promise<ServiceAccount | null>;
  findRoles(tenantId: string, keys: readonly string[]): Promise<Role[]>;
  coversPermission(granted: readonly string[], permission: string): boolean;
  entitlementsOf(planKey: string): readonly string[];
}

export interface AccessModule {
  /** Null when the subject has no place in the tenant: unknown, not a member, disabled, or the tenant is not active. */
  authorizationOf(subject: Subject, tenantId: string): Promise<Authorization | null>;
  forgetUsers(): void;
}

/** What a subject holds in a tenant. */
interface Place {
  roles: readonly string[];
  tokensEndedAt: Date | null;
}

/** The parts are cached and not the answers: tenant and roles are the same for all who act in a tenant. */
export function accessModule(deps: AccessDeps): AccessModule {
  const revised = { revisionOf: deps.revisionOf, maxAgeSeconds: deps.unrevisedCacheSeconds };
  const tenants = createRevisedMap<Tenant | null>(revised);
  const places = createRevisedMap<Place | null>(revised);
  const grantedRoles = createRevisedMap<Role[]>(revised);
  const activeUsers = createExpiringMap<boolean>(deps.cacheSeconds);

  async function loadPlace(subject: Subject, tenantId: string): Promise<Place | null> {
    if (subject.kind === 'user') {
      const membership = await deps.findMembership(tenantId, subject.userId);
      return membership && { roles: membership.roles, tokensEndedAt: null };
    }
    const account = await deps.findServiceAccount(tenantId, subject.clientId);
    return account?.status === 'active' ? account : null;
  }

  const mayAct = (subject: Subject): boolean | Promise<boolean> =>
    subject.kind === 'service_account' || activeUsers.get(subject.userId, () => deps.isActiveUser(subject.userId));

  return {
    async authorizationOf(subject, tenantId) {
      const id = subject.kind === 'user' ? subject.userId : subject.clientId;
      const held = `${subject.kind}\0${id}\0${tenantId}`;
      const [tenant, place, isActive] = await Promise.all([
        tenants.get(tenantId, tenantId, () => deps.findTenantById(tenantId)),
        places.get(held, tenantId, () => loadPlace(subject, tenantId)),
        mayAct(subject),
      ]);
      if (tenant?.status !== 'active' || !place || !isActive) return null;
      const { roles: keys } = place;
      const rolesKey = `${tenantId}\0${keys.join(' ')}`;
      const roles = (await grantedRoles.get(rolesKey, tenantId, () => deps.findRoles(tenantId, keys))) ?? [];
      const granted = roles.flatMap((role) => role.permissions);
      return {
        tenant: { id: tenant.id, slug: tenant.slug, name: tenant.name, type: tenant.type },
        roles: roles.map((role) => role.key),
        entitlements: [...new Set([...deps.entitlementsOf(tenant.plan), ...tenant.features])],
        tokensEndedAt: latest(tenant.tokensEndedAt, place.tokensEndedAt),
        allows: (permission) => deps.coversPermission(granted, permission),
      };
    },
    forgetUsers: () => activeUsers.forgetAll(),
  };
}

function latest(one: Date | null, other: Date | null): Date | null {
  return one && other ? new Date(Math.max(one.getTime(), other.getTime())) : (one ?? other);
}
