// What somebody who took an account can still do once its owner has undone the change of address.
import { expect } from 'chai';
import { totpCode } from '../../src/credentials/totp.js';
import { operator } from '../support/administered.js';
import { browser } from '../support/browser.js';
import { contractSeed } from '../support/contract-seed.js';
import { factorsOf } from '../support/factors-of.js';
import { changeLink, linkIn, recoveryLink, subjectsTo, undoLink, userIdOf } from '../support/mail-links.js';
import { openPortal } from '../support/portal.js';
import { closeApps, startApp, type RunningApp } from '../support/start-app.js';

const owner = { email: 'owner@example.com', password: 'somebody else has this one' };
const taken = 'thief@example.org';
const password = 'nine lives of a black cat';
const closed = 'Your account is to be deleted';
const replaced = 'Your e-mail address is not used any more';

describe('a change of address that is undone', function () {
  this.timeout(30_000);
  let running: RunningApp;
  let now: Date;
  beforeEach(async () => {
    now = new Date();
    const users = [...(contractSeed.users ?? []), { ...owner, emailVerified: true }];
    running = await startApp({ seed: { ...contractSeed, users }, now: () => now });
  });
  afterEach(closeApps);

  const later = (seconds: number): void => void (now = new Date(now.getTime() + seconds * 1000));
  const change = (from: string, to: string) => ({ from, to, provenAt: now });

  async function undo(link: string): Promise<string> {
    const visitor = browser(running.issuer);
    return (await visitor.submit(await visitor.get(link), { password })).html;
  }

  async function enters(person: { email: string; password: string }): Promise<string> {
    const { page } = await openPortal(running.issuer, { person });
    if (page.url.endsWith('/account')) return 'in';
    return page.url.includes('/second-factor') ? 'asked for a second factor' : 'out';
  }

  async function addApp(userEmail: string): Promise<void> {
    const factors = await factorsOf(running, () => now);
    const user = await running.app.administration.getUserByEmail(userEmail);
    const fresh = { provenAt: now, level: 'aal2', amr: ['pwd', 'otp'] };
    const { factorId, secret } = await factors.beginTotp(user, fresh);
    expect(await factors.confirmTotp(user, fresh, { factorId, code: totpCode(secret, now) })).not.to.equal(null);
  }

  it('sec-026 takes a deletion back that a thief has asked for, of which the former address was told', async () => {
    const link = await undoLink(running, browser(running.issuer), change(owner.email, taken));
    await running.app.administration.requestDeletion(await userIdOf(running, taken));
    expect(await subjectsTo(running, owner.email)).to.contain(closed);
    expect(await subjectsTo(running, taken)).to.deep.equal(['Confirm your new e-mail address', closed]);
    expect(await undo(link)).to.contain('Your former address is back');
    expect(await enters({ email: owner.email, password })).to.equal('in');
    later(8 * 86_400);
    expect(await running.app.administration.deleteDueUsers()).to.equal(0);
  });

  it('sec-026 lets nobody in whom an operator has kept out', async () => {
    const { administration } = running.app;
    const link = await undoLink(running, browser(running.issuer), change(owner.email, taken));
    const id = await userIdOf(running, taken);
    await administration.requestDeletion(id);
    await administration.changeUserStatus(operator, id, 'disabled');
    expect((await browser(running.issuer).get(link)).status).to.equal(410);
    await administration.changeUserStatus(operator, id, 'active');
    await administration.changeUserStatus(operator, id, 'disabled');
    expect((await browser(running.issuer).get(link)).status).to.equal(410);
  });

  it('sec-042 removes the second factors that were added since', async () => {
    const link = await undoLink(running, browser(running.issuer), change(owner.email, taken));
    await addApp(taken);
    expect(await enters({ ...owner, email: taken })).to.equal('asked for a second factor');
    expect(await undo(link)).to.contain('second factors that were added');
    expect(await enters({ email: owner.email, password })).to.equal('in');
    expect(await running.database.collection('factors').countDocuments({})).to.equal(0);
    expect(await running.database.collection('recovery_codes').countDocuments({})).to.equal(0);
  });

  it('sec-042 opens no account to a former mailbox alone that had a second factor before', async () => {
    await addApp(owner.email);
    const codes = running.database.collection<{ hashes: string[] }>('recovery_codes');
    const before = await codes.findOne({});
    later(86_400 + 601);
    const link = await undoLink(running, browser(running.issuer), change(owner.email, taken));
    expect(await undo(link)).to.contain('Your former address is back');
    expect(await enters({ email: owner.email, password })).to.equal('asked for a second factor');
    expect(await codes.findOne({})).to.deep.equal(before);
  });

  it('sec-042 recovery codes that were made since are void, also where the app stays', async () => {
    await addApp(owner.email);
    later(86_400 + 601);
    const link = await undoLink(running, browser(running.issuer), change(owner.email, taken));
    const user = await running.app.administration.getUserByEmail(taken);
    await (
      await factorsOf(running, () => now)
    ).makeRecoveryCodes(user, { provenAt: now, level: 'aal2', amr: ['pwd', 'otp'] });
    await undo(link);
    expect(await running.database.collection('recovery_codes').countDocuments({})).to.equal(0);
    expect(await enters({ email: owner.email, password })).to.equal('asked for a second factor');
  });

  it('sec-026 tells the address that is replaced', async () => {
    const link = await undoLink(running, browser(running.issuer), change(owner.email, taken));
    await undo(link);
    expect((await subjectsTo(running, taken)).at(-1)).to.equal(replaced);
  });

  it('sec-026 an owner who has returned by an ordinary change leaves no way back to the addresses of others', async () => {
    const visitor = browser(running.issuer);
    await undoLink(running, visitor, change(owner.email, taken));
    later(1);
    const between = await undoLink(running, visitor, change(taken, 'further@example.net'));
    later(1);
    const back = await changeLink(running, visitor, change('further@example.net', owner.email));
    await visitor.submit(await visitor.get(back), { confirm: 'yes' });
    expect(await enters(owner)).to.equal('in');
    expect(await linkIn(running, 'further@example.net', 'undo-email-change')).to.equal(null);
    expect((await subjectsTo(running, 'further@example.net')).at(-1)).to.equal(replaced);
    expect((await visitor.get(between)).status).to.equal(410);
  });

  for (const [what, repair] of [
    [
      'the address',
      (id: string) => running.app.administration.changeUser(operator, id, { changes: { email: 'safe@example.com' } }),
    ],
    ['the password', (id: string) => running.app.administration.setUserPassword(operator, id, { password })],
  ] as const)
    it(`sec-026 no link of before is left once an operator has given ${what}`, async () => {
      const visitor = browser(running.issuer);
      const undoing = await undoLink(running, visitor, change(owner.email, taken));
      const recovering = await recoveryLink(running, visitor, taken);
      const changing = await changeLink(running, visitor, change(taken, 'further@example.net'));
      await repair(await userIdOf(running, taken));
      for (const link of [undoing, recovering, changing]) expect((await visitor.get(link)).status).to.equal(410);
    });
});
