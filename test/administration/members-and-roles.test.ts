import { expect } from 'chai';
import { memberIdsOf, newUsers, operator, outcomeOf, seatsOf, somebody, tenantIdOf } from '../support/administered.js';
import { SeedError, type SeedInput } from '../../src/seeding/index.js';
import { closeApps, startApp, type RunningApp } from '../support/start-app.js';
import { ciKey, projectsApi, webSecret } from '../support/contract-seed.js';
import { post, refreshing, tokensOf } from '../http/requests.js';

const web: [string, string] = ['web', webSecret];
const parallel = 50;

describe('members and roles', () => {
  let running: RunningApp;
  let tenantId: string;
  let ada: string;
  beforeEach(async () => {
    running = await startApp();
    tenantId = await tenantIdOf(running, 'acme');
    [ada = ''] = await memberIdsOf(running, tenantId);
  });
  afterEach(closeApps);

  const membershipOf = (userId: string) => running.database.collection('memberships').findOne({ tenantId, userId });
  const add = (userId: string, roles: string[], by = operator) =>
    running.app.administration.addMember(by, tenantId, { userId, roles });

  it('several roles; a member who is removed loses refresh and introspection at once, and the seat is free', async () => {
    const tokens = await tokensOf(running.issuer, { scope: 'openid offline_access projects:read' });
    const [second = ''] = await newUsers(running, 1);
    await add(second, ['owner', 'viewer']);
    expect((await membershipOf(second))?.['roles']).to.deep.equal(['owner', 'viewer']);
    expect(await seatsOf(running, tenantId)).to.deep.equal({ members: 2, serviceAccounts: 1 });
    await running.app.administration.removeMember(operator, { tenantId, userId: ada });
    const refused = await post(running.issuer, 'token', refreshing(tokens), web);
    expect([refused.status, refused.json['error']]).to.deep.equal([400, 'invalid_grant']);
    const told = await post(running.issuer, 'introspect', { token: tokens.access_token }, web);
    expect(told.json).to.deep.equal({ active: false });
    expect(await seatsOf(running, tenantId)).to.deep.equal({ members: 1, serviceAccounts: 1 });

    await add(ada, ['owner']);
    const still = await post(running.issuer, 'introspect', { token: tokens.access_token }, web);
    expect(still.json, 'whoever comes back begins anew').to.deep.equal({ active: false });
  });

  it('sec-012 an operator for a member is nobody', async () => {
    const of = { tenantId, userId: { $ne: null } as unknown as string };
    const { administration } = running.app;
    expect(await outcomeOf(administration.removeMember(operator, of))).to.equal('404 member.not_found');
    expect(await outcomeOf(administration.changeMemberRoles(operator, of, { roles: ['owner'] }))).to.equal(
      '404 member.not_found',
    );
  });

  it('a demoted member has a narrower scope at the next refresh', async () => {
    const [second = ''] = await newUsers(running, 1);
    await add(second, ['owner']);
    const tokens = await tokensOf(running.issuer, { scope: 'openid projects:read projects:write' });
    await running.app.administration.changeMemberRoles(operator, { tenantId, userId: ada }, { roles: ['viewer'] });
    const narrower = await post(running.issuer, 'token', refreshing(tokens), web);
    expect(narrower.json['scope']).to.equal('openid projects:read');
  });

  it('the last owner stays, also when two leave or step down at once', async () => {
    const { administration } = running.app;
    const other = await startApp({ sharedWith: running });
    expect(await outcomeOf(administration.removeMember(operator, { tenantId, userId: ada }))).to.equal(
      '409 member.last_owner',
    );
    const step = { roles: ['member'] };
    expect(await outcomeOf(administration.changeMemberRoles(operator, { tenantId, userId: ada }, step))).to.equal(
      '409 member.last_owner',
    );
    const [second = ''] = await newUsers(running, 1);
    await add(second, ['owner']);
    for (let round = 0; round < 20; round++) {
      const outcomes = await Promise.all([
        outcomeOf(administration.changeMemberRoles(operator, { tenantId, userId: ada }, step)),
        outcomeOf(other.app.administration.changeMemberRoles(operator, { tenantId, userId: second }, step)),
      ]);
      expect(outcomes.sort()).to.deep.equal(['409 member.last_owner', 'done']);
      for (const userId of [ada, second])
        await administration.changeMemberRoles(operator, { tenantId, userId }, { roles: ['owner'] });
    }
  });

  it('of fifty who join at once over two processes as many get in as there are seats', async () => {
    const other = await startApp({ sharedWith: running });
    const users = await newUsers(running, parallel);
    await running.app.administration.changeSettings(operator, { tenantId }, { limits: { members: 10 } });
    const outcomes = await Promise.all(
      users.map((userId, index) =>
        outcomeOf(
          (index % 2 === 0 ? running : other).app.administration.addMember(operator, tenantId, {
            userId,
            roles: ['member'],
          }),
        ),
      ),
    );
    expect(outcomes.filter((outcome) => outcome === 'done')).to.have.length(9);
    expect(new Set(outcomes)).to.deep.equal(new Set(['done', '409 seat.none_left']));
    expect(await running.database.collection('memberships').countDocuments({ tenantId })).to.equal(10);
    expect((await seatsOf(running, tenantId))?.['members']).to.equal(10);
  });

  const refusalOf = (seed: SeedInput): Promise<string> =>
    running.app.seeding.applySeed(seed).then(
      () => 'applied',
      (error: unknown) => (error instanceof SeedError ? error.message : String(error)),
    );

  it('seeds take seats too, and so do service accounts', async () => {
    await running.app.administration.changeSettings(
      operator,
      { tenantId },
      { limits: { members: 1, serviceAccounts: 1 } },
    );
    const member = { email: 'late@example.com', memberships: [{ tenant: 'acme', roles: ['member'] }] };
    expect(await refusalOf({ users: [member] })).to.match(/may have 1 members/);
    const tenant = {
      slug: 'acme',
      name: 'Acme Inc',
      type: 'enterprise' as const,
      serviceAccounts: [{ clientId: 'more', name: 'M' }],
    };
    expect(await refusalOf({ tenants: [tenant] })).to.match(/may have 1 service accounts/);
    expect(await running.database.collection('users').countDocuments()).to.equal(1);
  });

  it('seats that were miscounted are set right, also while somebody joins', async () => {
    const { administration } = running.app;
    expect(await administration.reconcileSeats(tenantId)).to.equal(false);
    const users = await newUsers(running, 20);
    for (const userId of users) {
      const wrong = { $set: { 'seats.members': 40 } };
      await running.database.collection<{ _id: string }>('tenants').updateOne({ _id: tenantId }, wrong);
      const [isSet] = await Promise.all([administration.reconcileSeats(tenantId), add(userId, ['member'])]);
      expect(isSet).to.equal(true);
      const members = await running.database.collection('memberships').countDocuments({ tenantId });
      expect((await seatsOf(running, tenantId))?.['members']).to.equal(members);
    }
  });

  it('one person who is added fifty times at once is one member in one seat', async () => {
    const [userId = ''] = await newUsers(running, 1);
    const outcomes = await Promise.all(Array.from({ length: parallel }, () => outcomeOf(add(userId, ['member']))));
    expect(outcomes.filter((outcome) => outcome === 'done')).to.have.length(1);
    expect(new Set(outcomes)).to.deep.equal(new Set(['done', '409 member.exists']));
    expect((await seatsOf(running, tenantId))?.['members']).to.equal(2);
  });

  describe('sec-072 nobody gives what they lack', () => {
    const editor = somebody(['editor'], ['projects:read', 'projects:write']);
    const admin = somebody(['admin'], ['*:*']);

    it('roles of one’s own reach and no more; owners are made by owners', async () => {
      const users = await newUsers(running, 4);
      expect(await outcomeOf(add(users[0]!, ['editor'], editor))).to.equal('done');
      expect(await outcomeOf(add(users[1]!, ['viewer'], editor))).to.equal('403 role.beyond_own');
      expect(await outcomeOf(add(users[1]!, ['editor', 'admin'], editor))).to.equal('403 role.beyond_own');
      expect(await outcomeOf(add(users[2]!, ['admin'], admin))).to.equal('done');
      expect(await outcomeOf(add(users[3]!, ['owner'], admin))).to.equal('403 role.beyond_own');
    });

    it('nor do they touch those who have more', async () => {
      const { administration } = running.app;
      const of = { tenantId, userId: ada };
      for (const by of [editor, admin]) {
        expect(await outcomeOf(administration.changeMemberRoles(by, of, { roles: ['member'] }))).to.equal(
          '403 role.beyond_own',
        );
        expect(await outcomeOf(administration.removeMember(by, of))).to.equal('403 role.beyond_own');
      }
    });

    it('a role is neither made nor widened past that, and permissions are such as a resource defines', async () => {
      const { administration } = running.app;
      const reader = somebody(['viewer'], ['*:read']);
      const wanted = (permissions: string[]) => ({ key: 'own', name: 'Own', permissions });
      expect(await outcomeOf(administration.createRole(reader, tenantId, wanted(['projects:write'])))).to.equal(
        '403 role.beyond_own',
      );
      const { id: roleId } = await administration.createRole(reader, tenantId, wanted(['projects:read']));
      const of = { tenantId, roleId };
      const widen = { permissions: ['projects:read', 'projects:write'] };
      expect(await outcomeOf(administration.changeRole(reader, of, widen))).to.equal('403 role.beyond_own');
      for (const permission of ['cars:drive', 'platform:tenants:write', 'members:fly']) {
        expect(await outcomeOf(administration.changeRole(operator, of, { permissions: [permission] }))).to.equal(
          '400 role.unknown_permission',
        );
      }
      for (const permissions of [
        ['*:*'],
        ['*:read'],
        [{ $ne: 1 }],
        'projects:read',
        ['projects:read', 'projects:read'],
        ['x'.repeat(10_000)],
      ])
        expect(await outcomeOf(administration.changeRole(operator, of, { permissions } as never))).to.equal(
          '400 input.invalid',
        );
    });
  });

  it('of fifty roles with one key one is made; built-in keys are taken; a role that is held stays', async () => {
    const { administration } = running.app;
    const role = { key: 'own', name: 'Own', permissions: ['projects:read'] };
    const outcomes = await Promise.all(
      Array.from({ length: parallel }, () => outcomeOf(administration.createRole(operator, tenantId, role))),
    );
    expect(outcomes.filter((outcome) => outcome === 'done')).to.have.length(1);
    expect(new Set(outcomes)).to.deep.equal(new Set(['done', '409 role.key_taken']));
    expect(await outcomeOf(administration.createRole(operator, tenantId, { ...role, key: 'owner' }))).to.equal(
      '409 role.key_taken',
    );
    const found = await running.database.collection<{ _id: string; key: string }>('roles').find({ tenantId }).toArray();
    const idOf = (key: string): string => found.find((each) => each.key === key)?._id ?? '';
    expect(await outcomeOf(administration.deleteRole(operator, { tenantId, roleId: idOf('editor') }))).to.equal(
      '409 role.held',
    );
    expect(await outcomeOf(administration.deleteRole(operator, { tenantId, roleId: idOf('own') }))).to.equal('done');
    const unknown = { roles: ['own'] };
    expect(await outcomeOf(administration.changeMemberRoles(operator, { tenantId, userId: ada }, unknown))).to.equal(
      '400 role.unknown',
    );
  });

  it('a role is never taken away under somebody who gets it at that moment', async () => {
    const { administration } = running.app;
    const other = await startApp({ sharedWith: running });
    const users = await newUsers(running, 20);
    for (const userId of users) {
      const { id: roleId } = await administration.createRole(operator, tenantId, {
        key: 'brief',
        name: 'Brief',
        permissions: [],
      });
      const outcomes = await Promise.all([
        outcomeOf(add(userId, ['brief'])),
        outcomeOf(other.app.administration.deleteRole(operator, { tenantId, roleId })),
      ]);
      expect(['done, 409 role.held', '400 role.unknown, done']).to.include(outcomes.join(', '));
      if (outcomes[0] !== 'done') continue;
      await administration.removeMember(operator, { tenantId, userId });
      await administration.deleteRole(operator, { tenantId, roleId });
    }
  });

  describe('ends every token', () => {
    const active = async (token: string): Promise<unknown> =>
      (await post(running.issuer, 'introspect', { token }, web)).json['active'];
    const serviceToken = async (): Promise<string> => {
      const ask = { grant_type: 'client_credentials', resource: projectsApi };
      return String((await post(running.issuer, 'token', ask, ['acme-ci', ciKey])).json['access_token']);
    };
    const activeOfService = async (token: string): Promise<unknown> =>
      (await post(running.issuer, 'introspect', { token }, ['acme-ci', ciKey])).json['active'];

    for (const [whose, of] of [
      ['a person', () => ({ userId: ada })],
      ['a tenant', () => ({ tenantId })],
      ['a client', () => ({ clientId: 'web' })],
    ] as const) {
      it(`of ${whose}: introspection says inactive and refresh invalid_grant`, async () => {
        const tokens = await tokensOf(running.issuer, { scope: 'openid offline_access projects:read' });
        expect(await active(tokens.access_token)).to.equal(true);
        await running.app.administration.endTokensOf(operator, of());
        expect(await active(tokens.access_token)).to.equal(false);
        expect((await post(running.issuer, 'token', refreshing(tokens), web)).json['error']).to.equal('invalid_grant');
      });
    }

    for (const [whose, of] of [
      ['a tenant', () => ({ tenantId })],
      ['a service account', () => ({ serviceAccount: { tenantId, clientId: 'acme-ci' } })],
      ['its client', () => ({ clientId: 'acme-ci' })],
    ] as const) {
      it(`of ${whose}: that of a service is inactive`, async () => {
        const token = await serviceToken();
        expect(await activeOfService(token)).to.equal(true);
        await running.app.administration.endTokensOf(operator, of());
        expect(await activeOfService(token)).to.equal(false);
      });
    }
  });
});
