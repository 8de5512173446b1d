// Operators and the accounts of people.
import { expect } from 'chai';
import { ada, projectsApi } from '../support/contract-seed.js';
import { browser } from '../support/browser.js';
import { memberIdsOf, tenantIdOf } from '../support/administered.js';
import { eventually } from '../support/eventually.js';
import { factorsOf } from '../support/factors-of.js';
import { fetchAt } from '../support/fetch-at.js';
import { subjectsTo } from '../support/mail-links.js';
import { closeApps, startApp, type RunningApp } from '../support/start-app.js';
import { consultant } from '../support/two-tenants.js';
import { authorizeUrl, post, refreshing, tokensOf } from '../http/requests.js';
import { signIn } from '../support/relying-party.js';
import { apiOf, apiWith, roleSeed, type Api } from './api.js';
import { addConsole, apiOfPerson } from './people.js';

const webClient = ['web', 's3cret-s3cret-s3cret-s3cret-s3cret'] as const;

describe('accounts of people, by operators', () => {
  let running: RunningApp;
  let operators: Api;
  beforeEach(async () => {
    running = await startApp({ seed: roleSeed });
    operators = await apiOf(running, 'platform-owner');
  });
  afterEach(closeApps);

  async function idOf(email: string): Promise<string> {
    const { json } = await operators.call('GET', `/users?email=${encodeURIComponent(email)}`);
    return (json['items'] as { id: string }[])[0]?.id ?? '';
  }

  async function signsIn({ email, password }: { email: string; password: string }): Promise<boolean> {
    const { page } = await signIn(running.issuer, authorizeUrl(running.issuer, { tenant: 'acme' }), {
      email,
      password,
    });
    return new URL(page.url).searchParams.has('code');
  }

  it('an address is found in any spelling, and only whole', async () => {
    const id = await idOf(ada.email);
    expect(id).to.match(/^usr_/);
    expect(await idOf('  ADA@Example.COM ')).to.equal(id);
    for (const part of ['ada', 'ada@', '@example.com', 'ada@example', 'nobody@example.com', '*'])
      expect(await idOf(part), part).to.equal('');
  });

  it('one is made, changed and signs in; the address is one person’s, also of fifty at once', async () => {
    const body = { email: 'Grace@Example.com', emailVerified: true, name: 'Grace', password: 'compilers and a moth' };
    const answers = await Promise.all(Array.from({ length: 50 }, () => operators.call('POST', '/users', { body })));
    const statuses = answers.map(({ status }) => status);
    expect(statuses.filter((status) => status === 201)).to.have.length(1);
    expect(new Set(statuses)).to.deep.equal(new Set([201, 409]));
    const id = await idOf('grace@example.com');
    const changed = await operators.call('PATCH', `/users/${id}`, { body: { name: null, familyName: 'Hopper' } });
    expect([changed.json['name'], changed.json['familyName']]).to.deep.equal([null, 'Hopper']);
    const acme = await tenantIdOf(running, 'acme');
    const added = await operators.call('POST', `/tenants/${acme}/members`, { body: { userId: id, roles: ['viewer'] } });
    expect(added.status, added.text).to.equal(201);
    expect(await signsIn({ email: body.email, password: body.password })).to.equal(true);
  });

  it('another address is unproven until somebody says so', async () => {
    const id = await idOf(ada.email);
    const changed = await operators.call('PATCH', `/users/${id}`, { body: { email: 'ada@other.example' } });
    expect([changed.json['email'], changed.json['emailVerified']]).to.deep.equal(['ada@other.example', false]);
  });

  it('sec-032 one who is disabled is refused everywhere within five seconds, in every process', async () => {
    await addConsole(running);
    const other = await startApp({ sharedWith: running });
    const tokens = await tokensOf(running.issuer, {
      scope: 'openid offline_access projects:read',
      resource: projectsApi,
    });
    const hers = await apiOfPerson(running, { scope: 'account:read' });
    const id = await idOf(ada.email);
    expect((await hers.call('GET', '/me')).status).to.equal(200);
    expect((await operators.call('POST', `/users/${id}/disable`)).status).to.equal(200);
    const at = fetchAt(other.port);
    await eventually(async () => {
      const headers = { Authorization: `Bearer ${tokens.access_token}` };
      expect((await at(`${running.issuer}/oauth2/userinfo`, { headers })).status).to.equal(401);
      const me = await at(`${running.issuer}/api/v1/me`, { headers: { Authorization: `Bearer ${hers.token}` } });
      expect(me.status).to.equal(401);
    }, 5000);
    expect((await post(running.issuer, 'token', refreshing(tokens), webClient)).status).to.equal(400);
    expect(await signsIn(ada)).to.equal(false);
    expect((await operators.call('POST', `/users/${id}/enable`)).status).to.equal(200);
    expect(await signsIn(ada)).to.equal(true);
  });

  it('a password that has to be reset opens nothing until there is another one', async () => {
    const id = await idOf(ada.email);
    const tokens = await tokensOf(running.issuer, { scope: 'openid offline_access' });
    expect((await operators.call('POST', `/users/${id}/require-password-reset`)).status).to.equal(204);
    expect(await signsIn(ada)).to.equal(false);
    expect((await post(running.issuer, 'token', refreshing(tokens), webClient)).status).to.equal(400);
    const short = await operators.call('PUT', `/users/${id}/password`, { body: { password: 'too short' } });
    expect([short.status, short.text.includes('/password')]).to.deep.equal([400, true]);
    const password = 'another battery staple';
    expect((await operators.call('PUT', `/users/${id}/password`, { body: { password } })).status).to.equal(204);
    expect(await signsIn({ email: ada.email, password })).to.equal(true);
  });

  it('their sessions are listed and ended, one or all', async () => {
    const id = await idOf(ada.email);
    const [one, two] = [browser(running.issuer), browser(running.issuer)];
    for (const visitor of [one, two]) await signIn(running.issuer, authorizeUrl(running.issuer), ada, visitor);
    const { json } = await operators.call('GET', `/users/${id}/sessions`);
    const sessions = json['items'] as { id: string }[];
    expect(sessions).to.have.length(2);
    const silently = authorizeUrl(running.issuer, { prompt: 'none' });
    const stillIn = async (): Promise<number> => {
      const pages = await Promise.all([one, two].map((visitor) => visitor.get(silently)));
      return pages.filter(({ url }) => new URL(url).searchParams.has('code')).length;
    };
    expect(await stillIn()).to.equal(2);
    expect((await operators.call('DELETE', `/users/${id}/sessions/${sessions[0]?.id ?? ''}`)).status).to.equal(204);
    expect(await stillIn()).to.equal(1);
    expect((await operators.call('DELETE', `/users/${id}/sessions`)).status).to.equal(204);
    expect(await stillIn()).to.equal(0);
  });

  it('one who is deleted leaves nothing that opens anything, and gives the seats back', async () => {
    const acme = await tenantIdOf(running, 'acme');
    const globex = await tenantIdOf(running, 'globex');
    const id = await idOf(consultant.email);
    const seats = async (tenantId: string): Promise<unknown> =>
      ((await operators.call('GET', `/tenants/${tenantId}`)).json['seats'] as { members: number }).members;
    const before = [await seats(acme), await seats(globex)] as number[];
    expect((await operators.call('DELETE', `/users/${id}`)).status).to.equal(204);
    expect([await seats(acme), await seats(globex)]).to.deep.equal(before.map((count) => count - 1));
    expect(await idOf(consultant.email)).to.equal('');
    expect(await memberIdsOf(running, globex)).to.deep.equal([]);
    expect(await running.database.collection<{ _id: string }>('passwords').countDocuments({ _id: id })).to.equal(0);
    expect(await signsIn(consultant)).to.equal(false);
    // sec-014: the address is free again, and gives nothing of what was
    const again = await operators.call('POST', '/users', { body: { ...consultant, emailVerified: true } });
    expect(again.status).to.equal(201);
    expect(again.json['id']).not.to.equal(id);
    expect(await signsIn(consultant)).to.equal(false);
  });

  it('the last owner of a team is not deleted, nor does anybody delete or disable themselves', async () => {
    const id = await idOf(ada.email);
    const refused = await operators.call('DELETE', `/users/${id}`);
    expect([refused.status, refused.json['code']]).to.deep.equal([409, 'user.last_owner']);
    expect(await signsIn(ada)).to.equal(true);
  });

  it('sec-042 nobody changes their own address or password here, where nothing proves that it is them', async () => {
    const root = { email: 'root@example.com', password: 'the one and only root' };
    await running.app.seeding.applySeed({
      users: [{ ...root, emailVerified: true, memberships: [{ tenant: 'platform', roles: ['owner'] }] }],
    });
    await addConsole(running);
    const scope = 'platform:users:read platform:users:write';
    const own = await apiOfPerson(running, { who: root, tenant: 'platform', scope });
    const id = await idOf(root.email);
    for (const [method, rest, body] of [
      ['PUT', '/password', { password: 'a password of the attacker' }],
      ['PATCH', '', { email: 'attacker@example.com' }],
      ['PATCH', '', { emailVerified: true }],
      ['POST', '/unlock', undefined],
    ] as const) {
      const answer = await own.call(method, `/users/${id}${rest}`, body ? { body } : {});
      expect([answer.status, answer.json['code']], method + rest).to.deep.equal([409, 'user.is_self']);
    }
    expect((await own.call('PATCH', `/users/${id}`, { body: { name: 'Root' } })).status).to.equal(200);
  });

  it('who gets another address or password from an operator is told, also at the former address', async () => {
    const id = await idOf(ada.email);
    await operators.call('PATCH', `/users/${id}`, { body: { email: 'ada@other.example' } });
    await operators.call('PUT', `/users/${id}/password`, { body: { password: 'another battery staple' } });
    expect(await subjectsTo(running, ada.email)).to.deep.equal(['Your e-mail address is not used any more']);
    expect(await subjectsTo(running, 'ada@other.example')).to.deep.equal([
      'This is the e-mail address of your account now',
      'Your password was changed by an administrator',
    ]);
  });

  it('sec-042 codes by e-mail are not sent to an address that an operator has given and nobody has proven', async () => {
    const id = await idOf(ada.email);
    const now = (): Date => new Date();
    const factors = await factorsOf(running, now);
    const user = await running.app.administration.getUserByEmail(ada.email);
    await factors.allowEmailCodes(user, { provenAt: now(), level: 'aal1', amr: ['pwd'] });
    const proven = { email: 'ada@other.example', emailVerified: true };
    await operators.call('PATCH', `/users/${id}`, { body: proven });
    expect(await factors.listFactors(id)).to.have.length(1);
    await operators.call('PATCH', `/users/${id}`, { body: { email: 'ada@unproven.example' } });
    expect(await factors.listFactors(id)).to.deep.equal([]);
    expect((await subjectsTo(running, proven.email)).join()).to.contain('A way to sign in was removed');
  });

  it('sec-048 who has to wait after too many tries is let go on by an operator', async () => {
    for (let count = 0; count < 6; count++) await signsIn({ ...ada, password: 'a wrong password' });
    expect(await signsIn(ada), 'must wait').to.equal(false);
    expect((await operators.call('POST', `/users/${await idOf(ada.email)}/unlock`)).status).to.equal(204);
    expect(await signsIn(ada)).to.equal(true);
    expect(await running.database.collection('events').countDocuments({ type: 'user.unlocked' })).to.equal(1);
  });

  it('a name holds something that can be seen', async () => {
    const id = await idOf(ada.email);
    for (const name of ['\u200b', ' \u2060 ', '\ufeff']) {
      const answer = await operators.call('PATCH', `/users/${id}`, { body: { name } });
      expect([answer.status, answer.text.includes('/name')]).to.deep.equal([400, true]);
    }
  });

  it('sec-072 nobody takes over an operator from below', async () => {
    const admin = { email: 'root@example.com', password: 'the one and only root' };
    await running.app.seeding.applySeed({
      users: [{ ...admin, emailVerified: true, memberships: [{ tenant: 'platform', roles: ['owner'] }] }],
    });
    const platform = await tenantIdOf(running, 'platform');
    const permissions = ['platform:users:read', 'platform:users:write'];
    const role = await operators.call('POST', `/tenants/${platform}/roles`, {
      body: { key: 'helpdesk', name: 'Helpdesk', permissions },
    });
    expect(role.status, role.text).to.equal(201);
    const account = await operators.call('POST', `/tenants/${platform}/service-accounts`, {
      body: { name: 'Helpdesk', roles: ['helpdesk'] },
    });
    const path = `/tenants/${platform}/service-accounts/${String(account.json['id'])}/keys`;
    const { json } = await operators.call('POST', path, { body: { label: 'one' } });
    const form = { grant_type: 'client_credentials', resource: `${running.issuer}/api` };
    const token = await post(running.issuer, 'token', form, [String(account.json['clientId']), String(json['secret'])]);
    const api = apiWith(running.issuer, String(token.json['access_token']));
    const id = await idOf(admin.email);
    for (const [method, rest, body] of [
      ['PUT', '/password', { password: 'a password of the attacker' }],
      ['PATCH', '', { email: 'attacker@example.com' }],
      ['POST', '/disable', undefined],
      ['POST', '/require-password-reset', undefined],
      ['POST', '/unlock', undefined],
      ['DELETE', '', undefined],
    ] as const) {
      const answer = await api.call(method, `/users/${id}${rest}`, body ? { body } : {});
      expect([method, rest, answer.status]).to.deep.equal([method, rest, 403]);
    }
    const adaId = await idOf(ada.email);
    expect((await api.call('POST', `/users/${adaId}/disable`)).status).to.equal(200);
  });
});
