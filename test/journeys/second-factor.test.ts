import { expect } from 'chai';
import { decodeJwt } from 'jose';
import { totpCode } from '../../src/credentials/totp.js';
import { systemAuthority } from '../../src/kernel/actor.js';
import { browser, type Page } from '../support/browser.js';
import { ada, projectsApi, webSecret } from '../support/contract-seed.js';
import { signIn } from '../support/relying-party.js';
import {
  enrolApp,
  halfSignedIn,
  linkOn,
  movedClock,
  secretOn,
  seedWithVault,
  type MovedClock,
} from '../support/second-factor.js';
import { closeApps, startApp, type RunningApp } from '../support/start-app.js';
import {
  asOpenPage,
  authorizeUrl,
  cookieOf,
  post,
  redeem,
  refreshing,
  submitByHand,
  type TokenSet,
} from '../http/requests.js';

const exchange = 'urn:ietf:params:oauth:grant-type:token-exchange';
const accessTokenType = 'urn:ietf:params:oauth:token-type:access_token';

describe('a second factor', function () {
  this.timeout(30_000);
  let running: RunningApp;
  let issuer: string;
  let clock: MovedClock;
  beforeEach(async () => {
    clock = movedClock();
    running = await startApp({ seed: seedWithVault, now: clock.now });
    issuer = running.issuer;
  });
  afterEach(closeApps);

  async function claimsOf(callback: string): Promise<Record<string, unknown>> {
    const { json } = await redeem(issuer, new URL(callback).searchParams.get('code') ?? '');
    return decodeJwt((json as unknown as TokenSet).id_token);
  }
  const errorOf = ({ url }: Page): string | null => new URL(url).searchParams.get('error');
  const operator = systemAuthority('command');
  const userId = async (): Promise<string> => (await running.app.administration.getUserByEmail(ada.email)).id;

  it('is set up in the sign-in to a tenant that asks for it, and told of by mail', async () => {
    const { callback, recoveryCodes } = await enrolApp(issuer, clock);
    expect(await claimsOf(callback)).to.deep.include({ acr: 'aal2', amr: ['pwd', 'otp', 'mfa'] });
    expect(new Set(recoveryCodes).size).to.equal(10);
    await running.deliverMail();
    expect(running.mailbox.map(({ subject }) => subject)).to.deep.equal([
      'A way to sign in was added to your account: authenticator app',
    ]);
  });

  it('sec-041 with the password alone nobody is signed in, whatever is asked with that browser', async () => {
    const { freshCode } = await enrolApp(issuer, clock);
    const { visitor, page } = await halfSignedIn(issuer);
    expect(page.html).to.contain('Prove that it is you');
    expect([...visitor.cookies.values()].map(({ name }) => name)).not.to.include('sid');
    expect(errorOf(await visitor.get(authorizeUrl(issuer, { prompt: 'none', tenant: 'acme' })))).to.equal(
      'login_required',
    );
    for (const path of ['/oauth2/userinfo', '/api/v1/me'])
      expect((await visitor.request(path)).status, path).to.equal(401);
    const done = await visitor.submit(page, { code: freshCode() });
    expect(await claimsOf(done.url)).to.deep.include({ acr: 'aal2', amr: ['pwd', 'otp', 'mfa'] });
  });

  it('sec-040 to go on without it leads back to the login page', async () => {
    await enrolApp(issuer, clock);
    const { visitor, page } = await halfSignedIn(issuer);
    const { uid } = asOpenPage(visitor, page);
    const resumed = await visitor.get(`/oauth2/authorize/${uid}`);
    expect(resumed.html).to.contain('name="password"');
    expect((await visitor.get(`${resumed.url}/second-factor`)).html, 'what was proven is forgotten').to.contain(
      'name="password"',
    );
  });

  it('sec-041 a factor that is set up while a sign-in with the password is under way ends that sign-in', async () => {
    const visitor = browser(issuer);
    const page = asOpenPage(visitor, await visitor.get(authorizeUrl(issuer, { tenant: 'acme' })));
    const given = await submitByHand(page, 'login', { login: ada.email, password: ada.password });
    await enrolApp(issuer, clock);
    const resumed = await visitor.get(given.headers.get('location') ?? '');
    expect(errorOf(resumed)).to.equal('login_required');
  });

  it('sec-040 every form before its time, and of another step, is refused and signs nobody in', async () => {
    const { recoveryCodes, code } = await enrolApp(issuer, clock);
    const forms: Record<string, Record<string, string>> = {
      'second-factor': { method: 'recovery_code', code: recoveryCodes[0] ?? '' },
      'second-factor/email': { send: 'yes' },
      'second-factor/passkey': { response: '{}', ticket: 'x' },
      'second-factor/enrol': { factor: 'fac_1', code: code() },
      'second-factor/enrol-passkey': { response: '{}', ticket: 'x' },
      tenant: { tenant: 'acme' },
      consent: { decision: 'accept' },
      invitation: { decision: 'accept' },
    };
    const visitor = browser(issuer);
    const before = asOpenPage(visitor, await visitor.get(authorizeUrl(issuer, { tenant: 'acme' })));
    const half = await halfSignedIn(issuer);
    const after = asOpenPage(half.visitor, half.page);
    for (const [step, members] of Object.entries(forms)) {
      expect((await submitByHand(before, step, members)).status, `${step} before the password`).to.equal(400);
      if (step === 'second-factor') continue;
      expect((await submitByHand(after, step, members)).status, `${step} after the password`).to.equal(400);
    }
    for (const members of [{ method: 'totp' }, { code: '' }, { method: 'pwd', code: '1' }, {}])
      expect((await submitByHand(after, 'second-factor', members)).status).to.equal(400);
    for (const { visitor: each } of [before, after])
      expect([...each.cookies.values()].map(({ name }) => name)).not.to.include('sid');
    expect((await submitByHand(after, 'second-factor', forms['second-factor'] ?? {})).status).to.equal(303);
  });

  it('sec-028 what somebody proved in one browser does not count in another with the same cookies', async () => {
    const { freshCode } = await enrolApp(issuer, clock);
    const { visitor, page } = await halfSignedIn(issuer);
    const attacker = browser(issuer);
    for (const [key, cookie] of visitor.cookies) if (cookie.name !== 'browser') attacker.cookies.set(key, cookie);
    expect((await attacker.get(page.url)).html).to.contain('name="password"');
    const form = asOpenPage(attacker, await attacker.get(page.url));
    const answer = await submitByHand(form, 'second-factor', { method: 'totp', code: freshCode() });
    expect(answer.status).to.equal(400);
  });

  it('sec-028 the session gets a new identifier when more is proven', async () => {
    const { browser: visitor } = await signIn(issuer, authorizeUrl(issuer, { tenant: 'acme' }));
    const before = cookieOf(visitor, 'sid').value;
    const page = await visitor.get(authorizeUrl(issuer, { tenant: 'vault' }));
    expect(page.html, 'the password is not asked for again').to.contain('Set up a second factor');
    const code = totpCode(secretOn(page), clock.now());
    const shown = await visitor.submit(page, { code }, '/second-factor/enrol');
    const done = await visitor.get(linkOn(shown));
    expect(await claimsOf(done.url)).to.deep.include({ acr: 'aal2', amr: ['pwd', 'otp', 'mfa'] });
    expect(cookieOf(visitor, 'sid').value).not.to.equal(before);
  });

  it('sec-042 who signed in long ago gives the password again before a first factor is set up', async () => {
    clock.pass(-11 * 60);
    const { browser: visitor } = await signIn(issuer, authorizeUrl(issuer, { tenant: 'acme' }));
    clock.pass(11 * 60);
    const page = await visitor.get(authorizeUrl(issuer, { tenant: 'vault' }));
    expect(page.html).to.contain('name="password"');
    const next = await visitor.submit(page, { login: ada.email, password: ada.password });
    expect(next.html).to.contain('Set up a second factor');
  });

  it('a recovery code lets in once, and is told of by mail', async () => {
    const { recoveryCodes } = await enrolApp(issuer, clock);
    const [code = ''] = recoveryCodes;
    const { visitor, page } = await halfSignedIn(issuer);
    const done = await visitor.submit(page, { method: 'recovery_code', code: ` ${code.toUpperCase()} ` });
    expect(await claimsOf(done.url)).to.deep.include({ acr: 'aal2', amr: ['pwd', 'otp', 'mfa'] });
    const again = await halfSignedIn(issuer);
    expect((await again.visitor.submit(again.page, { method: 'recovery_code', code })).status).to.equal(422);
    await running.deliverMail();
    expect(running.mailbox.map(({ subject }) => subject)).to.include(
      'A recovery code was used to sign in to your account',
    );
  });

  it('sec-044 a code is not taken again within its half minute, in whatever sign-in', async () => {
    const { freshCode } = await enrolApp(issuer, clock);
    const code = freshCode();
    const first = await halfSignedIn(issuer);
    expect((await first.visitor.submit(first.page, { code })).url).to.contain('code=');
    const second = await halfSignedIn(issuer);
    const refused = await second.visitor.submit(second.page, { code });
    expect(refused.status).to.equal(422);
    expect(refused.html).to.contain('was used before');
    expect((await second.visitor.submit(refused, { code: freshCode() })).url).to.contain('code=');
  });

  it('a browser may be trusted for thirty days, until password or factors change', async () => {
    const { freshCode } = await enrolApp(issuer, clock);
    const { visitor, page } = await halfSignedIn(issuer);
    await visitor.submit(page, { code: freshCode(), remember: 'yes' });
    const again = (changes: Record<string, string>, by = visitor) => halfSignedIn(issuer, changes, by);
    const trusted = await again({ prompt: 'login' });
    expect(await claimsOf(trusted.page.url), 'and it is no second factor').to.deep.include({
      acr: 'aal1',
      amr: ['pwd'],
    });
    const asking = await again({ prompt: 'login', tenant: 'vault' });
    expect(asking.page.html, 'a tenant that asks for one asks here too').to.contain('Prove that it is you');
    expect((await again({}, browser(issuer))).page.html).to.contain('Prove that it is you');
    await running.app.administration.resetUserFactors(operator, await userId());
    await enrolApp(issuer, clock);
    expect((await again({ prompt: 'login' })).page.html, 'other factors').to.contain('Prove that it is you');
  });

  describe('for a tenant that asks for it', () => {
    it('nobody gets in silently with a password', async () => {
      const { browser: visitor } = await signIn(issuer, authorizeUrl(issuer, { tenant: 'acme' }));
      const silent = await visitor.get(authorizeUrl(issuer, { tenant: 'vault', prompt: 'none' }));
      expect(errorOf(silent)).to.equal('interaction_required');
      const enrolled = await enrolApp(issuer, clock);
      const later = await enrolled.visitor.get(authorizeUrl(issuer, { tenant: 'vault', prompt: 'none' }));
      expect(await claimsOf(later.url)).to.deep.include({ acr: 'aal2' });
    });

    it('sec-046 tokens of before are not renewed, and none is exchanged into it', async () => {
      await running.app.seeding.applySeed({
        clients: [
          {
            ...seedWithVault.clients![0]!,
            grant_types: ['authorization_code', 'refresh_token', exchange],
          },
        ],
      });
      const scope = 'openid projects:read';
      const { page } = await signIn(issuer, authorizeUrl(issuer, { tenant: 'acme', scope }));
      const code = new URL(page.url).searchParams.get('code') ?? '';
      const tokens = (await redeem(issuer, code)).json as unknown as TokenSet;
      const web = ['web', webSecret] as const;
      const into = {
        ...{ grant_type: exchange, subject_token: tokens.access_token, subject_token_type: accessTokenType },
        ...{ tenant: 'vault', resource: projectsApi },
      };
      const exchanged = await post(issuer, 'token', into, web);
      expect([exchanged.status, exchanged.json['error']]).to.deep.equal([400, 'invalid_grant']);
      const { id } = await running.app.administration.getTenant('acme');
      await running.app.administration.changeSettings(operator, { tenantId: id }, { policies: { mfa: 'required' } });
      const refreshed = await post(issuer, 'token', refreshing(tokens), web);
      expect([refreshed.status, refreshed.json['error']]).to.deep.equal([400, 'invalid_grant']);
    });

    it('sec-046 a code that was got before it asked is not redeemed', async () => {
      const { page } = await signIn(issuer, authorizeUrl(issuer, { tenant: 'acme' }));
      const { id } = await running.app.administration.getTenant('acme');
      await running.app.administration.changeSettings(operator, { tenantId: id }, { policies: { mfa: 'required' } });
      const answer = await redeem(issuer, new URL(page.url).searchParams.get('code') ?? '');
      expect([answer.status, answer.json['error']]).to.deep.equal([400, 'invalid_grant']);
    });
  });

  describe('for a request that asks for it', () => {
    const essential = (values: string[]): string => JSON.stringify({ id_token: { acr: { essential: true, values } } });

    it('acr_values are a wish: who has a factor is asked for it, who has none is not', async () => {
      const without = await halfSignedIn(issuer, { acr_values: 'aal2' });
      expect(await claimsOf(without.page.url)).to.deep.include({ acr: 'aal1' });
      const { freshCode } = await enrolApp(issuer, clock);
      const { visitor, page } = await halfSignedIn(issuer);
      await visitor.submit(page, { code: freshCode(), remember: 'yes' });
      const trusted = await halfSignedIn(issuer, { prompt: 'login' }, visitor);
      expect(await claimsOf(trusted.page.url)).to.deep.include({ acr: 'aal1' });
      const silent = await visitor.get(authorizeUrl(issuer, { tenant: 'acme', acr_values: 'aal2', prompt: 'none' }));
      expect(await claimsOf(silent.url), 'a wish breaks nothing').to.deep.include({ acr: 'aal1' });
      const asked = await visitor.get(authorizeUrl(issuer, { tenant: 'acme', acr_values: 'urn:other aal2 aal1' }));
      const before = cookieOf(visitor, 'sid').value;
      const done = await visitor.submit(asked, { code: freshCode() });
      expect(await claimsOf(done.url)).to.deep.include({ acr: 'aal2', amr: ['pwd', 'otp', 'mfa'] });
      expect(cookieOf(visitor, 'sid').value).not.to.equal(before);
    });

    it('an essential acr is a condition: who has no factor sets one up, and an unknown one is refused', async () => {
      const { visitor, page } = await halfSignedIn(issuer, { claims: essential(['aal2']) });
      expect(page.html).to.contain('Set up a second factor');
      expect(
        errorOf(await visitor.get(authorizeUrl(issuer, { claims: essential(['aal3']), tenant: 'acme' }))),
      ).to.equal('unmet_authentication_requirements');
      const silent = authorizeUrl(issuer, { claims: essential(['aal2']), tenant: 'acme', prompt: 'none' });
      expect(errorOf(await visitor.get(silent))).to.equal('interaction_required');
      const either = await visitor.get(authorizeUrl(issuer, { claims: essential(['aal2', 'aal1']), tenant: 'acme' }));
      expect(await claimsOf(either.url)).to.deep.include({ acr: 'aal1' });
    });

    it('claims about the person are asked for by scope alone', async () => {
      const claims = JSON.stringify({ id_token: { email: null }, userinfo: { name: { essential: true } } });
      const { visitor } = await halfSignedIn(issuer);
      expect(errorOf(await visitor.get(authorizeUrl(issuer, { claims, tenant: 'acme' })))).to.equal('invalid_request');
    });

    it('a client asks for it in its registration', async () => {
      await running.app.seeding.applySeed({
        clients: [{ ...seedWithVault.clients![0]!, default_acr_values: ['aal2'] }],
      });
      expect((await halfSignedIn(issuer, { acr_values: 'aal1' })).page.html).to.contain('Set up a second factor');
    });

    it('discovery names the levels, and max_age asks for all of it again', async () => {
      const document = (await (await fetch(`${issuer}/.well-known/openid-configuration`)).json()) as Record<
        string,
        unknown
      >;
      expect(document['acr_values_supported']).to.have.members(['aal1', 'aal2']);
      const { visitor, freshCode } = await enrolApp(issuer, clock);
      const again = await halfSignedIn(issuer, { prompt: 'login', max_age: '0' }, visitor);
      expect(again.page.html).to.contain('Prove that it is you');
      const done = await visitor.submit(again.page, { code: freshCode() });
      expect(await claimsOf(done.url))
        .to.include.keys('auth_time')
        .and.deep.include({ acr: 'aal2' });
    });
  });
});
