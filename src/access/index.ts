/**
 * The one read port for rights: who may do what in which tenant, now. Everything that issues, checks or shows a token
 * asks here, so that a removed member, a disabled user, a changed role or a suspended tenant shows everywhere at once.
 * Owns no data; answers are cached for at most two seconds and dropped at once in the process that changed something.
 */
import { createExpiringMap } from '../platform/cache/expiring.js';
import type { Membership } from '../memberships/index.js';
import type { Role } from '../roles/index.js';
import type { ServiceAccount } from '../service-accounts/index.js';
import type { Tenant } from '../tenants/index.js';
import type { Authorization, Subject } from './authorization.js';

export type { Authorization, Subject } from './authorization.js';

export interface AccessDeps {
  cacheSeconds: number;
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
  forgetAll(): void;
}

/** The parts are cached and not the answers: tenant and roles are the same for all who act in a tenant. */
export function accessModule(deps: AccessDeps): AccessModule {
  const tenants = createExpiringMap<Tenant | null>(deps.cacheSeconds);
  const rolesHeld = createExpiringMap<readonly string[] | null>(deps.cacheSeconds);
  const grantedRoles = createExpiringMap<Role[]>(deps.cacheSeconds);

  async function loadRolesHeld(subject: Subject, tenantId: string): Promise<readonly string[] | null> {
    if (subject.kind === 'service_account') {
      const account = await deps.findServiceAccount(tenantId, subject.clientId);
      return account?.status === 'active' ? account.roles : null;
    }
    const [active, membership] = await Promise.all([
      deps.isActiveUser(subject.userId),
      deps.findMembership(tenantId, subject.userId),
    ]);
    return active && membership ? membership.roles : null;
  }

  return {
    async authorizationOf(subject, tenantId) {
      const id = subject.kind === 'user' ? subject.userId : subject.clientId;
      const tenant = await tenants.get(tenantId, () => deps.findTenantById(tenantId));
      if (tenant?.status !== 'active') return null;
      const keys = await rolesHeld.get(`${subject.kind}\0${id}\0${tenantId}`, () => loadRolesHeld(subject, tenantId));
      if (!keys) return null;
      const roles = await grantedRoles.get(`${tenantId}\0${keys.join(' ')}`, () => deps.findRoles(tenantId, keys));
      const granted = roles.flatMap((role) => role.permissions);
      return {
        tenant: { id: tenant.id, slug: tenant.slug, name: tenant.name, type: tenant.type },
        roles: roles.map((role) => role.key),
        entitlements: deps.entitlementsOf(tenant.plan),
        allows: (permission) => deps.coversPermission(granted, permission),
      };
    },
    forgetAll() {
      for (const cache of [tenants, rolesHeld, grantedRoles]) cache.forgetAll();
    },
  };
}
