// What a tenant asks of its people's passwords and tries, by the API.
import { expect } from 'chai';
import { policy } from '../../config/policy.js';
import { passwordPolicy, signInAttemptsPolicy } from '../../src/platform/schemas/tenant-policies.js';
import { closeApps } from '../support/start-app.js';
import type { Answer } from '../http/requests.js';
import { newGround, openStage, type Ground } from './ground.js';

const unset = { tries: null, windowSeconds: null, firstWaitSeconds: null, longestWaitSeconds: null, consecutive: null };

describe('policies of passwords and tries by the API', () => {
  let ground: Ground;
  beforeEach(async () => {
    ground = await newGround(await openStage());
  });
  afterEach(closeApps);

  const change = (body: unknown): Promise<Answer> =>
    ground.operator.call('PATCH', `/tenants/${ground.tenantId}/policies`, { body });

  it('are what the platform asks for until the tenant says otherwise, member by member', async () => {
    const { json } = await ground.operator.call('GET', `/tenants/${ground.tenantId}/policies`);
    expect(json).to.deep.include({ password: { minimumLength: null, history: null }, signInAttempts: unset });
    await change({ password: { minimumLength: 20 }, signInAttempts: { tries: 3 } });
    const changed = await change({ password: { history: 24 }, signInAttempts: { consecutive: 50 } });
    expect(changed.status, changed.text).to.equal(200);
    expect(changed.json).to.deep.include({
      password: { minimumLength: 20, history: 24 },
      signInAttempts: { ...unset, tries: 3, consecutive: 50 },
    });
    const taken = await change({ password: { history: null }, signInAttempts: { tries: null } });
    expect(taken.json).to.deep.include({
      password: { minimumLength: 20, history: null },
      signInAttempts: { ...unset, consecutive: 50 },
    });
  });

  it('are refused where they are out of bounds, with a pointer, and nothing is changed', async () => {
    const bad: [string, string, unknown][] = [
      ...[-1, 25, 1.5, '5', true, [1], { $gt: 0 }].map((value): [string, string, unknown] => [
        'password',
        'history',
        value,
      ]),
      ...[1, 6, 0, -3, 2.5, '3', 1e9].map((value): [string, string, unknown] => ['signInAttempts', 'tries', value]),
      ...[899, 86_401].map((value): [string, string, unknown] => ['signInAttempts', 'windowSeconds', value]),
      ...[59, 3601].map((value): [string, string, unknown] => ['signInAttempts', 'firstWaitSeconds', value]),
      ...[3599, 86_401].map((value): [string, string, unknown] => ['signInAttempts', 'longestWaitSeconds', value]),
      ...[9, 101].map((value): [string, string, unknown] => ['signInAttempts', 'consecutive', value]),
      ['signInAttempts', 'account', 5],
    ];
    for (const [group, name, value] of bad) {
      const refused = await change({ [group]: { [name]: value } });
      const pointers = (refused.json['errors'] as { pointer: string }[] | undefined)?.map(({ pointer }) => pointer);
      expect([refused.status, pointers], `${group}.${name} ${String(value)}`).to.deep.equal([
        400,
        [`/${group}/${name}`],
      ]);
    }
    const { json } = await ground.operator.call('GET', `/tenants/${ground.tenantId}/policies`);
    expect(json).to.deep.include({ password: { minimumLength: null, history: null }, signInAttempts: unset });
  });

  it('come by a template, and by a seed', async () => {
    const key = `strict-${ground.slug}`;
    const settings = {
      policies: {
        ...{ ipAllowlist: [], mfa: 'optional', session: { idleSeconds: null, absoluteSeconds: null } },
        ...{ password: { minimumLength: null, history: 5 }, signInAttempts: { tries: 2 } },
        ...{ requiredProfile: [], terms: null },
      },
      ...{ features: [], limits: { members: null, serviceAccounts: null } },
      branding: { displayName: null, logo: null, primaryColor: null, primaryColorDark: null, supportUri: null },
    };
    const template = { key, name: 'Strict', type: 'team', settings, roles: [] };
    const published = await ground.operator.call('POST', '/templates', { body: template });
    expect(published.status, published.text).to.equal(201);
    const wanted = { slug: key, name: 'Strict', type: 'team', ownerId: ground.ownerId, template: { key } };
    const { json } = await ground.operator.call('POST', '/tenants', { body: wanted });
    const stamped = await ground.operator.call('GET', `/tenants/${String(json['id'])}/policies`);
    const expected = { password: { minimumLength: null, history: 5 }, signInAttempts: { ...unset, tries: 2 } };
    expect(stamped.json).to.deep.include(expected);

    const policies = { password: { history: 5 }, signInAttempts: { tries: 2 } };
    await ground.running.app.seeding.applySeed({
      tenants: [{ slug: `seeded-${ground.slug}`, name: 'Seeded', type: 'team', policies }],
    });
    const seeded = await ground.running.app.administration.getTenant(`seeded-${ground.slug}`);
    expect(seeded.policies).to.deep.include(expected);
  });

  it('codes by e-mail are allowed until the tenant refuses them, and no other word is taken', async () => {
    const read = async (): Promise<unknown> =>
      (await ground.operator.call('GET', `/tenants/${ground.tenantId}/policies`)).json['emailCodes'];
    expect(await read()).to.equal('allowed');
    expect((await change({ emailCodes: 'refused' })).json['emailCodes']).to.equal('refused');
    expect((await change({ mfa: 'optional' })).json['emailCodes'], 'what is not named stays').to.equal('refused');
    for (const value of ['', 'Refused', 'required', null, true, ['refused'], { $ne: 'refused' }]) {
      const refused = await change({ emailCodes: value });
      const pointers = (refused.json['errors'] as { pointer: string }[] | undefined)?.map(({ pointer }) => pointer);
      expect([refused.status, pointers], JSON.stringify(value)).to.deep.equal([400, ['/emailCodes']]);
    }
    expect(await read()).to.equal('refused');
    const tenant = { slug: ground.slug, name: 'Seeded', type: 'enterprise' as const };
    const seeded = async (policies: object): Promise<unknown> => {
      await ground.running.app.seeding.applySeed({ tenants: [{ ...tenant, policies }] });
      return read();
    };
    expect(await seeded({}), 'nor does a seed change what it does not name').to.equal('refused');
    expect(await seeded({ emailCodes: 'allowed' })).to.equal('allowed');
    expect(await seeded({ emailCodes: 'refused' })).to.equal('refused');
    expect((await change({ emailCodes: 'allowed' })).json['emailCodes']).to.equal('allowed');
  });

  it('are never weaker than the numbers of the platform', () => {
    const { source, consecutive } = policy.signInAttempts;
    const loosest = { ...source, consecutive };
    const looser = { tries: 1, windowSeconds: -1, firstWaitSeconds: -1, longestWaitSeconds: -1, consecutive: 1 };
    for (const [name, member] of Object.entries(signInAttemptsPolicy)) {
      const value = loosest[name as keyof typeof loosest];
      expect(member.safeParse(value).success, name).to.equal(true);
      expect(member.safeParse(value + looser[name as keyof typeof looser]).success, name).to.equal(false);
    }
    expect(consecutive).to.equal(100);
    expect(policy.factors.attempts.consecutive).to.equal(100);
    expect(policy.passwords.history, 'NIST SP 800-63B-4 asks for none').to.equal(0);
    const { minimumLength } = policy.passwords;
    expect(passwordPolicy.minimumLength.safeParse(minimumLength).success).to.equal(true);
    expect(passwordPolicy.minimumLength.safeParse(minimumLength - 1).success).to.equal(false);
  });
});
