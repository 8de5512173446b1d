import { expect } from 'chai';
import { browser, type Browser } from '../../support/browser.js';
import { ada, redirectUri } from '../../support/contract-seed.js';
import { closeApps, startApp, type RunningApp } from '../../support/start-app.js';
import { consultant, seedWithTwoTenants } from '../../support/two-tenants.js';
import { authorizeUrl, cookieOf, openSignIn, send, submitByHand, type OpenPage } from '../requests.js';

const right = { login: ada.email, password: ada.password };

/** What the attacker has of this flow, put into the victim's browser. */
function plant(from: Browser, into: Browser, names: RegExp): void {
  for (const [key, cookie] of from.cookies) if (names.test(cookie.name)) into.cookies.set(key, { ...cookie });
}

describe('cookies that somebody else has planted', function () {
  this.timeout(30_000);
  let running: RunningApp;
  let issuer: string;
  beforeEach(async () => {
    running = await startApp({ seed: seedWithTwoTenants });
    issuer = running.issuer;
  });
  afterEach(closeApps);

  const isSignedIn = async (visitor: Browser): Promise<boolean> =>
    (await visitor.get(authorizeUrl(issuer, { prompt: 'none' }))).url.includes('code=');

  /** The victim follows the attacker's link with the attacker's cookies, and signs in there. */
  async function fallFor(attacker: OpenPage, names: RegExp): Promise<{ victim: Browser; landed: string }> {
    const victim = browser(issuer);
    plant(attacker.visitor, victim, names);
    const page = await victim.get(attacker.page.url);
    expect(page.status).to.equal(200);
    return { victim, landed: (await victim.submit(page, right)).url };
  }

  it('sec-028 who planted the cookies of a sign-in gets nothing from the person who signs in with them', async () => {
    for (const names of [/^interaction/, /^(interaction|resume)/]) {
      const attacker = await openSignIn(issuer);
      await fallFor(attacker, names);
      const taken = await attacker.visitor.get(`/oauth2/authorize/${attacker.uid}`);
      expect(taken.status, String(names)).to.equal(400);
      expect(taken.url, String(names)).not.to.contain('code=');
      expect(await isSignedIn(attacker.visitor), String(names)).to.be.false;
    }
  });

  it('sec-028 a form of the attacker’s browser is not taken from the victim’s', async () => {
    const attacker = await openSignIn(issuer);
    const victim = browser(issuer);
    plant(attacker.visitor, victim, /^interaction/);
    await victim.get(attacker.page.url);
    const posted = await submitByHand({ ...attacker, visitor: victim }, 'login', right);
    expect([posted.status, posted.html.includes('form.foreign')]).to.deep.equal([403, true]);
  });

  it('sec-028 every rise of privilege gives the session another identifier, and the former one is dead', async () => {
    const open = await openSignIn(issuer);
    await open.visitor.submit(open.page, right);
    const first = cookieOf(open.visitor, 'sid').value;
    const old = new Map(open.visitor.cookies);
    const again = await open.visitor.get(authorizeUrl(issuer, { prompt: 'login' }));
    await open.visitor.submit(again, right);
    expect(cookieOf(open.visitor, 'sid').value).not.to.equal(first);
    const former = browser(issuer);
    for (const [key, cookie] of old) former.cookies.set(key, cookie);
    expect(await isSignedIn(former)).to.be.false;
    expect(await isSignedIn(open.visitor)).to.be.true;
  });

  it('sec-028 cookies under one name twice, of other paths or of somebody else, sign nobody in', async () => {
    const mine = await openSignIn(issuer);
    await mine.visitor.submit(mine.page, right);
    const theirs = await openSignIn(issuer);
    await theirs.visitor.submit(theirs.page, { login: consultant.email, password: consultant.password });
    const pair = (visitor: Browser): [string, string] => [
      cookieOf(visitor, 'sid').value,
      cookieOf(visitor, 'sid.sig').value,
    ];
    const [[id, signature], [otherId, otherSignature]] = [pair(mine.visitor), pair(theirs.visitor)];
    for (const Cookie of [
      `sid=planted; sid=${id}; sid.sig=${signature}`,
      `sid=${id}; sid.sig=planted; sid.sig=${signature}`,
      `sid=${otherId}; sid.sig=${signature}`,
      `sid=${id}; sid.sig=${otherSignature}`,
      `sid=${otherId}; sid=${id}; sid.sig=${signature}`,
      `sid="${id}; sid.sig=${signature}`,
      `SID=${id}; SID.sig=${signature}`,
      `__Host-sid=${id}; __Host-sid.sig=${signature}`,
      `_session=${id}; _session.sig=${signature}`,
      `__proto__=x; sid=${id}`,
    ]) {
      const answer = await send(authorizeUrl(issuer, { prompt: 'none' }), { headers: { Cookie } });
      expect(new URL(answer.location ?? '').searchParams.get('error'), Cookie).to.equal('login_required');
    }
    const whole = await send(authorizeUrl(issuer, { prompt: 'none' }), {
      headers: { Cookie: `__proto__=x; constructor=y; =z; sid=${id}; a; sid.sig=${signature}` },
    });
    expect(whole.location).to.satisfy((location: string) => location.startsWith(`${redirectUri}?code=`));
  });

  it('sec-028 strange cookies, and as many as fit, change nothing', async () => {
    for (const Cookie of [
      '__proto__=1; constructor=1; toString=1; hasOwnProperty=1',
      'sid=%00; sid.sig=%ff; interaction=é'.normalize('NFD').replace(/[^\x00-\xff]/g, '?'),
      `${'a=b; '.repeat(2500)}c=d`,
      `sid=${'x'.repeat(12_000)}; sid.sig=${'x'.repeat(43)}`,
      ';;;===;; ; =;',
    ]) {
      for (const path of ['/', '/sign-in/x', '/oauth2/logout', '/oauth2/jwks', '/health/live']) {
        const plain = await send(issuer + path);
        const answer = await send(issuer + path, { headers: { Cookie } });
        expect(answer.status, `${path} ${Cookie.slice(0, 30)}`).to.equal(plain.status);
      }
    }
    const bomb = await send(`${issuer}/`, { headers: { Cookie: `${'a=b; '.repeat(4000)}c=d` } });
    expect(bomb.status).to.equal(431);
  });
});
