import { expect } from 'chai';
import { policy } from '../../config/policy.js';
import { browser, type Page } from '../support/browser.js';
import { ada, contractSeed } from '../support/contract-seed.js';
import { fetchAt } from '../support/fetch-at.js';
import { closeApps, startApp, type RunningApp } from '../support/start-app.js';
import { asOpenPage, authorizeUrl, cookieOf, openSignIn, submitByHand, type OpenPage } from './requests.js';

const wrong = 'not the right password';
const bob = { email: 'bob@example.com', password: 'another correct horse' };
const from = (address: string): Record<string, string> => ({ 'X-Forwarded-For': address });

describe('guessing passwords', function () {
  this.timeout(30_000); // tens of hashes, each slow by design

  let running: RunningApp;
  let issuer: string;
  let elapsedMs: number;
  const now = (): Date => new Date(Date.now() + elapsedMs);
  beforeEach(async () => {
    elapsedMs = 0;
    const seed = { ...contractSeed, users: [...(contractSeed.users ?? []), { ...bob, emailVerified: true }] };
    running = await startApp({ seed, trustedProxies: 1, now });
    issuer = running.issuer;
  });
  afterEach(closeApps);

  const login = (page: OpenPage, address: string, name = ada.email, password = wrong): Promise<Page> =>
    submitByHand(page, 'login', { login: name, password }, from(address));

  async function statuses(count: number, attempt: (index: number) => Promise<Page>): Promise<Record<number, number>> {
    const counted: Record<number, number> = {};
    const answers = await Promise.all(Array.from({ length: count }, (_, index) => attempt(index)));
    for (const { status } of answers) counted[status] = (counted[status] ?? 0) + 1;
    return counted;
  }

  /** A browser in which Ada has signed in, at a new login page. */
  async function knownBrowser(): Promise<OpenPage> {
    const first = await openSignIn(issuer);
    expect((await login(first, '203.0.113.50', ada.email, ada.password)).status).to.equal(303);
    return asOpenPage(first.visitor, await first.visitor.get(authorizeUrl(issuer, { prompt: 'login' })));
  }

  it('sec-047 ten spellings of an address, one counter', async () => {
    const page = await openSignIn(issuer);
    const spellings = [
      'ada@example.com',
      'ADA@Example.COM',
      '  ada@example.com ',
      'ａｄａ＠ｅｘａｍｐｌｅ．ｃｏｍ',
      'ada@example。com',
      'ada@exam\u200bple.com',
      'ada@example.com.',
      '\ufeffada@example.com',
      'a\u00adda@example.com',
      'ada\u3000@example.com',
    ];
    for (const [index, spelling] of spellings.entries()) {
      const { status } = await login(page, '198.51.100.7', spelling);
      expect(status, `${index} ${spelling}`).to.equal(index < 5 ? 422 : 429);
    }
    expect(await running.database.collection('sign_in_attempts').find({}).toArray()).to.have.length(1);
  });

  it('sec-047 names that nobody has are counted in the same way', async () => {
    const page = await openSignIn(issuer);
    for (const [index, name] of ['Ｎobody@example.com', 'nobody@example.com', 'NOBODY@example.com.'].entries()) {
      for (const again of [0, 1]) {
        expect((await login(page, '198.51.100.7', name)).status).to.equal(index * 2 + again < 5 ? 422 : 429);
      }
    }
    expect((await login(page, '198.51.100.7', 'somebody.else@example.com')).status).to.equal(422);
  });

  it('fifty parallel tries at two processes get no more than the five that are free', async () => {
    const other = await startApp({ sharedWith: running, trustedProxies: 1, now });
    expect(other.issuer).to.equal(issuer);
    for (const name of [ada.email, 'nobody@example.com']) {
      const page = await openSignIn(issuer);
      const elsewhere = at(page, other.port, issuer);
      const counted = await statuses(50, (index) => login(index % 2 ? page : elsewhere, '198.51.100.7', name));
      expect(counted, name).to.deep.equal({ 422: 5, 429: 45 });
    }
  });

  it('twenty of fifty parallel tries from as many addresses are let through', async () => {
    const page = await openSignIn(issuer);
    const counted = await statuses(50, (index) => login(page, `198.51.100.${index}`));
    expect(counted).to.deep.equal({ 422: 20, 429: 30 });
  });

  it('sec-049 the addresses of one IPv6 network are one source', async () => {
    const page = await openSignIn(issuer);
    const counted = await statuses(10, (index) => login(page, `2001:db8:0:1:${index}::${index}`));
    expect(counted).to.deep.equal({ 422: 5, 429: 5 });
    expect((await login(page, '2001:db8:0:2::1')).status).to.equal(422);
  });

  it('the page says so and how long to wait, keeps the form, and the right password works after the wait', async () => {
    const page = await openSignIn(issuer);
    for (let count = 0; count < 5; count++) await login(page, '198.51.100.7');
    const refused = await login(page, '198.51.100.7', ada.email, ada.password);
    expect(refused.status, 'the right password is not looked at').to.equal(429);
    expect(Number(refused.headers.get('retry-after'))).to.be.within(50, 60);
    expect(refused.html).to.contain('There were too many tries at this account. Try again in 1 minute.');
    expect(refused.html).to.contain('name="password"').and.contain(`value="${ada.email}"`);
    elapsedMs = 61_000;
    expect((await login(page, '198.51.100.7', ada.email, ada.password)).status).to.equal(303);
    const again = await openSignIn(issuer);
    expect((await login(again, '198.51.100.7')).status, 'the count is gone').to.equal(422);
  });

  it('sec-048 failures from everywhere do not keep the owner out of a known browser', async () => {
    const owner = await knownBrowser();
    const attacker = await openSignIn(issuer);
    const counted = await statuses(60, (index) => login(attacker, `198.51.100.${index}`));
    expect(counted).to.deep.equal({ 422: 20, 429: 40 });
    const stranger = await openSignIn(issuer);
    expect((await login(stranger, '203.0.113.99', ada.email, ada.password)).status, 'a new browser waits').to.equal(
      429,
    );
    expect((await login(owner, '203.0.113.77', ada.email, ada.password)).status, 'the known one does not').to.equal(
      303,
    );
    expect((await login(attacker, '198.51.100.7')).status, 'and the others still do').to.equal(429);
  });

  it('sec-048 in a known browser too a wrong password is wrong, and there are five', async () => {
    const owner = await knownBrowser();
    for (let count = 0; count < 5; count++) expect((await login(owner, '203.0.113.50')).status).to.equal(422);
    expect((await login(owner, '203.0.113.50', ada.email, ada.password)).status).to.equal(429);
  });

  it('sec-048 a browser is known for the person alone, and a forged cookie is none', async () => {
    const owner = await knownBrowser();
    const attacker = await openSignIn(issuer);
    for (let count = 0; count < 20; count++) {
      await login(attacker, `198.51.100.${count}`, bob.email);
      await login(attacker, `198.51.100.${count}`, ada.email);
    }
    expect((await login(owner, '203.0.113.50', bob.email, bob.password)).status).to.equal(429);
    const { value } = cookieOf(owner.visitor, 'device');
    for (const forged of [
      'junk',
      value.replace(/^./, (first) => (first === 'A' ? 'B' : 'A')),
      `${value.slice(0, -1)}`,
    ]) {
      attacker.visitor.cookies.set('/ device', { name: 'device', value: forged, path: '/' });
      expect((await login(attacker, '203.0.113.51', ada.email, ada.password)).status, forged).to.equal(429);
    }
    attacker.visitor.cookies.set('/ device', { name: 'device', value, path: '/' });
    expect((await login(attacker, '203.0.113.51', ada.email, ada.password)).status).to.equal(303);
  });

  it('a new password ends the waits that guesses at the former one began', async () => {
    const page = await openSignIn(issuer);
    for (let count = 0; count < 20; count++) await login(page, `198.51.100.${count}`);
    const password = 'a password that is new';
    await running.app.seeding.applySeed({ users: [{ email: ada.email, password }] });
    expect((await login(page, '198.51.100.0', ada.email, password)).status).to.equal(303);
  });

  for (const [why, bounds] of [
    ['too many are waiting', { waitingHashes: 1 }],
    ['it waited too long', { longestWaitMs: 5 }],
  ] as const) {
    it(`sec-052 a try that the server had no time for does not count: ${why}`, async () => {
      const passwords = { ...policy.passwords, ...bounds };
      const busy = await startApp({ sharedWith: running, trustedProxies: 1, policy: { ...policy, passwords } });
      const there = at(await openSignIn(issuer), busy.port, issuer);
      const counted = await statuses(30, (index) => login(there, '198.51.100.7', `nobody-${index}@example.com`));
      expect(counted[503]).to.be.greaterThan(0);
      expect(counted[422]).to.equal(30 - (counted[503] ?? 0));
      const remembered = await running.database.collection('sign_in_attempts').find({}).toArray();
      expect(remembered).to.have.length(counted[422] ?? 0);
    });
  }

  it('what begins a wait is recorded, without name or address', async () => {
    const page = await openSignIn(issuer);
    for (let count = 0; count < 7; count++) await login(page, '198.51.100.7');
    for (let count = 0; count < 7; count++) await login(page, '198.51.100.7', 'nobody@example.com');
    const events = await running.database.collection('events').find({ type: 'user.sign_in_blocked' }).toArray();
    expect(events.map(({ subjectId }) => String(subjectId).slice(0, 4))).to.have.members(['usr_', 'unkn']);
    for (const { data } of events) {
      expect(data).to.include({ clientId: 'web', method: 'pwd', reason: 'source' });
      expect(new Date((data as { until: string }).until).getTime() - Date.now()).to.be.within(50_000, 60_000);
    }
    const stored = JSON.stringify([events, await running.database.collection('sign_in_attempts').find({}).toArray()]);
    expect(stored).not.to.match(/198\.51|example\.com/);
  });
});

