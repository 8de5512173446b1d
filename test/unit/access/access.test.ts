import { expect } from 'chai';
import { policy } from '../../../config/policy.js';
import { templates } from '../../../config/templates.js';
import { accessModule, type AccessDeps, type AccessModule, type Subject } from '../../../src/access/index.js';
import { createExpiringMap, type ExpiringMap } from '../../../src/platform/cache/expiring.js';
import { coversPermission, permissionsOf, type Role } from '../../../src/roles/index.js';
import { newTenant, type Tenant } from '../../../src/tenants/index.js';
import { takeMonotonicClock, type MonotonicClock } from '../platform/monotonic-clock.js';

const at = new Date(0);
const ada: Subject = { kind: 'user', userId: 'usr_ada' };
const ci: Subject = { kind: 'service_account', clientId: 'acme-ci' };

interface World {
  tenants: Map<string, Tenant>;
  activeUsers: Set<string>;
  memberships: Map<string, string[]>;
  serviceAccounts: Map<string, { roles: string[]; status: 'active' | 'disabled' }>;
  roles: Role[];
  isReachable: boolean;
  /** Of the tenant, raised with every change of it, and as it is known here. */
  revision: number;
  knownRevision: ExpiringMap<number>;
}

function acme(): World {
  const template = templates.find(({ key }) => key === 'enterprise')!;
  const wanted = { slug: 'acme', name: 'Acme Inc', type: 'enterprise', plan: 'enterprise' } as const;
  const tenant: Tenant = { ...newTenant({ ...wanted, template, at }), id: 'ten_acme' };
  return {
    tenants: new Map([[tenant.id, tenant]]),
    activeUsers: new Set(['usr_ada']),
    memberships: new Map([['ten_acme usr_ada', ['editor']]]),
    serviceAccounts: new Map([['ten_acme acme-ci', { roles: ['editor'], status: 'active' }]]),
    roles: [{ key: 'editor', name: 'Editor', permissions: ['projects:read'], builtIn: false }],
    isReachable: true,
    revision: 1,
    knownRevision: createExpiringMap(policy.lifetimes.decisionCacheSeconds),
  };
}

function accessTo(world: World): AccessModule {
  const deps: AccessDeps = {
    ...policy.lifetimes,
    cacheSeconds: policy.lifetimes.decisionCacheSeconds,
    revisionOf: () => world.knownRevision.get('', async () => world.revision),
    coversPermission,
    permissionsOf,
    platformSlug: 'platform',
    async findTenantById(id) {
      if (!world.isReachable) throw new Error('the database is away');
      return world.tenants.get(id) ?? null;
    },
    isActiveUser: async (id) => world.activeUsers.has(id),
    async findMembership(tenantId, userId) {
      const roles = world.memberships.get(`${tenantId} ${userId}`);
      return roles
        ? { id: 'mem_1', tenantId, userId, roles, createdAt: at, pickedAt: null, acceptedTerms: null }
        : null;
    },
    async findServiceAccount(tenantId, clientId) {
      const account = world.serviceAccounts.get(`${tenantId} ${clientId}`);
      const authentication = { token_endpoint_auth_method: 'client_secret_basic' };
      const other = {
        name: 'CI',
        authentication,
        ipAllowlist: [],
        authenticationSetBy: null,
        createdBy: null,
        tokensEndedAt: null,
        createdAt: at,
      };
      return account ? { id: 'sva_1', tenantId, clientId, ...other, ...account } : null;
    },
    findRoles: async (_tenantId, keys) => world.roles.filter((role) => keys.includes(role.key)),
    entitlementsOf: (plan) => (plan === 'enterprise' ? ['connections'] : []),
  };
  return accessModule(deps);
}

