// A tenant that asks its people not to take a former password again.
import { expect } from 'chai';
import { AppError } from '../../src/kernel/errors.js';
import { operator } from '../support/administered.js';
import { browser } from '../support/browser.js';
import { ada, contractSeed } from '../support/contract-seed.js';
import { recoveryLink, undoLink, userIdOf } from '../support/mail-links.js';
import { openPortal } from '../support/portal.js';
import { closeApps, startApp, type RunningApp } from '../support/start-app.js';

interface StoredPassword {
  _id: string;
  hash: string;
  former?: string[];
  historyCheckAt?: Date;
}

const first = ada.password;
const second = 'seven quiet harbours of the north';
const third = 'a violet bicycle under the bridge';
const fourth = 'nine lives of a grey lighthouse cat';
const isRefused = 'your present password, or one that you had before';

describe('a history of passwords', function () {
  this.timeout(60_000); // tens of hashes, each slow by design
  let running: RunningApp;
  let userId: string;
  let elapsedMs: number;
  const now = (): Date => new Date(Date.now() + elapsedMs);

  beforeEach(async () => {
    elapsedMs = 0;
    const team = { slug: 'club', name: 'The Club', type: 'team' as const };
    const [person] = contractSeed.users ?? [];
    const memberships = [...(person?.memberships ?? []), { tenant: 'club', roles: ['member'] }];
    const seed = {
      ...contractSeed,
      tenants: [...(contractSeed.tenants ?? []), team],
      users: [{ ...person!, memberships }],
    };
    running = await startApp({ seed, now });
    userId = await userIdOf(running, ada.email);
  });
  afterEach(closeApps);

  async function ask(history: number | null, slug = 'acme'): Promise<void> {
    const { id: tenantId } = await running.app.administration.getTenant(slug);
    await running.app.administration.changeSettings(operator, { tenantId }, { policies: { password: { history } } });
  }

  /** What the API says: null, or the code of what is wrong with it. */
  async function set(password: string): Promise<string | null> {
    try {
      await running.app.administration.setUserPassword(operator, userId, { password });
      return null;
    } catch (error) {
      if (!(error instanceof AppError) || error.status !== 400) throw error;
      expect(error.fields.map(({ pointer }) => pointer)).to.deep.equal(['/password']);
      return error.fields[0]?.code ?? '';
    }
  }

  async function leaveClub(): Promise<void> {
    const { id: tenantId } = await running.app.administration.getTenant('club');
    await running.app.administration.removeMember(operator, { tenantId, userId });
  }

  const stored = async (): Promise<StoredPassword> =>
    (await running.database.collection<StoredPassword>('passwords').findOne({ _id: userId }))!;

  it('is not kept where no tenant asks for one: any password may come again', async () => {
    expect(await set(second)).to.equal(null);
    expect(await set(second)).to.equal(null);
    expect(await set(first)).to.equal(null);
    expect(await stored()).not.to.have.any.keys('former', 'historyCheckAt');
  });

  it('refuses the present one and as many as are asked for, whatever the case of their width', async () => {
    await ask(2);
    expect([await set(first), await set(second), await set(second), await set(first)]).to.deep.equal([
      ...['former', null, 'former', 'former'],
    ]);
    expect(await set(second.replace('seven', 'ｓｅｖｅｎ')), 'the same password in other characters').to.equal(
      'former',
    );
    expect(await set(third)).to.equal(null);
    expect(await set(first)).to.equal('former');
    expect(await set(fourth)).to.equal(null);
    expect((await stored()).former).to.have.length(2);
    expect([await set(second), await set(third), await set(first)]).to.deep.equal(['former', 'former', null]);
  });

  it('the strictest of all tenants of the person counts', async () => {
    await ask(1);
    await ask(3, 'club');
    for (const password of [second, third, fourth]) expect(await set(password)).to.equal(null);
    expect(await set(first)).to.equal('former');
    await ask(0, 'club');
    expect(await set(first)).to.equal(null);
    expect((await stored()).former).to.have.length(1);
  });

  it('is obeyed by the portal', async () => {
    await ask(1);
    const { visitor, page } = await openPortal(running.issuer, { path: '/account/password' });
    const same = await visitor.submit(page, { password: first, new_password: first });
    expect([same.status, same.html.includes(isRefused)]).to.deep.equal([422, true]);
    const done = await visitor.submit(page, { password: first, new_password: second });
    expect(done.html).to.contain('You have a new password');
    const back = await visitor.submit(done, { password: second, new_password: first });
    expect([back.status, back.html.includes(isRefused)]).to.deep.equal([422, true]);
  });

  it('is obeyed by recovery, also of a password that was taken away, and the link still works', async () => {
    await ask(1);
    const visitor = browser(running.issuer);
    const page = await visitor.get(await recoveryLink(running, visitor, ada.email));
    const refused = await visitor.submit(page, { password: first });
    expect([refused.status, refused.html.includes(isRefused)]).to.deep.equal([422, true]);
    expect((await visitor.submit(page, { password: second })).html).to.contain('Your password is changed');

    await running.app.administration.requirePasswordReset(operator, userId);
    const forced = await visitor.get(await recoveryLink(running, visitor, ada.email));
    for (const password of [second, first])
      expect((await visitor.submit(forced, { password })).html).to.contain(isRefused);
    expect((await visitor.submit(forced, { password: third })).html).to.contain('Your password is changed');
  });

  it('is obeyed by the way back to a former address', async () => {
    await ask(1);
    const visitor = browser(running.issuer);
    const page = await visitor.get(
      await undoLink(running, visitor, { from: ada.email, to: 'ada@elsewhere.example.com', provenAt: now() }),
    );
    const refused = await visitor.submit(page, { password: first });
    expect([refused.status, refused.html.includes(isRefused)]).to.deep.equal([422, true]);
    expect((await visitor.submit(page, { password: second })).status).to.equal(200);
  });

  it('what no tenant asks for any more is deleted within a day', async () => {
    await ask(3);
    for (const password of [second, third, fourth]) await set(password);
    const { forgetFormerPasswords } = running.app;
    await ask(1);
    expect(await forgetFormerPasswords(), 'it is not time to ask').to.equal(0);
    elapsedMs += 86_400_000;
    expect(await forgetFormerPasswords()).to.equal(1);
    expect((await stored()).former).to.have.length(1);
    expect(await forgetFormerPasswords(), 'asked just now').to.equal(0);
    await ask(null);
    await ask(2, 'club');
    elapsedMs += 86_400_000;
    expect(await forgetFormerPasswords(), 'another tenant asks').to.equal(0);
    await leaveClub();
    elapsedMs += 86_400_000;
    expect(await forgetFormerPasswords(), 'they left it').to.equal(1);
    expect(await stored()).not.to.have.any.keys('former', 'historyCheckAt');
  });

  it('goes with its person', async () => {
    await ask(3);
    await set(second);
    await running.app.seeding.applySeed({
      users: [
        {
          ...{ email: 'owner@example.com', emailVerified: true, password: 'an owner of nothing else at all' },
          memberships: [{ tenant: 'acme', roles: ['owner'] }],
        },
      ],
    });
    await running.app.administration.deleteUser(operator, userId);
    expect(await running.database.collection<StoredPassword>('passwords').findOne({ _id: userId })).to.equal(null);
  });
});
