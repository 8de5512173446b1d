// A tenant that does not allow codes by e-mail: its people sign in without them, in whatever tenant.
import { expect } from 'chai';
import { decodeJwt } from 'jose';
import { totpCode } from '../../src/credentials/totp.js';
import { systemAuthority } from '../../src/kernel/actor.js';
import { authorizeUrl, redeem, submitByHand, asOpenPage, type TokenSet } from '../http/requests.js';
import { browser, type Browser, type Page } from '../support/browser.js';
import { ada, redirectUri } from '../support/contract-seed.js';
import { csrfOf, openPortal, postForm } from '../support/portal.js';
import { signIn } from '../support/relying-party.js';
import { halfSignedIn, linkOn, movedClock, secretOn, type MovedClock } from '../support/second-factor.js';
import { closeApps, startApp, type RunningApp } from '../support/start-app.js';
import { consultant, seedWithTwoTenants } from '../support/two-tenants.js';

const operator = systemAuthority('command');
const refusal = 'does not allow codes by e-mail';

describe('a tenant that refuses codes by e-mail', function () {
  this.timeout(30_000);
  let running: RunningApp;
  let issuer: string;
  let clock: MovedClock;
  beforeEach(async () => {
    clock = movedClock();
    running = await startApp({ seed: seedWithTwoTenants, now: clock.now });
    issuer = running.issuer;
  });
  afterEach(closeApps);

  async function set(emailCodes: 'allowed' | 'refused', slug = 'acme'): Promise<void> {
    const { id: tenantId } = await running.app.administration.getTenant(slug);
    await running.app.administration.changeSettings(operator, { tenantId }, { policies: { emailCodes } });
  }

  async function allowCodes(person = ada, visitor?: Browser): Promise<Browser> {
    const opened = await openPortal(issuer, { path: '/account/factors', person, ...(visitor ? { visitor } : {}) });
    await opened.visitor.submit(opened.page, {}, '/factors/email');
    return opened.visitor;
  }

  /** Adds an app to whoever is signed in here; gives its secret. */
  async function addApp(visitor: Browser): Promise<string> {
    const form = await visitor.get('/account/factors/app');
    await visitor.submit(form, { code: totpCode(secretOn(form), clock.now()) }, '/factors/app');
    return secretOn(form);
  }

  /** Gives the secret of the app. */
  async function appAndCodes(): Promise<string> {
    const { visitor } = await openPortal(issuer);
    const secret = await addApp(visitor);
    await allowCodes(ada, visitor);
    return secret;
  }

  async function withMailedCode(visitor: Browser, page: Page): Promise<Page> {
    const sent = await visitor.submit(page, { send: 'yes' }, '/second-factor/email');
    await running.deliverMail();
    const code = /\b\d{6}\b/.exec(running.mailbox.at(-1)?.subject ?? '')?.[0] ?? '';
    return visitor.submit(sent, { method: 'email_code', code });
  }

  /** Asks for a code and offers to set nothing up. */
  const secondOnly = (page: Page): boolean => page.html.includes('/second-factor/email') && secretOn(page) === '';

  const kinds = async (): Promise<unknown> =>
    (await running.app.administration.getUserByEmail(ada.email)).factorKinds ?? [];

  async function claimsOf({ url }: Page): Promise<Record<string, unknown>> {
    const { json } = await redeem(issuer, new URL(url).searchParams.get('code') ?? '');
    return decodeJwt((json as unknown as TokenSet).id_token);
  }

  it('nobody of it turns them on, by the page or past it', async () => {
    const before = await openPortal(issuer, { path: '/account/factors' });
    await set('refused');
    const answer = await postForm(before, '/account/factors/email', { csrf: csrfOf(before.page) });
    expect([answer.status, answer.html.includes(refusal)]).to.deep.equal([409, true]);
    const page = await before.visitor.get('/account/factors');
    expect(page.html).to.contain(refusal).and.not.contain('/account/factors/email');
    expect(await kinds()).to.deep.equal([]);
    await set('allowed');
    expect((await before.visitor.get('/account/factors')).html).to.contain('/account/factors/email');
    await allowCodes(ada, before.visitor);
    expect(await kinds()).to.deep.equal(['email']);
  });

  it('the strictest of their tenants counts, and other people are not touched', async () => {
    await set('refused', 'globex');
    const theirs = await openPortal(issuer, { path: '/account/factors', person: consultant });
    expect(theirs.page.html).to.contain(refusal);
    const hers = await openPortal(issuer, { path: '/account/factors' });
    expect(hers.page.html).not.to.contain(refusal);
  });

  it('who has something else is asked for that alone', async () => {
    const secret = await appAndCodes();
    const { visitor, page } = await halfSignedIn(issuer);
    const sent = await visitor.submit(page, { send: 'yes' }, '/second-factor/email');
    await running.deliverMail();
    const code = /\d{6}/.exec(running.mailbox.at(-1)?.subject ?? '')?.[0] ?? '';
    await set('refused');
    const open = asOpenPage(visitor, sent);
    const late = await submitByHand(open, 'second-factor', { method: 'email_code', code });
    expect(late.status, 'a code of before').to.equal(400);
    expect((await submitByHand(open, 'second-factor/email', { send: 'yes' })).status).to.equal(400);

    const again = await halfSignedIn(issuer);
    expect(again.page.html).to.contain('Prove that it is you').and.not.contain('/second-factor/email');
    clock.pass(30);
    const done = await again.visitor.submit(again.page, { code: totpCode(secret, clock.now()) });
    expect(await claimsOf(done)).to.deep.include({ acr: 'aal2' });
    expect(await kinds(), 'what they have stays').to.have.members(['email', 'totp']);
    await set('allowed');
    expect((await halfSignedIn(issuer)).page.html).to.contain('/second-factor/email');
  });

  it('who has nothing else gives a code, and then sets up what takes its place', async () => {
    await allowCodes();
    await set('refused');
    const { visitor, page } = await halfSignedIn(issuer);
    expect(secondOnly(page), 'a password alone sets nothing up').to.equal(true);
    const early = await submitByHand(asOpenPage(visitor, page), 'second-factor/enrol', { factor: 'x', code: '000000' });
    expect(early.status).to.equal(400);
    const enrolling = await withMailedCode(visitor, page);
    expect(enrolling.html).to.contain('Set up a second factor').and.contain(refusal);
    const code = totpCode(secretOn(enrolling), clock.now());
    const shown = await visitor.submit(enrolling, { code }, '/second-factor/enrol');
    expect(await claimsOf(await visitor.get(linkOn(shown)))).to.deep.include({ acr: 'aal2' });
    expect((await halfSignedIn(issuer)).page.html).not.to.contain('/second-factor/email');
  });

  it('who has nothing else comes to no app and not to their account before that', async () => {
    await allowCodes(consultant);
    await set('refused', 'globex');
    const { browser: visitor, page } = await signIn(issuer, authorizeUrl(issuer, { tenant: 'acme' }), consultant);
    const enrolling = await withMailedCode(visitor, page);
    expect(enrolling.html, 'in another tenant of theirs').to.contain('Set up a second factor');
    const silent = await visitor.get(authorizeUrl(issuer, { tenant: 'acme', prompt: 'none' }));
    expect(new URL(silent.url).searchParams.get('error')).to.equal('interaction_required');
    const portal = await openPortal(issuer, { person: consultant });
    const forced = await withMailedCode(portal.visitor, portal.page);
    expect(forced.html).to.contain('Set up a second factor');
  });

  it('a session that is older than their codes sets nothing up before one was given', async () => {
    const stale = await halfSignedIn(issuer);
    expect(stale.page.url).to.contain(redirectUri);
    await allowCodes();
    await set('refused');
    const asked = await stale.visitor.get(authorizeUrl(issuer, { tenant: 'acme' }));
    expect(asked.html).to.contain('name="password"');
    const half = await stale.visitor.submit(asked, { login: ada.email, password: ada.password });
    expect(secondOnly(half)).to.equal(true);
    expect((await withMailedCode(stale.visitor, half)).html).to.contain('Set up a second factor');
  });

  it('a session of before that rests on such a code is asked for more, one that rests on a trusted browser is not', async () => {
    const secret = await appAndCodes();
    const byMail = await halfSignedIn(issuer);
    expect((await withMailedCode(byMail.visitor, byMail.page)).url).to.contain(redirectUri);
    const trusting = await halfSignedIn(issuer);
    clock.pass(30);
    await trusting.visitor.submit(trusting.page, { code: totpCode(secret, clock.now()), remember: 'yes' });
    const trusted = await halfSignedIn(issuer, { prompt: 'login' }, trusting.visitor);
    expect(await claimsOf(trusted.page)).to.deep.include({ acr: 'aal1' });
    await set('refused');
    const ask = (visitor: Browser): Promise<Page> => visitor.get(authorizeUrl(issuer, { tenant: 'acme' }));
    expect((await ask(trusted.visitor)).url).to.contain(redirectUri);
    const atAccount = async ({ visitor }: { visitor: Browser }): Promise<number> =>
      (await visitor.request('/account')).status;
    expect([await atAccount(byMail), await atAccount(trusted)], 'their account').to.deep.equal([303, 200]);
    const asked = await ask(byMail.visitor);
    expect(asked.html).to.contain('Prove that it is you').and.not.contain('/second-factor/email');
    clock.pass(30);
    const done = await byMail.visitor.submit(asked, { code: totpCode(secret, clock.now()) });
    expect(await claimsOf(done)).to.deep.include({ acr: 'aal2' });
  });

  it('nobody is asked for anything who has chosen none', async () => {
    await set('refused');
    const { page } = await signIn(issuer, authorizeUrl(issuer, { tenant: 'acme' }), ada, browser(issuer));
    expect(await claimsOf(page)).to.deep.include({ acr: 'aal1', amr: ['pwd'] });
  });
});