describe('who may do what', () => {
  let clock: MonotonicClock;
  let world: World;
  let access: AccessModule;
  beforeEach(() => {
    clock = takeMonotonicClock();
    world = acme();
    access = accessTo(world);
  });
  afterEach(() => clock.restore());

  it('a member has the roles of the membership and what those allow', async () => {
    const authorization = await access.authorizationOf(ada, 'ten_acme');
    expect(authorization?.tenant).to.deep.equal({ id: 'ten_acme', slug: 'acme', name: 'Acme Inc', type: 'enterprise' });
    expect(authorization?.roles).to.deep.equal(['editor']);
    expect(authorization?.entitlements).to.deep.equal(['connections']);
    expect(authorization?.allows('projects:read')).to.be.true;
    expect(authorization?.allows('projects:write')).to.be.false;
  });

  it('a service account has those of its own record', async () => {
    const authorization = await access.authorizationOf(ci, 'ten_acme');
    expect(authorization?.roles).to.deep.equal(['editor']);
    expect(authorization?.allows('projects:read')).to.be.true;
  });

  it('a role that is gone allows nothing and is not listed', async () => {
    world.roles = [];
    const authorization = await access.authorizationOf(ada, 'ten_acme');
    expect(authorization?.roles).to.deep.equal([]);
    expect(authorization?.allows('projects:read')).to.be.false;
  });

  const withoutPlace: readonly [why: string, subject: Subject, change: () => unknown][] = [
    ['a tenant that is not there', ada, () => world.tenants.clear()],
    ['a suspended tenant', ada, () => suspend(world)],
    ['a disabled person', ada, () => world.activeUsers.clear()],
    ['somebody who is no member', ada, () => world.memberships.clear()],
    ['a service account that is not there', ci, () => world.serviceAccounts.clear()],
    ['a disabled service account', ci, () => disable(world)],
    ['a service account of a suspended tenant', ci, () => suspend(world)],
  ];
  for (const [why, subject, change] of withoutPlace) {
    it(`sec-016 there is no place for ${why}, two seconds after at the latest`, async () => {
      expect(await access.authorizationOf(subject, 'ten_acme')).not.to.equal(null);
      change();
      world.revision++;
      expect(await access.authorizationOf(subject, 'ten_acme'), 'still cached').not.to.equal(null);
      clock.advanceSeconds(2);
      expect(await access.authorizationOf(subject, 'ten_acme')).to.equal(null);
    });

    it(`sec-016 there is no place for ${why}, at once where it was changed`, async () => {
      expect(await access.authorizationOf(subject, 'ten_acme')).not.to.equal(null);
      change();
      world.revision++;
      world.knownRevision.forgetAll();
      access.forgetUsers();
      expect(await access.authorizationOf(subject, 'ten_acme')).to.equal(null);
    });
  }

  it('a refusal ends within two seconds too', async () => {
    world.memberships.clear();
    expect(await access.authorizationOf(ada, 'ten_acme')).to.equal(null);
    world.memberships.set('ten_acme usr_ada', ['editor']);
    world.revision++;
    clock.advanceSeconds(2);
    expect(await access.authorizationOf(ada, 'ten_acme')).not.to.equal(null);
  });

  it('what was changed by hand, without a revision, shows within a minute', async () => {
    expect(await access.authorizationOf(ada, 'ten_acme')).not.to.equal(null);
    suspend(world);
    clock.advanceSeconds(policy.lifetimes.unrevisedCacheSeconds);
    expect(await access.authorizationOf(ada, 'ten_acme')).to.equal(null);
  });

  it('an unreachable database is an error, never a refusal, and is not remembered', async () => {
    world.isReachable = false;
    const failed = await Promise.allSettled([access.authorizationOf(ada, 'ten_acme')]);
    expect(failed[0]).to.have.nested.property('reason.message', 'the database is away');
    world.isReachable = true;
    expect(await access.authorizationOf(ada, 'ten_acme')).not.to.equal(null);
  });

  it('sec-012 the answer for one tenant is not that for another, nor that of a service account of the same name', async () => {
    world.tenants.set('ten_globex', { ...(world.tenants.get('ten_acme') as Tenant), id: 'ten_globex', slug: 'globex' });
    expect(await access.authorizationOf(ada, 'ten_acme')).not.to.equal(null);
    expect(await access.authorizationOf(ada, 'ten_globex')).to.equal(null);
    expect(await access.authorizationOf({ kind: 'service_account', clientId: 'usr_ada' }, 'ten_acme')).to.equal(null);
    expect(await access.authorizationOf({ kind: 'user', userId: 'acme-ci' }, 'ten_acme')).to.equal(null);
  });
});

function suspend(world: World): void {
  for (const [id, tenant] of world.tenants) world.tenants.set(id, { ...tenant, status: 'suspended' });
}

function disable(world: World): void {
  for (const [id, account] of world.serviceAccounts) world.serviceAccounts.set(id, { ...account, status: 'disabled' });
}
