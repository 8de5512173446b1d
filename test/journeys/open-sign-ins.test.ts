// What becomes of a sign-in that is left open, or of whoever may no longer finish it; and browsers that stand in for a factor.
import { expect } from 'chai';
import { decodeJwt } from 'jose';
import { systemAuthority } from '../../src/kernel/actor.js';
import { asOpenPage, authorizeUrl, redeem, submitByHand, type TokenSet } from '../http/requests.js';
import { browser, type Page } from '../support/browser.js';
import { ada } from '../support/contract-seed.js';
import { signIn } from '../support/relying-party.js';
import {
  enrolApp,
  halfSignedIn,
  movedClock,
  secretOn,
  seedWithVault,
  type MovedClock,
} from '../support/second-factor.js';
import { closeApps, startApp, type RunningApp } from '../support/start-app.js';

describe('a sign-in that is left open', function () {
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

  it('sec-042 of two sign-ins the one that is finished last keeps its own level and its own time', async () => {
    const { freshCode } = await enrolApp(issuer, clock);
    const { visitor, page } = await halfSignedIn(issuer, { tenant: null });
    const code = { method: 'totp', code: freshCode(), remember: 'yes' };
    const provenAt = Math.floor(clock.now().getTime() / 1000);
    const picker = await visitor.submit(page, code);
    expect(picker.html, 'left open').to.contain('Choose where to continue');
    clock.pass(300);
    const again = authorizeUrl(issuer, { tenant: 'acme', prompt: 'login' });
    const inBetween = await signIn(issuer, again, ada, visitor);
    expect(await claimsOf(inBetween.page.url), 'in a browser that is trusted').to.deep.include({ acr: 'aal1' });
    const done = await visitor.submit(picker, { tenant: 'acme' });
    const claims = await claimsOf(done.url);
    expect(claims['acr']).to.equal('aal2');
    expect(claims['auth_time']).to.be.within(provenAt, provenAt + 30);
    const [session] = await running.database
      .collection('oidc_sessions')
      .find({ endedAt: { $exists: false } })
      .sort({ loginTs: -1 })
      .toArray();
    expect(session?.['loginTs']).to.equal(claims['auth_time']);
  });

  it('whoever has waited for too long to set one up signs in again, and goes on there', async () => {
    const asked = { tenant: null, prompt: 'login select_tenant' };
    for (const waitsAt of ['picker', 'page', 'form']) {
      const { visitor, page: picker } = await halfSignedIn(issuer, asked);
      if (waitsAt === 'picker') clock.pass(601);
      let page = await visitor.submit(picker, { tenant: 'vault' });
      if (waitsAt !== 'picker') {
        expect(secretOn(page), waitsAt).to.match(/^[A-Z2-7 ]+$/);
        clock.pass(601);
        page =
          waitsAt === 'page'
            ? await visitor.get(page.url)
            : await visitor.submit(page, { code: '000000' }, '/second-factor/enrol');
      }
      expect(page.html, waitsAt).to.contain('name="password"');
      const again = await visitor.submit(page, { login: ada.email, password: ada.password });
      expect(secretOn(again), `${waitsAt}: ${again.url}`).to.match(/^[A-Z2-7 ]+$/);
    }
  });

  it('sec-042 browsers that are trusted are strangers once their person has forgotten them or signed out everywhere', async () => {
    const { freshCode } = await enrolApp(issuer, clock);
    const visitor = browser(issuer);
    const isTrusted = async (): Promise<boolean> =>
      (await halfSignedIn(issuer, { prompt: 'login' }, visitor)).page.url.includes('code=');
    const trustAgain = async (): Promise<void> => {
      const half = await halfSignedIn(issuer, { prompt: 'login' }, visitor);
      await visitor.submit(half.page, { method: 'totp', code: freshCode(), remember: 'yes' });
      expect(await isTrusted()).to.equal(true);
    };
    const forms = {
      '/account/factors': '/forget-browsers',
      '/account/sessions': '/end-others',
      ' /account/sessions': '/end-all',
    };
    for (const [path, form] of Object.entries(forms)) {
      await trustAgain();
      const done = await visitor.submit(await visitor.get(path.trim()), {}, form);
      expect(done.status, form).to.equal(200);
      expect(await isTrusted(), form).to.equal(false);
    }
    await trustAgain();
    await running.app.administration.endUserSessions(operator, await userId());
    expect(await isTrusted(), 'by an operator').to.equal(false);
  });

  it('sec-032 nobody gets into a session who was disabled while their sign-in was under way', async () => {
    const visitor = browser(issuer);
    const page = asOpenPage(visitor, await visitor.get(authorizeUrl(issuer, { tenant: 'acme' })));
    const given = await submitByHand(page, 'login', { login: ada.email, password: ada.password });
    await running.app.administration.changeUserStatus(operator, await userId(), 'disabled');
    expect(errorOf(await visitor.get(given.headers.get('location') ?? ''))).to.equal('login_required');
    expect(await running.database.collection('oidc_sessions').countDocuments({ accountId: await userId() })).to.equal(
      0,
    );
    await running.app.administration.changeUserStatus(operator, await userId(), 'active');
    const silent = await visitor.get(authorizeUrl(issuer, { prompt: 'none', tenant: 'acme' }));
    expect(errorOf(silent)).to.equal('login_required');
  });
});
