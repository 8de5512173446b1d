/**
 * The one read port for rights: who may do what in which tenant, now. Everything that issues, checks or shows a token
 * asks here, so that a removed member, a disabled user, a changed role or a suspended tenant shows everywhere at once.
 * Owns no data. What belongs to a tenant is kept while the tenant's revision stands; that, and whether a person is
 * active, is as of at most two seconds ago, and seen at once in the process that changed something.
 */
import { createExpiringMap } from '../platform/cache/expiring.js';
import { createRevisedMap } from '../platform/cache/revised.js';
import { addressMatcher } from '../kernel/networks.js';
import type { Membership } from '../memberships/index.js';
import type { Role } from '../roles/index.js';
import type { ServiceAccount } from '../service-accounts/index.js';
import type { Tenant } from '../tenants/index.js';
import type { AcceptedTerms } from '../users/index.js';
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
  permissionsOf(roles: readonly Role[], isOfOperators: boolean): string[];
  platformSlug: string;
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
  admits: Admits;
  /** The member without whom it may do nothing, and never more than they. */
  createdBy: string | null;
  acceptedTerms: AcceptedTerms | null;
}

type Admits = (address: string) => boolean;

const asksNothing: Authorization['asks'] = { requiredProfile: [], terms: null, acceptedTerms: null };

const everywhere: Admits = () => true;

function admittedBy(networks: readonly string[]): Admits {
  return networks.length === 0 ? everywhere : addressMatcher(networks);
}

/** The parts are cached and not the answers: tenant and roles are the same for all who act in a tenant. */
export function accessModule(deps: AccessDeps): AccessModule {
  const revised = { revisionOf: deps.revisionOf, maxAgeSeconds: deps.unrevisedCacheSeconds };
  const tenants = createRevisedMap<{ tenant: Tenant; admits: Admits } | null>(revised);
  const places = createRevisedMap<Place | null>(revised);
  const grantedRoles = createRevisedMap<Role[]>(revised);
  const activeUsers = createExpiringMap<boolean>(deps.cacheSeconds);

  async function loadTenant(id: string): Promise<{ tenant: Tenant; admits: Admits } | null> {
    const tenant = await deps.findTenantById(id);
    return tenant && { tenant, admits: admittedBy(tenant.policies.ipAllowlist) };
  }

  const mayAct = (subject: Subject): boolean | Promise<boolean> =>
    subject.kind === 'service_account' || activeUsers.get(subject.userId, () => deps.isActiveUser(subject.userId));

  async function authorizationOf(subject: Subject, tenantId: string): Promise<Authorization | null> {
    const id = subject.kind === 'user' ? subject.userId : subject.clientId;
    const held = `${subject.kind}\0${id}\0${tenantId}`;
    const [found, place, isActive] = await Promise.all([
      tenants.get(tenantId, tenantId, () => loadTenant(tenantId)),
      places.get(held, tenantId, () => loadPlace(deps, subject, tenantId)),
      mayAct(subject),
    ]);
    if (found?.tenant.status !== 'active' || !place || !isActive) return null;
    const { tenant } = found;
    const { roles: keys, createdBy } = place;
    const knownBy = (subject.kind === 'service_account' && subject.knownBy) || null;
    const bounds: Authorization[] = [];
    for (const userId of new Set([createdBy, knownBy])) {
      const bound = userId === null ? undefined : await authorizationOf({ kind: 'user', userId }, tenantId);
      if (bound === null) return null; // whoever answers for it has no place here any more
      if (bound) bounds.push(bound);
    }
    const rolesKey = `${tenantId}\0${keys.join(' ')}`;
    const roles = (await grantedRoles.get(rolesKey, tenantId, () => deps.findRoles(tenantId, keys))) ?? [];
    const granted = deps.permissionsOf(roles, tenant.slug === deps.platformSlug);
    return {
      tenant: { id: tenant.id, slug: tenant.slug, name: tenant.name, type: tenant.type },
      requiresSecondFactor: subject.kind === 'user' && tenant.policies.mfa === 'required',
      // an owner is more than what the role allows
      roles: roles
        .map(({ key }) => key)
        .filter((key) => key !== 'owner' || bounds.every((bound) => bound.roles.includes(key))),
      entitlements: [...new Set([...deps.entitlementsOf(tenant.plan), ...tenant.features])],
      asks: subject.kind === 'user' ? { ...tenant.policies, acceptedTerms: place.acceptedTerms } : asksNothing,
      session: tenant.policies.session,
      tokensEndedAt: latest(tenant.tokensEndedAt, place.tokensEndedAt),
      answeredForBy: knownBy ?? createdBy,
      allows: (permission) =>
        deps.coversPermission(granted, permission) && bounds.every((bound) => bound.allows(permission)),
      admits: (address) => found.admits(address) && place.admits(address),
    };
  }

  return { authorizationOf, forgetUsers: () => activeUsers.forgetAll() };
}

async function loadPlace(deps: AccessDeps, subject: Subject, tenantId: string): Promise<Place | null> {
  if (subject.kind === 'user') {
    const membership = await deps.findMembership(tenantId, subject.userId);
    if (!membership) return null;
    const { roles, acceptedTerms } = membership;
    return { roles, acceptedTerms, tokensEndedAt: null, admits: everywhere, createdBy: null };
  }
  const account = await deps.findServiceAccount(tenantId, subject.clientId);
  if (account?.status !== 'active') return null;
  return { ...account, admits: admittedBy(account.ipAllowlist), acceptedTerms: null };
}

function latest(one: Date | null, other: Date | null): Date | null {
  return one && other ? new Date(Math.max(one.getTime(), other.getTime())) : (one ?? other);
}
