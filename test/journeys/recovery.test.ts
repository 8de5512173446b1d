// From a password that nobody remembers back to a token.
import { expect } from 'chai';
import { totpCode } from '../../src/credentials/totp.js';
import { authorizeUrl, openSignIn, post, redeem, refreshing, codeOf } from '../http/requests.js';
import { browser, type Browser, type Page } from '../support/browser.js';
import { ada, contractSeed, webSecret } from '../support/contract-seed.js';
import { askForAccount, askForRecovery, linkIn, recoveryLink, subjectsTo, userIdOf } from '../support/mail-links.js';
import { factorsOf } from '../support/factors-of.js';
import { signIn } from '../support/relying-party.js';
import { operator } from '../support/administered.js';
import { closeApps, startApp, type RunningApp } from '../support/start-app.js';

const fresh = { email: ada.email, password: 'nine lives of a black cat' };
/** Made by somebody who never showed that the address is theirs. */
const unproven = { email: 'squatted@example.com', password: 'whatever a squatter thinks of' };

describe('a forgotten password', function () {
  this.timeout(30_000);
  let running: RunningApp;
  let now: Date;
  beforeEach(async () => {
    now = new Date();
    const users = [...(contractSeed.users ?? []), { ...unproven, emailVerified: false }];
    running = await startApp({ seed: { ...contractSeed, users }, now: () => now });
  });
  afterEach(closeApps);

  const opens = async (person: { email: string; password: string }): Promise<boolean> =>
    new URL((await signIn(running.issuer, authorizeUrl(running.issuer), person)).page.url).searchParams.has('code');

  async function reset(visitor: Browser, link: string, password = fresh.password): Promise<Page> {
    return visitor.submit(await visitor.get(link), { password });
  }

  it('leads from the login page by mail to a new password, and back into the sign-in that was under way', async () => {
    const { visitor, page, uid } = await openSignIn(running.issuer);
    const start = /href="(\/sign-in\/[\w-]+\/recover)"/.exec(page.html)?.[1] ?? '';
    const sent = await askForRecovery(visitor, ada.email, start);
    expect(sent.html).to.contain('Look into your mail');
    const link = (await linkIn(running, ada.email, 'recover')) ?? '';
    const back = await reset(visitor, link);
    expect(back.url).to.equal(`${running.issuer}/sign-in/${uid}`);
    const done = await visitor.submit(back, { login: ada.email, password: fresh.password });
    expect(new URL(done.url).searchParams.has('code')).to.equal(true);
    expect(await opens(ada)).to.equal(false);
    expect(await subjectsTo(running, ada.email)).to.deep.equal(['Set a new password', 'Your password was changed']);
  });

  it('ends with a page that says so where no sign-in waits, in another browser, or none any more', async () => {
    const { visitor, page } = await openSignIn(running.issuer);
    const start = /href="(\/sign-in\/[\w-]+\/recover)"/.exec(page.html)?.[1] ?? '';
    await askForRecovery(visitor, ada.email, start);
    const elsewhere = await reset(browser(running.issuer), (await linkIn(running, ada.email, 'recover')) ?? '');
    expect(elsewhere.html).to.contain('Your password is changed');
    const directly = browser(running.issuer);
    expect((await reset(directly, await recoveryLink(running, directly, ada.email))).html).to.contain(
      'Your password is changed',
    );
  });

  it('sec-023 ends every session, refresh token and known browser, other links, and the wait after failed tries', async () => {
    const { issuer } = running;
    const held = await signIn(issuer, authorizeUrl(issuer), ada);
    const tokens = (await redeem(issuer, await codeOf(issuer, { scope: 'openid offline_access' }))).json as {
      refresh_token: string;
    };
    for (let count = 0; count < 6; count++)
      await signIn(issuer, authorizeUrl(issuer), { ...ada, password: 'a wrong password' });
    expect(await opens(ada), 'must wait').to.equal(false);
    const visitor = browser(issuer);
    const first = await recoveryLink(running, visitor, ada.email);
    const second = await recoveryLink(running, visitor, ada.email);
    await reset(visitor, second);
    expect(await opens(fresh), 'no wait any more').to.equal(true);
    expect((await visitor.get(first)).status).to.equal(410);
    expect((await visitor.get(second)).status).to.equal(410);
    expect((await held.browser.get(authorizeUrl(issuer, { prompt: 'none' }))).url).to.contain('error=login_required');
    expect((await post(issuer, 'token', refreshing(tokens), ['web', webSecret])).status).to.equal(400);
  });

  it('sec-004 proves the address, and what somebody made with it who had not proven it is gone', async () => {
    const { issuer } = running;
    const squatter = await signIn(issuer, authorizeUrl(issuer), unproven);
    const visitor = browser(issuer);
    await reset(visitor, await recoveryLink(running, visitor, unproven.email));
    const user = await running.app.administration.getUserByEmail(unproven.email);
    expect(user.emailVerified).to.equal(true);
    const tried = await signIn(issuer, authorizeUrl(issuer), unproven);
    expect(tried.page.html).to.contain('name="password"');
    const silent = await squatter.browser.get(authorizeUrl(issuer, { prompt: 'none' }));
    expect(silent.url).to.contain('error=login_required');
  });

  it('sec-042 leaves a member the second factors whose address nobody has proven yet', async () => {
    const member = { email: 'member@example.com', password: 'somebody new has this one' };
    const memberships = [{ tenant: 'acme', roles: ['editor'] }];
    await running.app.seeding.applySeed({ users: [{ ...member, emailVerified: false, memberships }] });
    const factors = await factorsOf(running, () => now);
    const user = await running.app.administration.getUserByEmail(member.email);
    const proof = { provenAt: now, level: 'aal2', amr: ['pwd', 'otp'] };
    const { factorId, secret } = await factors.beginTotp(user, proof);
    await factors.confirmTotp(user, proof, { factorId, code: totpCode(secret, now) });
    const visitor = browser(running.issuer);
    await reset(visitor, await recoveryLink(running, visitor, member.email));
    const { page } = await signIn(running.issuer, authorizeUrl(running.issuer), { ...fresh, email: member.email });
    expect(page.url).to.contain('/second-factor');
    expect((await running.app.administration.getUserByEmail(member.email)).emailVerified).to.equal(true);
  });

  it('sec-048 is not shut by whoever asks for an account with the address, again and again', async () => {
    for (let count = 0; count < 6; count++) await askForAccount(browser(running.issuer), ada.email);
    expect(await recoveryLink(running, browser(running.issuer), ada.email)).to.match(/^\/recover\//);
  });

  it('gives no link to who is disabled, to nobody, and for what is no address; to all it says the same', async () => {
    const disabled = 'disabled@example.com';
    const { administration } = running.app;
    const { id } = await administration.createUser(operator, { email: disabled, emailVerified: true });
    await administration.changeUserStatus(operator, id, 'disabled');
    for (const login of [disabled, 'nobody@example.com', 'no address', `${ada.email}\r\nBcc: x@example.com`]) {
      const answer = await askForRecovery(browser(running.issuer), login);
      expect(answer.status, login).to.equal(200);
      expect(answer.html, login).to.contain('Look into your mail');
    }
    await running.deliverMail();
    expect(running.mailbox).to.deep.equal([]);
  });

  it('works with every spelling of the address, and sends to the one that is known', async () => {
    await askForRecovery(browser(running.issuer), '  ADA@Example.COM ');
    expect(await linkIn(running, ada.email, 'recover')).to.match(/^\/recover\//);
  });

  it('is over half an hour later, when the account got another address, and when it was disabled', async () => {
    const visitor = browser(running.issuer);
    const tooOld = await recoveryLink(running, visitor, ada.email);
    now = new Date(now.getTime() + 30 * 60_000 + 1000);
    expect((await visitor.get(tooOld)).status).to.equal(410);

    const { administration } = running.app;
    const id = await userIdOf(running, ada.email);
    const open = await recoveryLink(running, visitor, ada.email);
    const page = await visitor.get(open);
    await administration.changeUser(operator, id, { changes: { email: 'ada@elsewhere.example.com' } });
    expect((await visitor.submit(page, { password: fresh.password })).status).to.equal(410);
    await administration.changeUser(operator, id, { changes: { email: ada.email, emailVerified: true } });

    const another = await recoveryLink(running, visitor, ada.email);
    const form = await visitor.get(another);
    await administration.changeUserStatus(operator, id, 'disabled');
    expect((await visitor.submit(form, { password: fresh.password })).status).to.equal(410);
    await administration.changeUserStatus(operator, id, 'active');
    expect(await opens(ada)).to.equal(true);
  });

  it('is over a quarter of an hour later for an operator', async () => {
    const root = { email: 'root@example.com', password: 'whoever runs all of this' };
    const memberships = [{ tenant: 'platform', roles: ['viewer'] }];
    await running.app.seeding.applySeed({
      tenants: [{ slug: 'platform', name: 'Platform', type: 'enterprise' }],
      users: [{ ...root, emailVerified: true, memberships }],
    });
    const visitor = browser(running.issuer);
    const links: string[] = [];
    for (const { email } of [root, ada]) links.push(await recoveryLink(running, visitor, email));
    const statuses = async (): Promise<number[]> => {
      const [ofOperator = '', ofAda = ''] = links;
      return [(await visitor.get(ofOperator)).status, (await visitor.get(ofAda)).status];
    };
    now = new Date(now.getTime() + 15 * 60_000 - 1000);
    expect(await statuses()).to.deep.equal([200, 200]);
    const open = await visitor.get(links[0] ?? '');
    now = new Date(now.getTime() + 2000);
    expect(await statuses()).to.deep.equal([410, 200]);
    expect((await visitor.submit(open, { password: fresh.password })).status, 'a form that was open').to.equal(410);
  });

  it('says what is wrong with a new password, and the link still works', async () => {
    const visitor = browser(running.issuer);
    const page = await visitor.get(await recoveryLink(running, visitor, ada.email));
    for (const [password, why] of [
      ['too short', 'at least 15 characters'],
      ['x'.repeat(129), '128 characters at most'],
      ['abcabcabcabcabcabc', 'repeats itself'],
      ['Ada Lovelace 2026!', 'mostly your name'],
      ['acme-inc-gatehouse', 'mostly your name'],
      ['abcdefghijklmnopq', 'follows the alphabet'],
      ['correcthorsebatterystaple', 'Many people have this password'],
      ['a password\u0000with a zero', 'no keyboard gives'],
    ] as const) {
      const answer = await visitor.submit(page, { password });
      expect(answer.status, password).to.equal(422);
      expect(answer.html, password).to.contain(why);
    }
    expect((await visitor.submit(page, { password: fresh.password })).html).to.contain('Your password is changed');
    expect(await opens(fresh)).to.equal(true);
  });

  it('asks for the length of the strictest tenant of the person', async () => {
    const { administration } = running.app;
    const acme = await administration.getTenant('acme');
    await administration.changeSettings(
      operator,
      { tenantId: acme.id },
      { policies: { password: { minimumLength: 30 } } },
    );
    const visitor = browser(running.issuer);
    const page = await visitor.get(await recoveryLink(running, visitor, ada.email));
    expect(page.html).to.contain('At least 30 characters');
    expect((await visitor.submit(page, { password: fresh.password })).html).to.contain('at least 30 characters');
  });

  it('browsers and password managers find the way to change it', async () => {
    const answer = await browser(running.issuer).request('/.well-known/change-password');
    expect([answer.status, answer.headers.get('location')]).to.deep.equal([303, '/account/password']);
  });
});
