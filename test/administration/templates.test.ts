import { expect } from 'chai';
import { newUsers, operator, outcomeOf, somebody } from '../support/administered.js';
import { closeApps, startApp, type RunningApp } from '../support/start-app.js';

const plain = {
  policies: {
    ...{ ipAllowlist: [], mfa: 'optional' as const, password: { minimumLength: null } },
    session: { idleSeconds: null, absoluteSeconds: null },
    ...{ requiredProfile: [], terms: null },
  },
  features: [],
  limits: { members: null, serviceAccounts: null },
  branding: { displayName: null, logo: null, primaryColor: null, primaryColorDark: null, supportUri: null },
};
const reader = { key: 'reader', name: 'Reader', permissions: ['projects:read'] };
const writer = { key: 'writer', name: 'Writer', permissions: ['projects:read', 'projects:write'] };
const agency = { key: 'agency', name: 'Agency', type: 'team' as const, settings: plain, roles: [reader, writer] };

describe('templates', () => {
  let running: RunningApp;
  let ownerId: string;
  beforeEach(async () => {
    running = await startApp();
    [ownerId = ''] = await newUsers(running, 1);
  });
  afterEach(closeApps);

  const publish = (changes: object = {}) =>
    running.app.administration.publishTemplate(operator, { ...agency, ...changes });
  async function stamped(): Promise<string> {
    const wanted = { slug: 'stamped', name: 'Stamped', type: 'team' as const, template: { key: 'agency' }, ownerId };
    return (await running.app.administration.createTenant(operator, wanted)).id;
  }
  const stored = (id: string) => running.database.collection<{ _id: string }>('tenants').findOne({ _id: id });
  const rolesOf = async (tenantId: string): Promise<Record<string, string[]>> => {
    const found = running.database.collection<{ key: string; permissions: string[] }>('roles').find({ tenantId });
    return Object.fromEntries((await found.toArray()).map(({ key, permissions }) => [key, permissions]));
  };

  it('a published one stamps tenants with its settings and roles, and they name its version', async () => {
    expect((await publish()).version).to.equal(1);
    const id = await stamped();
    expect(await stored(id)).to.deep.include({ template: { key: 'agency', version: 1 } });
    expect(await rolesOf(id)).to.deep.equal({ reader: reader.permissions, writer: writer.permissions });
  });

  it('fifty who publish at once get fifty versions or are told to look again, and none is overwritten', async () => {
    const outcomes = await Promise.all(
      Array.from({ length: 50 }, (_, index) => outcomeOf(publish({ name: `${index}` }))),
    );
    const made = outcomes.filter((outcome) => outcome === 'done').length;
    expect(new Set(outcomes)).to.satisfy((all: Set<string>) =>
      [...all].every((outcome) => ['done', '409 template.published_meanwhile'].includes(outcome)),
    );
    const versions = (await running.database.collection('templates').find().toArray()).map(
      ({ version }) => version as number,
    );
    expect(versions.sort((left, right) => left - right)).to.deep.equal(
      Array.from({ length: made }, (_, index) => index + 1),
    );
    expect(made).to.be.greaterThan(0);
  });

  it('an upgrade is previewed as a diff, does just that, leaves what the tenant set itself, and goes back', async () => {
    const { administration } = running.app;
    await publish();
    const id = await stamped();
    const [readerId = ''] = (
      await running.database.collection<{ _id: string }>('roles').find({ tenantId: id, key: 'reader' }).toArray()
    ).map(({ _id }) => _id);
    await administration.changeRole(operator, { tenantId: id, roleId: readerId }, { permissions: [] });
    await administration.changeSettings(operator, { tenantId: id }, { limits: { members: 3 } });
    const auditor = { key: 'auditor', name: 'Auditor', permissions: ['projects:read'] };
    await publish({
      settings: { ...plain, features: ['reports'], limits: { members: 50, serviceAccounts: 2 } },
      roles: [{ ...reader, name: 'Reads' }, auditor],
    });

    const before = [await stored(id), await rolesOf(id)];
    const preview = await administration.previewTemplate(id, { key: 'agency' });
    expect(preview.template).to.deep.equal({ key: 'agency', version: 2 });
    expect(preview.settings).to.deep.equal([
      { path: 'features', before: [], after: ['reports'] },
      { path: 'limits.serviceAccounts', before: null, after: 2 },
    ]);
    expect(preview.roles.map(({ change, key }) => `${change} ${key}`)).to.have.members([
      'add auditor',
      'remove writer',
    ]);
    expect(preview.kept.map(({ path }) => path)).to.have.members(['limits.members', 'roles.reader']);
    const now = await stored(id);
    expect([{ ...now, holds: 0 }, await rolesOf(id)], 'a preview changes nothing').to.deep.equal([
      { ...before[0], holds: 0 },
      before[1],
    ]);

    expect(await administration.applyTemplate(operator, id, { key: 'agency' })).to.deep.equal(preview);
    expect(await stored(id)).to.deep.include({
      ...{ features: ['reports'], limits: { members: 3, serviceAccounts: 2 }, template: { key: 'agency', version: 2 } },
    });
    expect(await rolesOf(id)).to.deep.equal({ reader: [], auditor: auditor.permissions });
    const again = await administration.previewTemplate(id, { key: 'agency' });
    expect([again.settings, again.roles]).to.deep.equal([[], []]);

    await administration.applyTemplate(operator, id, { key: 'agency', version: 1 });
    expect(await stored(id)).to.deep.include({ features: [], limits: { members: 3, serviceAccounts: null } });
    expect(await rolesOf(id)).to.deep.equal({ reader: [], writer: writer.permissions });
  });

  it('a role that the tenant made or deleted itself is its own', async () => {
    const { administration } = running.app;
    await publish({ roles: [reader] });
    const id = await stamped();
    await administration.createRole(operator, id, { ...writer, permissions: [] });
    const role = await running.database.collection<{ _id: string }>('roles').findOne({ tenantId: id, key: 'reader' });
    await administration.deleteRole(operator, { tenantId: id, roleId: role?._id ?? '' });
    await publish();
    const diff = await administration.applyTemplate(operator, id, { key: 'agency' });
    expect(diff.kept.map(({ path }) => path)).to.have.members(['roles.reader', 'roles.writer']);
    expect(await rolesOf(id)).to.deep.equal({ writer: [] });
  });

  it('a role that the next version lacks stays while somebody holds it', async () => {
    const { administration } = running.app;
    await publish();
    const id = await stamped();
    const [userId = ''] = await newUsers(running, 1, 'holder');
    await administration.addMember(operator, id, { userId, roles: ['writer'] });
    await publish({ roles: [reader] });
    const diff = await administration.applyTemplate(operator, id, { key: 'agency' });
    expect(diff.kept.map(({ path }) => path)).to.deep.equal(['roles.writer']);
    expect(Object.keys(await rolesOf(id))).to.have.members(['reader', 'writer']);
  });

  it('sec-072 nobody gets by a template what they lack', async () => {
    await publish({ roles: [reader] });
    const id = await stamped();
    await publish();
    const admin = somebody(['admin'], ['*:read']);
    expect(await outcomeOf(running.app.administration.applyTemplate(admin, id, { key: 'agency' }))).to.equal(
      '403 role.beyond_own',
    );
    expect(await rolesOf(id)).to.deep.equal({ reader: reader.permissions });
  });

  for (const [what, changes, outcome] of [
    ['a built-in key', { key: 'team' }, '409 template.built_in'],
    ['an unknown permission', { roles: [{ ...reader, permissions: ['cars:drive'] }] }, '400 template.unusable_roles'],
    [
      'a permission of operators',
      { roles: [{ ...reader, permissions: ['platform:all'] }] },
      '400 template.unusable_roles',
    ],
    ['a built-in role', { roles: [{ ...reader, key: 'owner' }] }, '400 template.unusable_roles'],
    ['roles for personal tenants', { type: 'personal' }, '400 template.unusable_roles'],
    ['one role twice', { roles: [reader, reader] }, '400 input.invalid'],
    ['an unknown setting', { settings: { ...plain, colour: 'red' } }, '400 input.invalid'],
    ['a version', { version: 7 }, '400 input.invalid'],
  ] as const) {
    it(`with ${what} is refused`, async () => {
      expect(await outcomeOf(publish(changes))).to.equal(outcome);
      expect(await running.database.collection('templates').countDocuments()).to.equal(0);
    });
  }
});
