import { expect } from 'chai';
import type { Tenant } from '../../src/tenants/index.js';
import { newUsers, operator, outcomeOf, somebody, tenantIdOf } from '../support/administered.js';
import { closeApps, startApp, type RunningApp } from '../support/start-app.js';

const parallel = 50;

type StoredTenant = Omit<Tenant, 'id'> & { _id: string };

describe('tenants', () => {
  let running: RunningApp;
  let ownerId: string;
  beforeEach(async () => {
    running = await startApp();
    [ownerId = ''] = await newUsers(running, 1);
  });
  afterEach(closeApps);

  const create = (slug: string, more: object = {}): Promise<Tenant> =>
    running.app.administration.createTenant(operator, { slug, name: 'New', type: 'team', ownerId, ...more });
  const eventsOf = async (tenantId: string): Promise<string[]> => {
    const found = running.database.collection<{ type: string }>('events').find({ tenantId });
    return (await found.toArray()).map(({ type }) => type);
  };

  it('a new one is of its type’s template and plan, has an owner, and tells of it', async () => {
    const { id } = await create('fresh');
    const stored = await running.database.collection<StoredTenant>('tenants').findOne({ _id: id });
    expect(stored).to.deep.include({
      ...{ slugs: ['fresh'], type: 'team', plan: 'team', status: 'active', overrides: [] },
      template: { key: 'team', version: 1 },
      seats: { members: 1, serviceAccounts: 0 },
    });
    const membership = await running.database.collection('memberships').findOne({ tenantId: id });
    expect(membership).to.deep.include({ userId: ownerId, roles: ['owner'] });
    expect(await eventsOf(id)).to.have.members(['tenant.created', 'membership.added']);
  });

  it('F18 of fifty at once with one slug one is made, the others are 409, and nothing of them is left', async () => {
    const other = await startApp({ sharedWith: running });
    const before = await running.database.collection('memberships').countDocuments();
    const outcomes = await Promise.all(
      Array.from({ length: parallel }, (_, index) => {
        const { administration } = (index % 2 === 0 ? running : other).app;
        const wanted = { slug: 'contested', name: `Number ${index}`, type: 'team' as const, ownerId };
        return outcomeOf(administration.createTenant(operator, wanted));
      }),
    );
    expect(outcomes.filter((outcome) => outcome === 'done')).to.have.length(1);
    expect(new Set(outcomes)).to.deep.equal(new Set(['done', '409 tenant.slug_taken']));
    expect(await running.database.collection('tenants').countDocuments({ slugs: 'contested' })).to.equal(1);
    expect(await running.database.collection('memberships').countDocuments()).to.equal(before + 1);
  });

  const bad: readonly (readonly [string, object, string])[] = [
    ['a reserved word', { slug: 'admin' }, '409 tenant.slug_reserved'],
    ['the operators’ slug', { slug: 'platform' }, '409 tenant.slug_reserved'],
    ['a slug of 10,000 characters', { slug: 'x'.repeat(10_000) }, '400 input.invalid'],
    ['an operator for a slug', { slug: { $ne: null } }, '400 input.invalid'],
    ['an upper-case slug', { slug: 'Fresh' }, '400 input.invalid'],
    ['a name of 10,000 characters', { name: 'x'.repeat(10_000) }, '400 input.invalid'],
    ['a name that turns the text', { name: 'Acme \u202egnp' }, '400 input.invalid'],
    ['an unknown type', { type: 'galaxy' }, '400 input.invalid'],
    ['an unknown member', { status: 'archived' }, '400 input.invalid'],
    ['an unknown plan', { plan: 'gold' }, '404 plan.not_found'],
    ['an unknown template', { template: { key: 'none' } }, '404 template.not_found'],
    ['an unknown version', { template: { key: 'team', version: 99 } }, '404 template.not_found'],
    ['a template of another type', { template: { key: 'personal' } }, '409 template.of_another_type'],
    ['an unknown owner', { ownerId: 'usr_nobody' }, '404 user.not_found'],
    ['an operator for an owner', { ownerId: { $gt: '' } }, '400 input.invalid'],
  ];
  for (const [what, change, outcome] of bad) {
    it(`${what} is refused, and nothing is made`, async () => {
      const count = (): Promise<number> => running.database.collection('tenants').countDocuments();
      const before = await count();
      expect(await outcomeOf(create('fresh', change))).to.equal(outcome);
      expect(await count()).to.equal(before);
    });
  }

  it('a renamed tenant keeps its former slug: it leads to it, and nobody else gets it', async () => {
    const { administration } = running.app;
    const { id } = await create('before');
    await administration.changeSettings(operator, { tenantId: id }, { slug: 'after' });
    expect(await tenantIdOf(running, 'before')).to.equal(id);
    expect(await tenantIdOf(running, 'after')).to.equal(id);
    expect(await outcomeOf(create('before'))).to.equal('409 tenant.slug_taken');
    const { id: another } = await create('another');
    expect(
      await outcomeOf(administration.changeSettings(operator, { tenantId: another }, { slug: 'before' })),
    ).to.equal('409 tenant.slug_taken');
    await administration.changeSettings(operator, { tenantId: id }, { slug: 'before' });
    expect(await tenantIdOf(running, 'after')).to.equal(id);
    expect(await eventsOf(id)).to.include('tenant.renamed');
  });

  it('the operators’ tenant is neither suspended nor archived nor renamed', async () => {
    await running.app.seeding.firstStart({
      email: 'admin@example.com',
      password: 'a long enough password',
      mfa: 'optional',
    });
    const id = await tenantIdOf(running, 'platform');
    for (const status of ['suspended', 'archived'] as const)
      expect(await outcomeOf(running.app.administration.changeStatus(operator, id, status))).to.equal(
        '409 tenant.is_platform',
      );
    expect(
      await outcomeOf(running.app.administration.changeSettings(operator, { tenantId: id }, { slug: 'ops' })),
    ).to.equal('409 tenant.is_platform');
  });

  describe('of another type', () => {
    it('goes up and down where nothing is lost, with the template of the type', async () => {
      const { administration } = running.app;
      const { id } = await create('mover', { type: 'personal' });
      for (const type of ['team', 'enterprise', 'personal'] as const) {
        await administration.changeType(operator, id, type);
        const stored = await running.database.collection<StoredTenant>('tenants').findOne({ _id: id });
        expect(stored).to.deep.include({ type, template: { key: type, version: 1 } });
      }
      expect((await eventsOf(id)).filter((type) => type === 'tenant.type_changed')).to.have.length(3);
    });

    it('is refused with everything that stands in the way', async () => {
      const { administration } = running.app;
      const id = await tenantIdOf(running, 'acme');
      const [userId = ''] = await newUsers(running, 1, 'second');
      await administration.addMember(operator, id, { userId, roles: ['viewer'] });
      await running.app.seeding.applySeed({
        clients: [
          {
            client_id: 'of-acme',
            client_secret: 'x'.repeat(32),
            redirect_uris: [],
            tenant: 'acme',
            grant_types: [],
            response_types: [],
          },
        ],
      });
      const blockers = await administration.listTypeBlockers(id, 'personal');
      expect(blockers.map(({ code }) => code)).to.have.members([
        ...['members', 'built_in_roles', 'custom_roles', 'service_accounts', 'clients'],
      ]);
      const error = await administration.changeType(operator, id, 'personal').catch((thrown: unknown) => thrown);
      expect(error).to.include({ status: 409, code: 'tenant.type_blocked' });
      expect((error as { fields: unknown[] }).fields).to.have.length(blockers.length);
      expect(await administration.listTypeBlockers(id, 'team')).to.deep.equal([]);
    });

    it('never loses what is made at the same moment', async () => {
      const other = await startApp({ sharedWith: running });
      for (let round = 0; round < 20; round++) {
        const { id } = await create(`racer-${round}`);
        const role = { key: 'own', name: 'Own', permissions: [] };
        const [made, moved] = await Promise.all([
          outcomeOf(running.app.administration.createRole(operator, id, role)),
          outcomeOf(other.app.administration.changeType(operator, id, 'personal')),
        ]);
        const outcome = [made, moved].join(', ');
        expect(['done, 409 tenant.type_blocked', '409 role.not_in_type, done']).to.include(outcome);
      }
    });
  });

  describe('sec-012 ids that lead to no tenant', () => {
    const ids = [
      'ten_' + '0'.repeat(32),
      'usr_' + '0'.repeat(32),
      '',
      'x'.repeat(10_000),
      { $ne: null },
      ['ten_' + '0'.repeat(32)],
      null,
    ];
    for (const id of ids) {
      it(`${JSON.stringify(id).slice(0, 40)} is 404 for every use case`, async () => {
        const { administration } = running.app;
        const tenantId = id as string;
        for (const work of [
          () => administration.changeStatus(operator, tenantId, 'suspended'),
          () => administration.changeSettings(operator, { tenantId }, { name: 'x' }),
          () => administration.changeType(operator, tenantId, 'team'),
          () => administration.listTypeBlockers(tenantId, 'team'),
          () => administration.createRole(operator, tenantId, { key: 'k', name: 'K', permissions: [] }),
          () => administration.changeRole(operator, { tenantId, roleId: 'rol_x' }, { name: 'x' }),
          () => administration.deleteRole(operator, { tenantId, roleId: 'rol_x' }),
          () => administration.addMember(operator, tenantId, { userId: ownerId, roles: ['member'] }),
          () => administration.changeMemberRoles(operator, { tenantId, userId: ownerId }, { roles: ['member'] }),
          () => administration.removeMember(operator, { tenantId, userId: ownerId }),
          () => administration.previewTemplate(tenantId, { key: 'team' }),
          () => administration.applyTemplate(operator, tenantId, { key: 'team' }),
          () => administration.reconcileSeats(tenantId),
        ])
          expect(await outcomeOf(work()), String(work)).to.equal('404 tenant.not_found');
      });
    }
  });

  it('settings of the tenant’s own are marked, strict, and in its tokens', async () => {
    const { administration } = running.app;
    const id = await tenantIdOf(running, 'acme');
    await administration.changeSettings(operator, { tenantId: id }, { features: ['beta'], limits: { members: 7 } });
    const stored = await running.database.collection<StoredTenant>('tenants').findOne({ _id: id });
    expect(stored).to.deep.include({ overrides: ['features', 'limits.members'], features: ['beta'] });
    expect(stored?.limits).to.deep.equal({ members: 7, serviceAccounts: null });
    for (const input of [
      { features: 'beta' },
      { features: ['a', 'a'] },
      { limits: { members: -1 } },
      { limits: { cars: 1 } },
      { branding: { supportUri: 'javascript:alert(1)' } },
      { policies: { mfa: 'none' } },
      { __proto__: null, id: 'ten_x' },
      { tokensEndedAt: null },
    ])
      expect(await outcomeOf(administration.changeSettings(operator, { tenantId: id }, input as never))).to.equal(
        '400 input.invalid',
      );
  });

  it('somebody without all rights changes what their rights allow', async () => {
    const id = await tenantIdOf(running, 'acme');
    const reader = somebody(['viewer'], ['*:read']);
    const role = { key: 'writer', name: 'Writer', permissions: ['projects:write'] };
    expect(await outcomeOf(running.app.administration.createRole(reader, id, role))).to.equal('403 role.beyond_own');
  });

  it('sec-072 what a plan gives, and what reaches beyond one tenant, is for operators', async () => {
    const { administration } = running.app;
    const id = await tenantIdOf(running, 'acme');
    const owner = somebody(['owner'], ['*:*']);
    for (const work of [
      administration.changeSettings(owner, { tenantId: id }, { features: ['audit_export'] }),
      administration.createTenant(owner, { slug: 'rich', name: 'R', type: 'team', plan: 'enterprise', ownerId }),
      administration.publishTemplate(owner, {} as never),
      administration.endTokensOf(owner, { userId: ownerId }),
      administration.endTokensOf(owner, { clientId: 'web' }),
    ])
      expect(await outcomeOf(work)).to.equal('403 operator.required');
    const limits = { members: 3 };
    expect(await outcomeOf(administration.changeSettings(owner, { tenantId: id }, { limits }))).to.equal('done');
    for (const of of [{ userId: { $ne: null } }, { tenantId: id, userId: 'x' }, {}, null, { grantId: '' }])
      expect(await outcomeOf(administration.endTokensOf(operator, of as never))).to.equal('400 input.invalid');
  });

  it('a tenant does not use up the names of others', async () => {
    const { administration } = running.app;
    const { id } = await create('name-0');
    const rename = (slug: string): Promise<string> =>
      outcomeOf(administration.changeSettings(operator, { tenantId: id }, { slug }));
    for (let number = 1; number < 20; number++) expect(await rename(`name-${number}`)).to.equal('done');
    expect(await rename('name-20')).to.equal('409 tenant.too_many_slugs');
    expect(await rename('name-0')).to.equal('done');
  });
});
