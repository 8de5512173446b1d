// What people have to do before a sign-in ends: accept terms, complete their profile.
import { expect } from 'chai';
import { decodeJwt } from 'jose';
import { systemAuthority } from '../../src/kernel/actor.js';
import {
  asOpenPage,
  authorizeUrl,
  openSignIn,
  post,
  redeem,
  refreshing,
  submitByHand,
  type TokenSet,
} from '../http/requests.js';
import { browser, type Browser, type Page } from '../support/browser.js';
import { ada, webSecret } from '../support/contract-seed.js';
import { connect, startDevice } from '../support/device.js';
import { csrfOf, openPortal, postForm } from '../support/portal.js';
import { signIn } from '../support/relying-party.js';
import { closeApps, startApp, type RunningApp } from '../support/start-app.js';
import { consultant, seedWithTwoTenants, thirdPartySecret, tokenExchange } from '../support/two-tenants.js';

type Policies = NonNullable<Parameters<RunningApp['app']['administration']['changeSettings']>[2]['policies']>;

const by = systemAuthority('command');
const termsOf = (who: string, version: string) => ({ version, uri: `https://${who}.example/terms/${version}` });
const acme = { tenant: 'acme' };

describe('what is asked before a sign-in ends', function () {
  this.timeout(30_000);
  let running: RunningApp;
  let issuer: string;
  beforeEach(async () => {
    const platform = { slug: 'platform', name: 'Platform', type: 'enterprise' as const };
    running = await startApp({
      seed: { ...seedWithTwoTenants, tenants: [...(seedWithTwoTenants.tenants ?? []), platform] },
    });
    issuer = running.issuer;
  });
  afterEach(closeApps);

  async function ask(slug: string, policies: Policies): Promise<void> {
    const { id } = await running.app.administration.getTenant(slug);
    await running.app.administration.changeSettings(by, { tenantId: id }, { policies });
  }

  const isTerms = ({ html }: Page): boolean => html.includes('id="terms-accept"');
  const isProfile = ({ html }: Page): boolean => html.includes('Complete your profile');
  const codeIn = ({ url }: Page): string | null => new URL(url).searchParams.get('code');
  const errorIn = ({ url }: Page): string | null => new URL(url).searchParams.get('error');
  const accept = (visitor: Browser, page: Page): Promise<Page> => visitor.submit(page, { accept: 'yes' });
  const enter = (person = ada, changes: Record<string, string> = acme) =>
    signIn(issuer, authorizeUrl(issuer, changes), person);
  const eventsOf = (type: string) => running.database.collection('events').find({ type }).toArray();

  async function tokensWith(page: Page, client?: readonly [string, string]): Promise<TokenSet> {
    const { status, text, json } = await redeem(issuer, codeIn(page) ?? '', {}, client);
    expect(status, text).to.equal(200);
    return json as unknown as TokenSet;
  }

  describe('terms', () => {
    it('of a tenant are accepted once, written down with version and time, and another version is asked for anew', async () => {
      await ask('acme', { terms: termsOf('acme', '2026-01') });
      const { browser: visitor, page } = await enter();
      expect(isTerms(page)).to.equal(true);
      expect(page.html).to.contain('href="https://acme.example/terms/2026-01"').and.contain('Terms of Acme Inc');
      expect(codeIn(await accept(visitor, page))).to.be.a('string');
      const [event] = await eventsOf('membership.terms_accepted');
      expect(event?.['data']).to.deep.equal(termsOf('acme', '2026-01'));
      expect(event?.['actor']).to.deep.equal({ kind: 'user', userId: String(event?.['subjectId']) });
      expect(codeIn((await enter()).page), 'not asked again').to.be.a('string');
      expect(codeIn(await visitor.get(authorizeUrl(issuer, { ...acme, prompt: 'none' })))).to.be.a('string');

      await ask('acme', { terms: termsOf('acme', '2026-02') });
      const again = await visitor.get(authorizeUrl(issuer, acme));
      expect(again.html).to.contain('Version 2026-02');
      expect(codeIn(await accept(visitor, again))).to.be.a('string');
      expect(await eventsOf('membership.terms_accepted')).to.have.length(2);
    });

    it('of the platform are accepted by everybody, on one page with those of a tenant', async () => {
      await ask('platform', { terms: termsOf('platform', '1') });
      await ask('globex', { terms: termsOf('globex', '7') });
      const { browser: visitor, page } = await enter(consultant, { tenant: 'globex' });
      expect(page.html).to.contain('Terms of this sign-in service').and.contain('Terms of Globex');
      expect(codeIn(await accept(visitor, page))).to.be.a('string');
      expect([
        (await eventsOf('user.terms_accepted')).length,
        (await eventsOf('membership.terms_accepted')).length,
      ]).to.deep.equal([1, 1]);
      expect(codeIn(await visitor.get(authorizeUrl(issuer, acme))), 'acme asks for nothing of its own').to.be.a(
        'string',
      );
      expect(isTerms((await enter(ada)).page)).to.equal(true);
    });

    it('who cancels gets nothing, and their app is told', async () => {
      await ask('acme', { terms: termsOf('acme', '1') });
      const { browser: visitor, page } = await enter();
      expect(errorIn(await visitor.submit(page, {}, '/cancel'))).to.equal('access_denied');
      expect(errorIn(await visitor.get(authorizeUrl(issuer, { ...acme, prompt: 'none' })))).to.equal(
        'interaction_required',
      );
      expect(await eventsOf('membership.terms_accepted')).to.deep.equal([]);
    });

    it('that change while somebody reads them are not accepted by them', async () => {
      await ask('acme', { terms: termsOf('acme', '1') });
      const { browser: visitor, page } = await enter();
      await ask('acme', { terms: termsOf('acme', '2') });
      const changed = await accept(visitor, page);
      expect([changed.status, isTerms(changed)]).to.deep.equal([409, true]);
      expect(changed.html).to.contain('Version 2').and.contain('have changed');
      expect(await eventsOf('membership.terms_accepted')).to.deep.equal([]);
      expect(codeIn(await accept(visitor, changed))).to.be.a('string');
      expect((await eventsOf('membership.terms_accepted'))[0]?.['data']).to.deep.equal(termsOf('acme', '2'));
    });

    it('who is no member any more accepts nothing, and comes back to be asked', async () => {
      await ask('acme', { terms: termsOf('acme', '1') });
      const { browser: visitor, page } = await enter(consultant);
      const [tenant, user] = [
        await running.app.administration.getTenant('acme'),
        await running.app.administration.getUserByEmail(consultant.email),
      ];
      await running.app.administration.removeMember(by, { tenantId: tenant.id, userId: user.id });
      expect((await accept(visitor, page)).status).to.equal(400);
      expect(await eventsOf('membership.terms_accepted')).to.deep.equal([]);
    });

    it('stand in the portal and in the export, and nobody is asked for them on the way there', async () => {
      await ask('platform', { terms: termsOf('platform', '1') });
      await ask('acme', { terms: termsOf('acme', '2') });
      const portal = await openPortal(issuer, { path: '/account/terms' });
      expect(portal.page.url).to.equal(`${issuer}/account/terms`);
      expect(portal.page.html).to.contain('You have accepted no terms here');
      const asked = await portal.visitor.get(authorizeUrl(issuer, acme));
      await accept(portal.visitor, asked);
      const { html } = await portal.visitor.get('/account/terms');
      for (const text of [
        'Terms of this sign-in service',
        'Version 1',
        'Terms of Acme Inc',
        'Version 2',
        'accepted <time',
      ])
        expect(html).to.contain(text);
      const form = await portal.visitor.get('/account/data');
      const { html: file } = await postForm(portal, '/account/data', { csrf: csrfOf(form) });
      const { acceptedTerms } = JSON.parse(file) as { acceptedTerms: Record<string, unknown>[] };
      expect(acceptedTerms.map(({ version, uri }) => ({ version, uri }))).to.deep.equal([
        termsOf('platform', '1'),
        termsOf('acme', '2'),
      ]);
      for (const { acceptedAt } of acceptedTerms)
        expect(new Date(String(acceptedAt)).getTime()).to.be.closeTo(Date.now(), 60_000);
      expect((await portal.visitor.get('/account/activity')).html).to.contain('You accepted terms of a tenant');
    });
  });

  describe('a profile', () => {
    it('is completed by what is missing alone, and apps see it at once', async () => {
      await ask('acme', { requiredProfile: ['name', 'givenName', 'locale'] });
      const { browser: visitor, page } = await enter(ada, { ...acme, scope: 'openid profile' });
      expect(isProfile(page)).to.equal(true);
      expect(page.html).to.contain('name="given_name"').and.contain('name="locale"').and.not.contain('name="name"');
      const empty = await visitor.submit(page, { given_name: ' ', locale: 'en' });
      expect([empty.status, empty.html.includes('Given name is missing')]).to.deep.equal([422, true]);
      const wrong = await visitor.submit(empty, { given_name: 'Ada', locale: 'not a language!' });
      expect([wrong.status, wrong.html.includes('The language must be a language tag')]).to.deep.equal([422, true]);
      expect(wrong.html, 'what was right stays').to.contain('value="Ada"');
      expect(/<input id="(\w+)"[^>]* autofocus>/.exec(wrong.html)?.[1], 'the eye goes to what was not').to.equal(
        'locale',
      );
      const done = await visitor.submit(wrong, { given_name: 'Ada', locale: 'en-GB' });
      expect(decodeJwt((await tokensWith(done)).id_token)).to.include({
        given_name: 'Ada',
        locale: 'en-GB',
        name: 'Ada Lovelace',
      });
      expect(codeIn((await enter()).page)).to.be.a('string');
    });

    it('is asked for by the platform too, of whoever lacks it, after the terms', async () => {
      await ask('platform', { requiredProfile: ['name'], terms: termsOf('platform', '1') });
      const { browser: visitor, page } = await enter(consultant);
      expect([isTerms(page), isProfile(page)]).to.deep.equal([true, false]);
      const profile = await accept(visitor, page);
      expect(isProfile(profile)).to.equal(true);
      expect(codeIn(await visitor.submit(profile, { name: 'Connie Sultant' }))).to.be.a('string');
      const other = await enter(ada);
      expect(codeIn(await accept(other.browser, other.page)), 'who has a name is not asked for it').to.be.a('string');
    });
  });

  it('sec-041 who has not done it yet has no token, and is signed in nowhere else', async () => {
    await ask('acme', { terms: termsOf('acme', '1'), requiredProfile: ['locale'] });
    const { browser: visitor, page } = await enter();
    for (const step of [page, await accept(visitor, page)]) {
      expect(codeIn(step)).to.equal(null);
      const silent = await visitor.get(authorizeUrl(issuer, { ...acme, prompt: 'none' }));
      expect([errorIn(silent), codeIn(silent)]).to.deep.equal(['interaction_required', null]);
      const resumed = await visitor.get(`/oauth2/authorize/${asOpenPage(visitor, step).uid}`);
      expect(codeIn(resumed)).to.equal(null);
    }
  });

  it('sec-040 each form is taken at its own step alone, with its own members', async () => {
    await ask('acme', { terms: termsOf('acme', '1'), requiredProfile: ['locale'] });
    const forms = { terms: { tenant_version: '1', accept: 'yes' }, profile: { locale: 'en' } };
    const atLogin = await openSignIn(issuer, acme);
    for (const [step, members] of Object.entries(forms))
      expect((await submitByHand(atLogin, step, members)).status, `${step} before the login`).to.equal(400);
    const page = await atLogin.visitor.submit(atLogin.page, { login: ada.email, password: ada.password });
    const atTerms = asOpenPage(atLogin.visitor, page);
    for (const [step, members] of [
      ['profile', forms.profile],
      ['login', { login: ada.email, password: ada.password }],
      ['tenant', { tenant: 'acme' }],
      ['consent', { decision: 'accept' }],
      ['second-factor', { method: 'totp', code: '000000' }],
      ['terms', { tenant_version: '1' }],
      ['terms', { tenant_version: '1', accept: 'no' }],
      ['terms', { tenant_version: '1', accept: 'yes', userId: 'usr_1' }],
    ] as const)
      expect((await submitByHand(atTerms, step, members)).status, `${step} at the terms`).to.equal(400);
    for (const seen of [{}, { tenant_version: '2' }, { platform_version: '1' }] as Record<string, string>[])
      expect((await submitByHand(atTerms, 'terms', { ...seen, accept: 'yes' })).status, JSON.stringify(seen)).to.equal(
        409,
      );
    expect(await eventsOf('membership.terms_accepted')).to.deep.equal([]);
    const atProfile = asOpenPage(atTerms.visitor, await accept(atTerms.visitor, page));
    for (const [step, members] of [
      ['terms', forms.terms],
      ['consent', { decision: 'accept' }],
      ['profile', {}],
      ['profile', { locale: 'en', name: 'Somebody Else' }],
      ['profile', { locale: 'en', email: 'other@example.com' }],
    ] as const)
      expect((await submitByHand(atProfile, step, members)).status, `${step} at the profile`).to.equal(400);
    expect((await running.app.administration.getUserByEmail(ada.email)).profile).to.deep.equal({
      name: 'Ada Lovelace',
    });
    expect((await submitByHand(atProfile, 'profile', forms.profile)).status).to.equal(303);
  });

  it('sec-030 neither form is taken without the token of its sign-in', async () => {
    await ask('acme', { terms: termsOf('acme', '1'), requiredProfile: ['locale'] });
    const { browser: visitor, page } = await enter();
    const other = await openSignIn(issuer);
    const atTerms = asOpenPage(visitor, page);
    const foreign = { csrf: other.csrf, tenant_version: '1', accept: 'yes' };
    expect((await submitByHand(atTerms, 'terms', foreign)).status).to.equal(403);
    expect(
      (await submitByHand(atTerms, 'terms', { tenant_version: '1', accept: 'yes' }, { Origin: 'https://evil.example' }))
        .status,
    ).to.equal(403);
    const atProfile = asOpenPage(visitor, await accept(visitor, page));
    expect((await submitByHand(atProfile, 'profile', { csrf: other.csrf, locale: 'en' })).status).to.equal(403);
  });

  it('tokens of before are refreshed on, and the next sign-in asks', async () => {
    const { browser: visitor, page } = await enter();
    const tokens = await tokensWith(page);
    await ask('acme', { terms: termsOf('acme', '1'), requiredProfile: ['locale'] });
    expect((await post(issuer, 'token', refreshing(tokens), ['web', webSecret])).status).to.equal(200);
    expect(isTerms(await visitor.get(authorizeUrl(issuer, acme)))).to.equal(true);
  });

  it('sec-041 a token of one tenant gives none of another one whose terms nobody has accepted', async () => {
    const client = ['switcher', thirdPartySecret] as const;
    const changes = { client_id: 'switcher', scope: 'openid projects:read', ...acme };
    const { browser: visitor, page } = await enter(consultant, changes);
    const tokens = await tokensWith(page, client);
    const exchange = () =>
      post(
        issuer,
        'token',
        {
          ...{ grant_type: tokenExchange, subject_token: tokens.access_token, tenant: 'globex', scope: 'openid' },
          subject_token_type: 'urn:ietf:params:oauth:token-type:access_token',
        },
        client,
      );
    const before = await exchange();
    await ask('globex', { terms: termsOf('globex', '1') });
    const refused = await exchange();
    expect(refused.json).to.include({ error: 'invalid_grant' });
    await accept(visitor, await visitor.get(authorizeUrl(issuer, { ...changes, tenant: 'globex' })));
    expect((await exchange()).json['error'], 'as before').to.equal(before.json['error']);
  });

  it('a device waits until it is done', async () => {
    await ask('acme', { terms: termsOf('acme', '1'), requiredProfile: ['locale'] });
    const device = await startDevice(issuer);
    const { browser: visitor, page } = await connect(issuer, device);
    expect(isTerms(page)).to.equal(true);
    expect((await device.ask()).json['error']).to.equal('authorization_pending');
    const profile = await accept(visitor, page);
    expect(isProfile(profile)).to.equal(true);
    const connected = await visitor.submit(profile, { locale: 'en' });
    expect(connected.html).to.contain('Device connected');
  });

  it('a fresh sign-in that is asked for comes first, and what was done is not asked again', async () => {
    await ask('acme', { terms: termsOf('acme', '1') });
    const first = await enter();
    await accept(first.browser, first.page);
    const login = await first.browser.get(authorizeUrl(issuer, { ...acme, max_age: '0' }));
    expect(login.html).to.contain('name="password"');
    expect(codeIn(await first.browser.submit(login, { login: ada.email, password: ada.password }))).to.be.a('string');
    const newcomer = browser(issuer);
    const asked = await signIn(
      issuer,
      authorizeUrl(issuer, { ...acme, max_age: '60', prompt: 'login' }),
      consultant,
      newcomer,
    );
    expect(isTerms(asked.page)).to.equal(true);
    expect(codeIn(await accept(newcomer, asked.page))).to.be.a('string');
  });
});
