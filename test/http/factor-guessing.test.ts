import { expect } from 'chai';
import { policy, type Policy } from '../../config/policy.js';
import { browser } from '../support/browser.js';
import { newAuthenticator, ceremonyOn } from '../support/authenticator.js';
import { ada } from '../support/contract-seed.js';
import { operator } from '../support/administered.js';
import { factorsOf } from '../support/factors-of.js';
import { changeLink } from '../support/mail-links.js';
import { fetchAt } from '../support/fetch-at.js';
import {
  enrolApp,
  halfSignedIn,
  movedClock,
  seedWithVault,
  type Enrolled,
  type MovedClock,
} from '../support/second-factor.js';
import { closeApps, startApp, type RunningApp } from '../support/start-app.js';
import { asOpenPage, authorizeUrl, submitByHand, type OpenPage } from './requests.js';

const many = 1_000_000;

/** Nobody waits, so that a race is decided by what is used up alone. */
const manyTries: Policy = {
  ...policy,
  signInAttempts: {
    ...policy.signInAttempts,
    ...{
      source: { ...policy.signInAttempts.source, tries: many },
      account: { ...policy.signInAttempts.account, tries: many },
    },
    ...{ consecutiveOfStrangers: many, consecutive: many },
  },
  factors: {
    ...policy.factors,
    emailCodeTries: many,
    attempts: {
      ...policy.factors.attempts,
      ...{ source: { ...policy.factors.attempts.source, tries: many }, consecutive: many },
    },
  },
};

