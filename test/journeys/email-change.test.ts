// From one address to another, and back within seven days.
import { expect } from 'chai';
import { authorizeUrl } from '../http/requests.js';
import { browser } from '../support/browser.js';
import { ada, contractSeed } from '../support/contract-seed.js';
import {
  askForRecovery,
  browserIdOf,
  changeLink,
  linkIn,
  recoveryLink,
  subjectsTo,
  undoLink,
  userIdOf,
  verifyLink,
} from '../support/mail-links.js';
import { operator, outcomeOf } from '../support/administered.js';
import { signIn } from '../support/relying-party.js';
import { closeApps, startApp, type RunningApp } from '../support/start-app.js';

const to = 'countess@example.org';
const password = 'nine lives of a black cat';
const other = { email: 'other@example.com', password: 'somebody else has this one' };
const unproven = { email: 'not-yet@example.com', password: 'somebody new has this one' };
const memberships = [{ tenant: 'acme', roles: ['editor'] }];

describe('a change of address', function () {
  this.timeout(30_000);
  let running: RunningApp;
  let now: Date;
  beforeEach(async () => {
    now = new Date();
    const users = [...(contractSeed.users ?? []), { ...other, emailVerified: true }, { ...unproven, memberships }];
    running = await startApp({ seed: { ...contractSeed, users }, now: () => now });
  });
  afterEach(closeApps);

  const change = { from: ada.email, to };
  const opens = async (person: { email: string; password: string }): Promise<boolean> =>
    new URL((await signIn(running.issuer, authorizeUrl(running.issuer), person)).page.url).searchParams.has('code');

  it('sec-026 counts once the new address is proven; until then sign-in and recovery stay with the one there is', async () => {
    const visitor = browser(running.issuer);
    const link = await changeLink(running, visitor, change);
    await visitor.get(link);
    expect([await opens(ada), await opens({ ...ada, email: to })]).to.deep.equal([true, false]);
    await askForRecovery(browser(running.issuer), to);
    expect(await linkIn(running, to, 'recover'), 'nothing is sent to what may be a typing mistake').to.equal(null);

    const done = await visitor.submit(await visitor.get(link), { confirm: 'yes' });
    expect(done.html).to.contain('Your e-mail address is changed');
    expect([await opens(ada), await opens({ ...ada, email: to })]).to.deep.equal([false, true]);
    expect(await subjectsTo(running, ada.email)).to.deep.equal(['Your e-mail address was changed']);
    const user = await running.app.administration.getUserByEmail(to);
    expect(user.emailVerified).to.equal(true);
  });

  it('is proven in the browser that asked, so that a typing mistake makes nobody the owner', async () => {
    const link = await changeLink(running, browser(running.issuer), change);
    const stranger = browser(running.issuer);
    const page = await stranger.get(link);
    expect(page.html).to.contain('asked for in another browser').and.not.contain('<form');
    await stranger.get('/recover');
    const own = await stranger.get(await recoveryLink(running, stranger, other.email));
    const csrf = /name="csrf" value="([^"]+)"/.exec(own.html)?.[1] ?? '';
    const forged = await stranger.request(link, {
      method: 'POST',
      body: new URLSearchParams({ csrf, confirm: 'yes' }),
    });
    expect(forged.status).to.equal(403);
    expect(await opens(ada)).to.equal(true);
  });

  it('needs a proof that is ten minutes old at most, another address, and does not tell who has it', async () => {
    const visitor = browser(running.issuer);
    await visitor.get('/recover');
    const userId = await userIdOf(running, ada.email);
    const asked = { userId, browserId: browserIdOf(visitor), email: to, provenAt: now };
    const { accounts } = running.app;
    const old = new Date(now.getTime() - 601_000);
    expect(await outcomeOf(accounts.startEmailChange({ ...asked, provenAt: old }))).to.equal(
      '403 account.proof_too_old',
    );
    expect(await accounts.startEmailChange({ ...asked, email: 'no address' })).to.equal('no_address');
    expect(await accounts.startEmailChange({ ...asked, email: ' ADA@example.com' })).to.equal('same');
    expect(await accounts.startEmailChange({ ...asked, email: other.email })).to.equal('sent');
    expect(await subjectsTo(running, other.email)).to.deep.equal([]);
    for (let count = 0; count < 5; count++) expect(await accounts.startEmailChange(asked)).to.equal('sent');
    expect(await accounts.startEmailChange(asked)).to.equal('too_many');
    now = new Date(now.getTime() + 3_601_000);
    expect(await accounts.startEmailChange({ ...asked, provenAt: now })).to.equal('sent');
  });

  it('ends what was sent before: an earlier change, and links to the former address', async () => {
    const visitor = browser(running.issuer);
    const recovery = await recoveryLink(running, visitor, ada.email);
    const earlier = await changeLink(running, visitor, { ...change, to: 'typo@example.org' });
    const link = await changeLink(running, visitor, change);
    expect((await visitor.get(earlier)).status).to.equal(410);
    await visitor.submit(await visitor.get(link), { confirm: 'yes' });
    expect((await visitor.get(recovery)).status).to.equal(410);
    expect((await visitor.get(link)).status).to.equal(410);
  });

  it('does not go through when somebody else has the address by then', async () => {
    const visitor = browser(running.issuer);
    const page = await visitor.get(await changeLink(running, visitor, change));
    await running.app.seeding.applySeed({ users: [{ email: to, emailVerified: true }] });
    expect((await visitor.submit(page, { confirm: 'yes' })).status).to.equal(409);
    expect(await opens(ada)).to.equal(true);
  });

  it('sec-026 is undone from the former address within seven days: everybody is out, with a new password', async () => {
    const thief = browser(running.issuer);
    const undo = await undoLink(running, thief, change);
    const held = await signIn(running.issuer, authorizeUrl(running.issuer), { ...ada, email: to });
    now = new Date(now.getTime() + 7 * 86_400_000 - 1000);
    const owner = browser(running.issuer);
    const done = await owner.submit(await owner.get(undo), { password });
    expect(done.html).to.contain('Your former address is back');
    expect(await opens({ email: ada.email, password })).to.equal(true);
    expect([await opens(ada), await opens({ ...ada, email: to })]).to.deep.equal([false, false]);
    const silent = await held.browser.get(authorizeUrl(running.issuer, { prompt: 'none' }));
    expect(silent.url).to.contain('error=login_required');
    expect((await owner.get(undo)).status).to.equal(410);
  });

  it('cannot be undone after seven days, nor for good by whoever took the account', async () => {
    const thief = browser(running.issuer);
    const undo = await undoLink(running, thief, change);
    now = new Date(now.getTime() + 1000);
    const second = await undoLink(running, thief, { from: to, to: 'further@example.net', provenAt: now });
    // the thief sets a password, which ends links of recovery and not the owner's way back
    await thief.submit(await thief.get(second), { password: 'what the thief thinks up' });
    const owner = browser(running.issuer);
    expect((await owner.submit(await owner.get(undo), { password })).html).to.contain('former address is back');
    expect(await opens({ email: ada.email, password })).to.equal(true);

    const another = await undoLink(running, owner, { ...change, provenAt: now });
    now = new Date(now.getTime() + 7 * 86_400_000 + 1000);
    expect((await owner.get(another)).status).to.equal(410);
  });

  it('the owner’s way back ends those to addresses that came later', async () => {
    const thief = browser(running.issuer);
    const undo = await undoLink(running, thief, change);
    now = new Date(now.getTime() + 1000);
    const second = await undoLink(running, thief, { from: to, to: 'further@example.net', provenAt: now });
    const owner = browser(running.issuer);
    await owner.submit(await owner.get(undo), { password });
    expect((await thief.get(second)).status).to.equal(410);
  });

  it('sec-004 an address is verified in the browser that asked, and by nobody for somebody else', async () => {
    const visitor = browser(running.issuer);
    const link = await verifyLink(running, visitor, unproven.email);
    expect((await browser(running.issuer).get(link)).html).to.contain('asked for in another browser');
    const done = await visitor.submit(await visitor.get(link), { confirm: 'yes' });
    expect(done.html).to.contain('Your e-mail address is confirmed');
    expect((await running.app.administration.getUserByEmail(unproven.email)).emailVerified).to.equal(true);
    expect(await opens(unproven)).to.equal(true);
    expect((await visitor.get(link)).status).to.equal(410);
    const asked = { userId: await userIdOf(running, unproven.email), browserId: browserIdOf(visitor) };
    expect(await running.app.accounts.requestEmailVerification(asked), 'nothing to show').to.equal(false);
  });

  it('a person who is deleted leaves no link behind', async () => {
    const visitor = browser(running.issuer);
    await recoveryLink(running, visitor, other.email);
    await changeLink(running, visitor, { from: other.email, to });
    const userId = await userIdOf(running, other.email);
    const links = running.database.collection('action_links');
    expect(await links.countDocuments({ userId })).to.equal(2);
    await running.app.administration.deleteUser(operator, userId);
    expect(await links.countDocuments({ userId })).to.equal(0);
  });
});