describe('the cookie of a known browser', () => {
  afterEach(closeApps);

  it('is out of reach of scripts and other sites, and given for a sign-in alone', async () => {
    const { issuer } = await startApp();
    const page = await openSignIn(issuer);
    const wrongOne = await submitByHand(page, 'login', { login: ada.email, password: wrong });
    expect(wrongOne.headers.getSetCookie().filter((line) => line.includes('device'))).to.deep.equal([]);
    const right = await submitByHand(page, 'login', { login: ada.email, password: ada.password });
    const [cookie = ''] = right.headers.getSetCookie().filter((line) => line.startsWith('device='));
    expect(cookie).to.match(/^device=[\w-]{22}\.\d+\.[\w-]{43}; path=\/; expires=.*; samesite=lax; httponly$/i);
  });

  it('carries the __Host- prefix and Secure where the issuer is https', async () => {
    const issuer = 'https://id.example.com';
    const { port } = await startApp({ issuer });
    const page = await openSignIn(issuer, {}, browser(issuer, fetchAt(port)));
    const right = await submitByHand(page, 'login', { login: ada.email, password: ada.password });
    const [cookie = ''] = right.headers.getSetCookie().filter((line) => line.includes('device'));
    expect(cookie).to.match(/^__Host-device=[^;]+; path=\/; expires=.*; samesite=lax; secure; httponly$/i);
  });
});

/** The same browser, at another process of the issuer. */
function at({ visitor, ...page }: OpenPage, port: number, issuer: string): OpenPage {
  const elsewhere = browser(issuer, fetchAt(port));
  for (const [key, cookie] of visitor.cookies) elsewhere.cookies.set(key, cookie);
  return { ...page, visitor: elsewhere };
}