describe('guessing and replaying second factors', function () {
  this.timeout(120_000); // tens of sign-ins, each slow by design

  let running: RunningApp;
  let other: RunningApp;
  let clock: MovedClock;
  let enrolled: Enrolled;
  afterEach(closeApps);

  async function start(numbers: Policy = policy): Promise<void> {
    clock = movedClock();
    running = await startApp({ seed: seedWithVault, now: clock.now, policy: numbers });
    other = await startApp({ sharedWith: running, now: clock.now, policy: numbers });
    enrolled = await enrolApp(running.issuer, clock);
  }

  async function half(): Promise<OpenPage> {
    const { visitor, page } = await halfSignedIn(running.issuer);
    return asOpenPage(visitor, page);
  }

  /** The same browser at one process or the other. */
  function at({ visitor, ...page }: OpenPage, which: number): OpenPage {
    const elsewhere = browser(running.issuer, fetchAt([running, other][which % 2]!.port));
    for (const [key, cookie] of visitor.cookies) elsewhere.cookies.set(key, cookie);
    return { ...page, visitor: elsewhere };
  }

  /** Statuses of fifty posts of one form at once, by turns to one process and the other. */
  async function race(page: OpenPage, step: string, members: Record<string, string>): Promise<Record<number, number>> {
    const answers = await Promise.all(
      Array.from({ length: 50 }, (_, index) => submitByHand(at(page, index), step, members)),
    );
    const counted: Record<number, number> = {};
    for (const { status } of answers) counted[status] = (counted[status] ?? 0) + 1;
    return counted;
  }

  const countOf = (type: string): Promise<number> =>
    running.database.collection('events').countDocuments({ type: `user.${type}` });
  const wrong = { method: 'totp', code: '000000' };

  it('sec-043 of 200 wrong codes in 20 sign-ins at two processes five are looked at', async () => {
    await start();
    const pages: OpenPage[] = [];
    while (pages.length < 20) pages.push(await half()); // one after the other: passwords are counted too
    const answers = await Promise.all(
      Array.from({ length: 200 }, (_, index) => submitByHand(at(pages[index % 20]!, index), 'second-factor', wrong)),
    );
    expect(answers.filter(({ status }) => status === 422)).to.have.length(5);
    expect(answers.filter(({ status }) => status === 429)).to.have.length(195);
    expect(await countOf('factor_failed')).to.equal(5);
    expect(await countOf('factor_blocked')).to.equal(1);
  });

  it('sec-043 a right code is refused while it waits, the password again changes nothing, and the waits double', async () => {
    await start();
    const page = await half();
    for (let count = 0; count < 5; count++) await submitByHand(page, 'second-factor', wrong);
    const right = { method: 'totp', code: enrolled.freshCode() };
    const refused = await submitByHand(page, 'second-factor', right);
    expect(refused.status).to.equal(429);
    expect(Number(refused.headers.get('retry-after'))).to.be.within(800, 900);
    expect((await submitByHand(await half(), 'second-factor', right)).status).to.equal(429);
    clock.pass(15 * 60);
    expect((await submitByHand(page, 'second-factor', wrong)).status).to.equal(422);
    const longer = await submitByHand(page, 'second-factor', wrong);
    expect([longer.status, Number(longer.headers.get('retry-after')) > 1700]).to.deep.equal([429, true]);
    clock.pass(30 * 60);
    const code = enrolled.freshCode();
    expect((await submitByHand(await half(), 'second-factor', { method: 'totp', code })).status).to.equal(303);
    expect((await submitByHand(await half(), 'second-factor', wrong)).status, 'the count is gone').to.equal(422);
  });

  it('sec-043 while an app waits a recovery code still lets in, and is counted for itself', async () => {
    await start();
    const page = await half();
    for (let count = 0; count < 6; count++) await submitByHand(page, 'second-factor', wrong);
    const [code = ''] = enrolled.recoveryCodes;
    expect((await submitByHand(page, 'second-factor', { method: 'recovery_code', code })).status).to.equal(303);
    const again = await half();
    const guess = { method: 'recovery_code', code: 'aaaa-bbbb-cccc-dddd' };
    for (let count = 0; count < 5; count++)
      expect((await submitByHand(again, 'second-factor', guess)).status).to.equal(422);
    expect((await submitByHand(again, 'second-factor', guess)).status).to.equal(429);
  });

  it('what can be no code is not looked at and not counted', async () => {
    await start();
    const page = await half();
    for (const code of ['', 'abc', '12345', '1234567', '12 34 5x', '１２３', "' or 1=1", '\u0000', 'x'.repeat(100)])
      expect((await submitByHand(page, 'second-factor', { method: 'totp', code })).status, code).to.equal(422);
    expect(await countOf('factor_failed')).to.equal(0);
    expect((await submitByHand(page, 'second-factor', { method: 'totp', code: '1'.repeat(101) })).status).to.equal(400);
  });

  it('sec-044 of fifty uses of one code of an app at two processes one lets in', async () => {
    await start(manyTries);
    const code = enrolled.freshCode();
    const counted = await race(await half(), 'second-factor', { method: 'totp', code });
    expect(counted).to.deep.equal({ 303: 1, 422: 49 });
  });

  it('sec-044 of fifty uses of one recovery code at two processes one lets in', async () => {
    await start(manyTries);
    const [code = ''] = enrolled.recoveryCodes;
    const counted = await race(await half(), 'second-factor', { method: 'recovery_code', code });
    expect(counted).to.deep.equal({ 303: 1, 422: 49 });
  });

  describe('codes by e-mail', () => {
    async function allowed(numbers: Policy = policy): Promise<void> {
      await start(numbers);
      const user = await running.app.administration.getUserByEmail(ada.email);
      const factors = await factorsOf(running, clock.now);
      await factors.allowEmailCodes(user, { provenAt: clock.now(), level: 'aal2', amr: ['pwd', 'otp'] });
    }

    async function sentCode(page: OpenPage): Promise<string> {
      const answer = await submitByHand(page, 'second-factor/email', { send: 'yes' });
      expect(answer.status).to.equal(200);
      await running.deliverMail();
      return /^(\d{6})$/m.exec(running.mailbox.at(-1)?.text ?? '')?.[1] ?? '';
    }

    it('let in once, in the sign-in that they were sent for, and are no second factor for a tenant', async () => {
      await allowed();
      const page = await half();
      const code = await sentCode(page);
      const typed = { method: 'email_code', code };
      expect((await submitByHand(await half(), 'second-factor', typed)).status, 'another sign-in').to.equal(422);
      const done = await submitByHand(page, 'second-factor', typed);
      expect(done.status).to.equal(303);
      expect((await submitByHand(await half(), 'second-factor', typed)).status, 'used').to.equal(422);
      const callback = await page.visitor.get(done.headers.get('location') ?? '');
      expect(callback.url).to.contain('code=');
      const vault = await page.visitor.get(authorizeUrl(running.issuer, { tenant: 'vault' }));
      expect(vault.html).to.contain('Prove that it is you').and.not.to.contain('name="send"');
    });

    it('sec-026 end with the address that they were sent to', async () => {
      const changes: Record<string, (userId: string) => Promise<unknown>> = {
        'by an operator': (userId) =>
          running.app.administration.changeUser(operator, userId, {
            changes: { email: 'ada@example.org', emailVerified: true },
          }),
        'by themselves': async () => {
          const own = browser(running.issuer);
          const link = await changeLink(running, own, {
            from: ada.email,
            to: 'ada@example.org',
            provenAt: clock.now(),
          });
          await own.submit(await own.get(link), { confirm: 'yes' });
        },
      };
      for (const [how, change] of Object.entries(changes)) {
        await allowed();
        const page = await half();
        const code = await sentCode(page);
        const { id } = await running.app.administration.getUserByEmail(ada.email);
        await change(id);
        expect((await running.app.administration.getUserByEmail('ada@example.org')).id, how).to.equal(id);
        const late = await submitByHand(page, 'second-factor', { method: 'email_code', code });
        expect(late.status, how).to.equal(422);
      }
    });

    it('end after ten minutes, and after five wrong ones', async () => {
      await allowed();
      const page = await half();
      const late = await sentCode(page);
      clock.pass(601);
      expect((await submitByHand(page, 'second-factor', { method: 'email_code', code: late })).status).to.equal(422);
      const code = await sentCode(page);
      for (let count = 0; count < 4; count++)
        await submitByHand(page, 'second-factor', { method: 'email_code', code: 'x' + code.slice(1) });
      for (const guess of ['000000', '000001', '000002', '000003'])
        await submitByHand(page, 'second-factor', { method: 'email_code', code: guess });
      expect((await submitByHand(page, 'second-factor', { method: 'email_code', code })).status).to.equal(429);
    });

    it('are sent five times an hour', async () => {
      await allowed();
      const page = await half();
      for (let count = 0; count < 5; count++) await sentCode(page);
      expect((await submitByHand(page, 'second-factor/email', { send: 'yes' })).status).to.equal(429);
      expect((await submitByHand(await half(), 'second-factor/email', { send: 'yes' })).status).to.equal(429);
    });

    it('sec-044 of fifty uses of one at two processes one lets in', async () => {
      await allowed(manyTries);
      const page = await half();
      const code = await sentCode(page);
      expect(await race(page, 'second-factor', { method: 'email_code', code })).to.deep.equal({ 303: 1, 422: 49 });
    });
  });

  it('sec-030 of fifty uses of one challenge of a passkey at two processes one lets in', async () => {
    await start(manyTries);
    const factors = await factorsOf(running, clock.now);
    const user = await running.app.administration.getUserByEmail(ada.email);
    const authenticator = newAuthenticator(running.issuer);
    const { options, ticket } = await factors.passkeys.beginRegistration('test', {
      ...{ id: user.id, email: ada.email, name: 'Ada' },
    });
    const response = authenticator.register(JSON.parse(options) as never);
    const fresh = { provenAt: clock.now(), level: 'aal2', amr: ['pwd', 'otp'] };
    expect(await factors.addPasskey(user, fresh, { response, ticket, binding: 'test', name: 'Key' })).not.to.equal(
      null,
    );
    const visitor = browser(running.issuer);
    const page = asOpenPage(visitor, await visitor.get(authorizeUrl(running.issuer, { tenant: 'acme' })));
    const ceremony = ceremonyOn(page.page);
    const answer = { response: authenticator.assert(ceremony.options), ticket: ceremony.ticket };
    expect(await race(page, 'passkey', answer)).to.deep.equal({ 303: 1, 422: 49 });
  });
});
