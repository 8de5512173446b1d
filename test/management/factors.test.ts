// Second factors by the API: one's own with fresh proof, those of others by operators.
import { expect } from 'chai';
import type { FactorsModule } from '../../src/credentials/index.js';
import { totpCode } from '../../src/credentials/totp.js';
import { operator as system } from '../support/administered.js';
import { browser } from '../support/browser.js';
import { factorsOf } from '../support/factors-of.js';
import { signIn } from '../support/relying-party.js';
import { movedClock, type MovedClock } from '../support/second-factor.js';
import { closeApps } from '../support/start-app.js';
import type { User } from '../../src/users/index.js';
import { authorizeUrl, redeem } from '../http/requests.js';
import { apiWith, type Api } from './api.js';
import { consoleClient, newFactorOf, newGround, openStage, type Ground, type Person } from './ground.js';

describe('factors of people by the API', function () {
  this.timeout(30_000);
  let ground: Ground;
  let clock: MovedClock;
  let factors: FactorsModule;
  let person: Person;
  let user: User;
  let secret: string;

  beforeEach(async () => {
    clock = movedClock();
    ground = await newGround(await openStage({ now: clock.now }));
    factors = await factorsOf(ground.running, clock.now);
    person = await ground.person();
    user = await ground.running.app.administration.getUserByEmail(person.email);
    const fresh = { provenAt: clock.now(), level: 'aal1', amr: ['pwd'] };
    const enrolment = await factors.beginTotp(user, fresh);
    ({ secret } = enrolment);
    const { factorId } = enrolment;
    await factors.confirmTotp(user, fresh, { factorId, code: totpCode(secret, clock.now()) });
  });
  afterEach(closeApps);

  /** Signs in with password and app, or with the password in a browser that is trusted. */
  async function apiAfter(visitor = browser(ground.issuer), trust = false): Promise<Api> {
    const { issuer, slug } = ground;
    const resource = `${issuer}/api`;
    const members = { client_id: consoleClient.id, scope: 'openid account:read account:write', resource, tenant: slug };
    const url = authorizeUrl(issuer, { ...members, prompt: 'login' });
    const { page } = await signIn(issuer, url, person, visitor);
    clock.pass(30);
    const code = totpCode(secret, clock.now());
    const remember = trust ? { remember: 'yes' } : {};
    const done = page.html.includes('id="code"') ? await visitor.submit(page, { code, ...remember }) : page;
    const answer = await redeem(issuer, new URL(done.url).searchParams.get('code') ?? '', { resource }, [
      ...([consoleClient.id, consoleClient.secret] as const),
    ]);
    return apiWith(issuer, String(answer.json['access_token']));
  }

  const idsOf = async (api: Api, path = '/me/factors'): Promise<string[]> =>
    ((await api.call('GET', path)).json['items'] as { id: string }[]).map(({ id }) => id);

  it('sec-042 a person removes their own with a second factor that was just given, and not with less', async () => {
    const visitor = browser(ground.issuer);
    const strong = await apiAfter(visitor, true);
    const [id = ''] = await idsOf(strong);
    const weak = await apiAfter(visitor);
    const refused = await weak.call('DELETE', `/me/factors/${id}`);
    expect([refused.status, refused.json['code']]).to.deep.equal([403, 'factors.fresh_proof_needed']);
    const again = await apiAfter();
    expect((await again.call('DELETE', `/me/factors/${id}`)).status).to.equal(204);
    expect(await idsOf(again)).to.deep.equal([]);
  });

  it('sec-042 a person unlinks an account elsewhere with as much, and not with less', async () => {
    const { app } = ground.running;
    const { tenantId } = ground;
    const wanted = {
      name: 'Corporate',
      issuer: 'https://login.example.com',
      clientId: 'us',
      clientSecret: 'between us',
    };
    const { id: connectionId } = await app.administration.createConnection(system, tenantId, wanted);
    const identity = { tenantId, connectionId, issuer: wanted.issuer, subject: 's', email: null };
    await app.accounts.linkIdentity({ ...identity, userId: person.userId });
    const visitor = browser(ground.issuer);
    const strong = await apiAfter(visitor, true);
    const [id = ''] = await idsOf(strong, '/me/identities');
    const weak = await apiAfter(visitor);
    const refused = await weak.call('DELETE', `/me/identities/${id}`);
    expect([refused.status, refused.json['code']]).to.deep.equal([403, 'factors.fresh_proof_needed']);
    const again = await apiAfter();
    expect((await again.call('DELETE', `/me/identities/${id}`)).status).to.equal(204);
    await app.accounts.linkIdentity({ ...identity, userId: person.userId });
    const [another = ''] = await idsOf(again, '/me/identities');
    clock.pass(11 * 60);
    expect((await again.call('DELETE', `/me/identities/${another}`)).status, 'of too long ago').to.be.oneOf([401, 403]);
  });

  it('sec-045 one of another person is answered as one that does not exist', async () => {
    const foreign = await newFactorOf(ground, ground.ownerId);
    const api = await apiAfter();
    const [one, none] = await Promise.all([
      api.call('DELETE', `/me/factors/${foreign}`),
      api.call('DELETE', `/me/factors/fac_${'0'.repeat(32)}`),
    ]);
    expect([one.status, one.json['code']]).to.deep.equal([404, 'factors.not_found']);
    expect([none.status, none.json['code']]).to.deep.equal([404, 'factors.not_found']);
    expect(await idsOf(ground.operator, `/users/${ground.ownerId}/factors`)).to.deep.equal([foreign]);
  });

  it('an operator resets them for who has lost them, who is told by mail', async () => {
    await apiAfter();
    expect(await idsOf(ground.operator, `/users/${person.userId}/sessions`)).not.to.deep.equal([]);
    expect((await ground.operator.call('DELETE', `/users/${person.userId}/factors`)).status).to.equal(204);
    expect(await idsOf(ground.operator, `/users/${person.userId}/factors`)).to.deep.equal([]);
    expect(await idsOf(ground.operator, `/users/${person.userId}/sessions`), 'signed out').to.deep.equal([]);
    const { page } = await signIn(ground.issuer, authorizeUrl(ground.issuer, { client_id: consoleClient.id }), person);
    expect(page.url).to.contain('code=');
    await ground.running.deliverMail();
    expect(ground.running.mailbox.map(({ subject }) => subject).join()).to.contain('were removed from your account');
  });

  it('a tenant asks for them where its plan has the feature', async () => {
    const wanted = { body: { mfa: 'required' } };
    const team = { slug: `t-${ground.slug}`, name: 'A team', type: 'team', ownerId: ground.ownerId };
    const { json } = await ground.operator.call('POST', '/tenants', { body: team });
    const refused = await ground.operator.call('PATCH', `/tenants/${String(json['id'])}/policies`, wanted);
    expect([refused.status, refused.json['code']]).to.deep.equal([409, 'feature.not_in_plan']);
    const set = await ground.operator.call('PATCH', `/tenants/${ground.tenantId}/policies`, wanted);
    expect([set.status, set.json['mfa']]).to.deep.equal([200, 'required']);
  });

  it('a client asks for them by default_acr_values, set and taken away by the API', async () => {
    const { issuer, operator, tenantId } = ground;
    const redirectUris = ['https://vault.example.com/callback'];
    const wanted = { name: 'The vault', redirectUris, tokenEndpointAuthMethod: 'none', defaultAcrValues: ['aal2'] };
    const made = await operator.call('POST', `/tenants/${tenantId}/clients`, { body: wanted });
    expect([made.status, made.json['defaultAcrValues']], made.text).to.deep.equal([201, ['aal2']]);
    const clientId = String(made.json['clientId']);
    const bare = { email: 'bare@example.com', password: 'a password and no more than it' };
    const { id: userId } = await ground.running.app.administration.createUser(system, { ...bare, emailVerified: true });
    await ground.running.app.administration.addMember(system, tenantId, { userId, roles: ['member'] });
    const asked = async (): Promise<string> => {
      const members = { client_id: clientId, redirect_uri: redirectUris[0]!, prompt: 'login' };
      return (await signIn(issuer, authorizeUrl(issuer, members), bare, browser(issuer))).page.html;
    };
    expect(await asked()).to.contain('Set up a second factor');
    const path = `/tenants/${tenantId}/clients/${clientId}`;
    const renamed = await operator.call('PATCH', path, { body: { name: 'The old vault' } });
    expect(renamed.json['defaultAcrValues'], 'what is not named stays').to.deep.equal(['aal2']);
    for (const bad of [['aal3'], ['aal2', 'aal2'], 'aal2', [['aal2']]]) {
      const refused = await operator.call('PATCH', path, { body: { defaultAcrValues: bad } });
      expect([refused.status, refused.text.includes('"/defaultAcrValues')], refused.text).to.deep.equal([400, true]);
    }
    const cleared = await operator.call('PATCH', path, { body: { defaultAcrValues: [] } });
    expect([cleared.status, cleared.json['defaultAcrValues']]).to.deep.equal([200, []]);
    expect(await asked()).not.to.contain('Set up a second factor');
  });

  it('shows nothing of what they are made of', async () => {
    const { text } = await (await apiAfter()).call('GET', '/me/factors');
    expect(Object.keys((JSON.parse(text) as { items: object[] }).items[0] ?? {})).to.deep.equal([
      ...['id', 'kind', 'name', 'createdAt', 'lastUsedAt'],
    ]);
  });

  it('go with their person', async () => {
    expect((await ground.operator.call('DELETE', `/users/${person.userId}`)).status).to.equal(204);
    for (const name of ['factors', 'recovery_codes'])
      expect(await ground.running.database.collection(name).countDocuments({}), name).to.equal(0);
  });
});
