// A tenant that lets its people try less often than the platform does.
import { expect } from 'chai';
import { policy } from '../../config/policy.js';
import type { TenantPolicies } from '../../src/tenants/index.js';
import { operator } from '../support/administered.js';
import { browser, type Page } from '../support/browser.js';
import { ada } from '../support/contract-seed.js';
import { fetchAt } from '../support/fetch-at.js';
import { openPortal } from '../support/portal.js';
import { enrolApp, halfSignedIn, movedClock, seedWithVault, type MovedClock } from '../support/second-factor.js';
import { closeApps, startApp, type RunningApp } from '../support/start-app.js';
import { asOpenPage, authorizeUrl, openSignIn, submitByHand, type OpenPage } from './requests.js';

const wrong = 'not the right password';
const bob = { email: 'bob@example.com', password: 'another correct horse' };
const kiosk = { client_id: 'kiosk-app', redirect_uri: 'https://kiosk.example.com/callback' };
const from = (address: string): Record<string, string> => ({ 'X-Forwarded-For': address });

describe('tries, where a tenant is stricter than the platform', function () {
  this.timeout(60_000); // tens of hashes, each slow by design
  let running: RunningApp;
  let clock: MovedClock;

  beforeEach(async () => {
    clock = movedClock();
    const others = { redirect_uris: [kiosk.redirect_uri], token_endpoint_auth_method: 'none' as const };
    const seed = {
      ...seedWithVault,
      users: [
        ...(seedWithVault.users ?? []),
        { ...bob, emailVerified: true, memberships: [{ tenant: 'acme', roles: ['member'] }] },
      ],
      clients: [...(seedWithVault.clients ?? []), { client_id: kiosk.client_id, ...others }],
    };
    running = await startApp({ seed, trustedProxies: 1, now: clock.now });
  });
  afterEach(closeApps);

  async function ask(slug: string, signInAttempts: Partial<TenantPolicies['signInAttempts']>): Promise<void> {
    const { id: tenantId } = await running.app.administration.getTenant(slug);
    await running.app.administration.changeSettings(operator, { tenantId }, { policies: { signInAttempts } });
  }

  const login = (page: OpenPage, name: string, address = '198.51.100.7', password = wrong): Promise<Page> =>
    submitByHand(page, 'login', { login: name, password }, from(address));

  async function statuses(page: OpenPage, names: readonly string[]): Promise<number[]> {
    const found: number[] = [];
    for (const name of names) found.push((await login(page, name)).status);
    return found;
  }

  const waitOf = ({ headers }: Page): number => Number(headers.get('retry-after'));

  it('sec-047 its members wait sooner and longer, and nobody else does', async () => {
    await ask('vault', { tries: 2, firstWaitSeconds: 600 });
    const page = await openSignIn(running.issuer);
    expect(
      await statuses(
        page,
        Array.from({ length: 3 }, () => ada.email),
      ),
    ).to.deep.equal([422, 422, 429]);
    expect(waitOf(await login(page, ada.email))).to.be.within(590, 600);
    const six = Array.from({ length: 6 }, () => bob.email);
    expect(await statuses(page, six), 'no member').to.deep.equal([422, 422, 422, 422, 422, 429]);
    expect(waitOf(await login(page, bob.email))).to.be.within(50, 60);
    clock.pass(601);
    expect((await login(page, ada.email, undefined, ada.password)).status).to.equal(303);
  });

  it('the strictest of all tenants of the person counts, number by number, and none is weaker than the platform', async () => {
    await ask('vault', { tries: 4, firstWaitSeconds: 600 });
    await ask('acme', { tries: 3, firstWaitSeconds: null });
    const page = await openSignIn(running.issuer);
    const four = Array.from({ length: 4 }, () => ada.email);
    expect(await statuses(page, four)).to.deep.equal([422, 422, 422, 429]);
    expect(waitOf(await login(page, ada.email))).to.be.within(590, 600);
  });

  it('sec-047 no other spelling, app, browser or flow begins anew', async () => {
    await ask('vault', { tries: 3 });
    const signedIn = await openPortal(running.issuer, { path: '/account/password', person: bob });
    const pages = [
      await openSignIn(running.issuer),
      await openSignIn(running.issuer, kiosk),
      await openSignIn(running.issuer, { tenant: 'acme' }),
    ];
    const spellings = [' ADA@Example.COM', 'ａｄａ@example.com', 'ada@example.com.'];
    for (const [index, spelling] of spellings.entries())
      expect((await login(pages[index]!, spelling)).status, spelling).to.equal(422);
    for (const page of pages) expect((await login(page, ada.email)).status).to.equal(429);

    await ask('acme', { tries: 3 });
    const { visitor, page } = signedIn;
    const change = { password: wrong, new_password: 'seven quiet harbours of the north' };
    for (let tries = 0; tries < 3; tries++) expect((await visitor.submit(page, change)).status).to.equal(422);
    expect((await visitor.submit(page, { ...change, password: bob.password })).status, 'at the portal').to.equal(429);
    const again = await visitor.get(authorizeUrl(running.issuer, { prompt: 'login' }));
    expect((await visitor.submit(again, { login: bob.email, password: bob.password })).status).to.equal(429);
  });

  it('remembers wrong ones for as long as the tenant asks', async () => {
    await ask('vault', { tries: 3, windowSeconds: 7200 });
    const page = await openSignIn(running.issuer);
    expect(await statuses(page, [ada.email, ada.email])).to.deep.equal([422, 422]);
    clock.pass(policy.signInAttempts.source.windowSeconds + 60);
    const later = await openSignIn(running.issuer);
    expect(await statuses(later, [ada.email, ada.email])).to.deep.equal([422, 429]);
  });

  it('so many in a row end it, of which a share is kept for known browsers', async () => {
    await ask('vault', { consecutive: 10 });
    const page = await openSignIn(running.issuer);
    for (let index = 0; index < 8; index++)
      expect((await login(page, ada.email, `198.51.100.${index}`)).status, `try ${index}`).to.equal(422);
    const ended = await login(page, ada.email, '198.51.100.99', ada.password);
    expect(ended.status).to.equal(429);
    clock.pass(86_400 * 30);
    const later = await openSignIn(running.issuer);
    expect((await login(later, ada.email, '198.51.100.99', ada.password)).status, 'a month later').to.equal(429);
  });

  it('sec-043 codes of second factors are counted by it too', async () => {
    const { freshCode } = await enrolApp(running.issuer, clock);
    await ask('acme', { tries: 2, firstWaitSeconds: 1800 });
    const { visitor, page } = await halfSignedIn(running.issuer);
    const open = asOpenPage(visitor, page);
    const code = (typed: string): Promise<Page> => submitByHand(open, 'second-factor', { method: 'totp', code: typed });
    expect([(await code('000000')).status, (await code('000001')).status]).to.deep.equal([422, 422]);
    const blocked = await code(freshCode());
    expect([blocked.status, waitOf(blocked) > 1700]).to.deep.equal([429, true]);
    const other = await halfSignedIn(running.issuer, kiosk, browser(running.issuer));
    const elsewhere = asOpenPage(other.visitor, other.page);
    const typed = { method: 'totp', code: freshCode() };
    expect((await submitByHand(elsewhere, 'second-factor', typed)).status, 'for another app').to.equal(429);
  });

  it('fifty parallel tries at two processes get no more than are free', async () => {
    await ask('vault', { tries: 2 });
    const other = await startApp({ sharedWith: running, trustedProxies: 1, now: clock.now });
    const page = await openSignIn(running.issuer);
    const visitor = browser(running.issuer, fetchAt(other.port));
    for (const [key, cookie] of page.visitor.cookies) visitor.cookies.set(key, cookie);
    const answers = await Promise.all(
      Array.from({ length: 50 }, (_, index) => login(index % 2 ? page : { ...page, visitor }, ada.email)),
    );
    const counted = answers.map(({ status }) => status).sort();
    expect(counted.filter((status) => status === 422)).to.have.length(2);
    expect(counted.filter((status) => status === 429)).to.have.length(48);
  });
});
