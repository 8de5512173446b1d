import { expect } from 'chai';
import { decodeJwt } from 'jose';
import { AppError } from '../../src/kernel/errors.js';
import type { Added, FactorsModule } from '../../src/credentials/index.js';
import type { User } from '../../src/users/index.js';
import { browser, type Page } from '../support/browser.js';
import { ceremonyOn, flags, newAuthenticator, type Authenticator, type Changes } from '../support/authenticator.js';
import { ada } from '../support/contract-seed.js';
import { factorsOf } from '../support/factors-of.js';
import { halfSignedIn, movedClock, seedWithVault, type MovedClock } from '../support/second-factor.js';
import { closeApps, startApp, type RunningApp } from '../support/start-app.js';
import { asOpenPage, authorizeUrl, redeem, submitByHand, type OpenPage, type TokenSet } from './requests.js';

const bob = { email: 'bob@example.com', password: 'another correct horse' };
const codeOf = (change: Promise<unknown>): Promise<unknown> =>
  change.then(
    () => 'done',
    (error: unknown) => (error instanceof AppError ? error.code : error),
  );
const { present, verified, withKey, backupEligible, backedUp } = flags;

describe('passkeys', function () {
  this.timeout(30_000);
  let running: RunningApp;
  let issuer: string;
  let clock: MovedClock;
  let factors: FactorsModule;
  let user: User;
  let key: Authenticator;
  beforeEach(async () => {
    clock = movedClock();
    const users = [...(seedWithVault.users ?? []), { ...bob, emailVerified: true }];
    running = await startApp({ seed: { ...seedWithVault, users }, now: clock.now });
    issuer = running.issuer;
    factors = await factorsOf(running, clock.now);
    user = await running.app.administration.getUserByEmail(ada.email);
    key = newAuthenticator(issuer);
  });
  afterEach(closeApps);

  async function register(changes: Changes = {}, of = user, by = key, binding = 'here'): Promise<Added | null> {
    const begun = await factors.passkeys.beginRegistration('here', { id: of.id, email: of.email, name: 'Somebody' });
    const response = by.register(JSON.parse(begun.options) as never, changes);
    const fresh = { provenAt: clock.now(), level: 'aal2', amr: ['pwd', 'otp'] };
    return factors.addPasskey(of, fresh, { response, ticket: begun.ticket, binding, name: 'A key' });
  }

  async function loginPage(): Promise<OpenPage> {
    const visitor = browser(issuer);
    return asOpenPage(visitor, await visitor.get(authorizeUrl(issuer, { tenant: 'acme' })));
  }

  function answer(page: OpenPage, changes: Changes = {}, by = key): Promise<Page> {
    const { options, ticket } = ceremonyOn(page.page);
    return submitByHand(page, 'passkey', { response: by.assert(options, changes), ticket });
  }

  async function claimsAfter(page: OpenPage, done: Page): Promise<Record<string, unknown>> {
    const { url } = await page.visitor.get(done.headers.get('location') ?? '');
    const { json } = await redeem(issuer, new URL(url).searchParams.get('code') ?? '');
    return decodeJwt((json as unknown as TokenSet).id_token);
  }

  const events = (type: string): Promise<number> => running.database.collection('events').countDocuments({ type });

  it('sign in without a password, where the device has checked who uses it', async () => {
    const added = await register();
    expect(added?.recoveryCodes).to.have.length(10);
    const page = await loginPage();
    const claims = await claimsAfter(page, await answer(page));
    expect(claims).to.deep.include({ sub: user.id, acr: 'aal2', amr: ['hwk', 'user', 'mfa'] });
  });

  it('that are on several devices say so', async () => {
    const synced = backupEligible | backedUp;
    await register({ flags: present | verified | withKey | synced });
    const page = await loginPage();
    const claims = await claimsAfter(page, await answer(page, { flags: present | verified | synced }));
    expect(claims).to.deep.include({ amr: ['swk', 'user', 'mfa'] });
  });

  it('stand beside a password without that check', async () => {
    await register();
    const { visitor, page } = await halfSignedIn(issuer);
    const open = asOpenPage(visitor, page);
    const { options, ticket } = ceremonyOn(page);
    const response = key.assert(options, { flags: present, userHandle: null });
    const done = await submitByHand(open, 'second-factor/passkey', { response, ticket });
    expect(await claimsAfter(open, done)).to.deep.include({ acr: 'aal2', amr: ['pwd', 'hwk', 'user', 'mfa'] });
  });

  const momentsOfRemoval: Record<string, (remove: () => Promise<void>) => (user: User | null) => Promise<User | null>> =
    {
      'just before its person is looked up': (remove) => async (found) => {
        await remove();
        return found && running.app.administration.getUserByEmail(found.email);
      },
      'just after that': (remove) => async (found) => {
        await remove();
        return found;
      },
    };
  for (const [when, happens] of Object.entries(momentsOfRemoval)) {
    it(`sec-045 one that is removed while it is used, ${when}, proves nobody`, async () => {
      const added = await register();
      const fresh = { provenAt: clock.now(), level: 'aal2', amr: ['pwd', 'otp'] };
      const remove = async (): Promise<void> => factors.removeFactor(user, fresh, added?.factor.id ?? '');
      const using = await factorsOf(running, clock.now, happens(remove));
      const { options, ticket } = await using.passkeys.beginSignIn('here');
      const response = key.assert(JSON.parse(options) as never);
      const about = { clientId: 'web' };
      expect(await using.passkeys.proveSignIn({ response, ticket, binding: 'here' }, about)).to.equal(null);
      expect(await events('user.factor_accepted')).to.equal(0);
    });
  }

  it('sec-045 one that is removed after it was used signs nobody in any more', async () => {
    const added = await register();
    const page = await loginPage();
    const done = await answer(page);
    await factors.removeFactor(
      user,
      { provenAt: clock.now(), level: 'aal2', amr: ['pwd', 'otp'] },
      added?.factor.id ?? '',
    );
    const { url } = await page.visitor.get(done.headers.get('location') ?? '');
    expect(new URL(url).searchParams.get('error')).to.equal('login_required');
  });

  /** One field of a right answer each. */
  const ofSignIn: Readonly<Record<string, Changes>> = {
    'another type of credential': { type: 'password' },
    'the type of a registration': { clientDataType: 'webauthn.create' },
    'another challenge': { challenge: 'A'.repeat(43) },
    'another origin': { origin: 'https://evil.example' },
    'another port': { origin: 'http://localhost:1' },
    'another relying party': { rpId: 'evil.example' },
    'nobody present': { flags: verified },
    'nobody checked': { flags: present },
    'a passkey that may move, which could not': { flags: present | verified | backupEligible },
    'another credential': { id: Buffer.alloc(32).toString('base64url') },
    'another person': { userHandle: Buffer.from('usr_other').toString('base64url') },
    'another signature': { signature: Buffer.alloc(70).toString('base64url') },
  };
  for (const [what, changes] of Object.entries(ofSignIn)) {
    it(`sec-045 a sign-in with ${what} is refused`, async () => {
      await register();
      const page = await loginPage();
      expect((await answer(page, changes)).status).to.equal(422);
      expect([...page.visitor.cookies.values()].map(({ name }) => name)).not.to.include('sid');
      expect((await answer(page)).status, 'the right answer is still taken').to.equal(303);
    });
  }

  const ofRegistration: Readonly<Record<string, Changes>> = {
    'another type of credential': { type: 'password' },
    'the type of a sign-in': { clientDataType: 'webauthn.get' },
    'another challenge': { challenge: 'A'.repeat(43) },
    'another origin': { origin: 'https://evil.example' },
    'another relying party': { rpId: 'evil.example' },
    'nobody present': { flags: verified | withKey },
    'no key': { flags: present | verified },
    'an algorithm that was not offered': { algorithm: -257 - 1 },
    'another id than in the data': { id: Buffer.alloc(32).toString('base64url') },
  };
  for (const [what, changes] of Object.entries(ofRegistration)) {
    it(`sec-045 a registration with ${what} is refused`, async () => {
      expect(await register(changes)).to.equal(null);
      expect(await factors.listFactors(user.id)).to.deep.equal([]);
    });
  }

  it('sec-045 what a device says about its maker is thrown away unread', async () => {
    expect(await register({ format: 'packed' })).not.to.equal(null);
  });

  it('sec-045 a registration is of one ceremony, and of one credential', async () => {
    expect(await register({}, user, key, 'there'), 'begun elsewhere').to.equal(null);
    expect(await register()).not.to.equal(null);
    const other = await running.app.administration.getUserByEmail(bob.email);
    expect(await register({}, other), 'somebody has it').to.equal(null);
  });

  it('sec-030 a challenge counts once, for five minutes, in its own sign-in and browser', async () => {
    await register();
    const page = await loginPage();
    const { options, ticket } = ceremonyOn(page.page);
    const response = key.assert(options);
    const elsewhere = await loginPage();
    expect((await submitByHand(elsewhere, 'passkey', { response, ticket })).status, 'another sign-in').to.equal(422);
    const forged = ticket.replace(/^\d+/, (end) => String(Number(end) + 1000));
    expect((await submitByHand(page, 'passkey', { response, ticket: forged })).status, 'a longer time').to.equal(422);
    clock.pass(301);
    expect((await submitByHand(page, 'passkey', { response, ticket })).status, 'too late').to.equal(422);
    clock.pass(-301);
    expect((await submitByHand(page, 'passkey', { response, ticket })).status).to.equal(303);
    expect((await submitByHand(page, 'passkey', { response, ticket })).status, 'again').to.equal(422);
  });

  it('sec-045 a counter that goes back is told of, and locks nobody out', async () => {
    await register({ counter: 10 });
    const page = await loginPage();
    expect((await answer(page, { counter: 5 })).status).to.equal(303);
    expect(await events('user.passkey_counter_regressed')).to.equal(1);
    const next = await loginPage();
    expect((await answer(next, { counter: 11 })).status).to.equal(303);
    expect(await events('user.passkey_counter_regressed')).to.equal(1);
  });

  it('sec-045 those of another person are neither renamed, removed nor used as one’s own', async () => {
    const added = await register();
    const id = added?.factor.id ?? '';
    const other = await running.app.administration.getUserByEmail(bob.email);
    const fresh = { provenAt: clock.now(), level: 'aal2', amr: ['pwd', 'otp'] };
    for (const foreign of [id, 'fac_none']) {
      expect(await codeOf(factors.renameFactor(other, foreign, 'Mine'))).to.equal('factors.not_found');
      expect(await codeOf(factors.removeFactor(other, fresh, foreign))).to.equal('factors.not_found');
    }
    expect(await factors.listFactors(other.id)).to.deep.equal([]);
    expect((await factors.listFactors(user.id)).map(({ name }) => name)).to.deep.equal(['A key']);
  });

  it('sec-042 factors are changed by who has just proven the strongest they have', async () => {
    const { id } = (await register())?.factor ?? { id: '' };
    const refused = 'factors.fresh_proof_needed';
    const now = clock.now();
    const elevenMinutesAgo = new Date(now.getTime() - 11 * 60_000);
    for (const [why, fresh] of Object.entries({
      'a password alone': { provenAt: now, level: 'aal1', amr: ['pwd'] },
      'no level': { provenAt: now, level: undefined, amr: [] },
      'long ago': { provenAt: elevenMinutesAgo, level: 'aal2', amr: ['pwd', 'otp'] },
    })) {
      expect(await codeOf(factors.removeFactor(user, fresh, id)), why).to.equal(refused);
      expect(await codeOf(factors.makeRecoveryCodes(user, fresh)), why).to.equal(refused);
      expect(await codeOf(factors.beginTotp(user, fresh)), why).to.equal(refused);
      expect(await codeOf(factors.allowEmailCodes(user, fresh)), why).to.equal(refused);
    }
    await factors.removeFactor(user, { provenAt: now, level: 'aal2', amr: ['pwd', 'otp'] }, id);
    expect(await factors.countRecoveryCodes(user.id), 'recovery codes go with the last one').to.equal(0);
  });

  it('of a disabled person open nothing', async () => {
    await register();
    await running.database.collection('users').updateMany({}, { $set: { status: 'disabled' } });
    expect((await answer(await loginPage())).status).to.equal(422);
  });

  it('of whatever nonsense give a page and no error', async () => {
    const page = await loginPage();
    const { ticket } = ceremonyOn(page.page);
    for (const response of ['', '{', 'null', '[]', '{}', '{"id":1}', '{"__proto__":{}}', 'x'.repeat(15_000)])
      expect((await submitByHand(page, 'passkey', { response, ticket })).status, response.slice(0, 20)).to.equal(422);
    expect((await submitByHand(page, 'passkey', { response: 'x'.repeat(16_001), ticket })).status).to.equal(400);
  });
});
