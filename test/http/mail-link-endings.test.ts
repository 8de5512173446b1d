// Links in mails that are worthless before they are used: too old, or by what came since.
import { expect } from 'chai';
import { policy } from '../../config/policy.js';
import { totpCode } from '../../src/credentials/totp.js';
import { operator } from '../support/administered.js';
import { browser, type Page } from '../support/browser.js';
import { ada } from '../support/contract-seed.js';
import { changeLink, recoveryLink, userIdOf, type LinkPath } from '../support/mail-links.js';
import { openPortal, type Person, type PortalVisit } from '../support/portal.js';
import { movedClock, secretOn, type MovedClock } from '../support/second-factor.js';
import { closeApps, startApp, type RunningApp } from '../support/start-app.js';
import { csrfOf, kinds, mover, newcomer, password, paths, post, seed, unproven } from './mail-link-kinds.js';

type Ending = (running: RunningApp, clock: MovedClock) => Promise<unknown>;

const tooOld =
  (purpose: keyof typeof policy.actionLinks.lifetimeSeconds): Ending =>
  async (_running, clock) =>
    clock.pass(policy.actionLinks.lifetimeSeconds[purpose] + 1);
const disabled =
  (email: string): Ending =>
  async (running) =>
    running.app.administration.changeUserStatus(operator, await userIdOf(running, email), 'disabled');
const moved =
  (email: string): Ending =>
  async (running) =>
    running.app.administration.changeUser(operator, await userIdOf(running, email), {
      changes: { email: `elsewhere-${email}` },
    });
const recovered =
  (email: string): Ending =>
  async (running) => {
    const visitor = browser(running.issuer);
    await visitor.submit(await visitor.get(await recoveryLink(running, visitor, email)), { password });
  };

/** At a page of the account, in another browser than that of the link. */
const inPortal =
  (person: Person, path: string, act: (visit: PortalVisit) => Promise<Page>): Ending =>
  async (running) => {
    const answer = await act(await openPortal(running.issuer, { path, person }));
    expect(answer.status, answer.html).to.equal(200);
  };
/** What a person does who finds that somebody else is in their account. */
const byOwner = (person: Person): Record<string, Ending> => ({
  'a new password at the account': inPortal(person, '/account/password', ({ visitor, page }) =>
    visitor.submit(page, { password: person.password, new_password: password }),
  ),
  'signed out everywhere': inPortal(person, '/account/sessions', ({ visitor, page }) =>
    visitor.submit(page, {}, '/sessions/end-all'),
  ),
  'all others signed out': inPortal(person, '/account/sessions', ({ visitor, page }) =>
    visitor.submit(page, {}, '/sessions/end-others'),
  ),
  'one other signed out': async (running, clock) => {
    await openPortal(running.issuer, { person });
    const end = inPortal(person, '/account/sessions', ({ visitor, page }) => {
      const [, other = ''] = [...page.html.matchAll(/name="session" value="([^"]+)"/g)].map(([, id = '']) => id);
      return visitor.submit(page, { session: other }, '/sessions/end');
    });
    await end(running, clock);
  },
  'a new password that an operator asks for': async (running) =>
    running.app.administration.requirePasswordReset(operator, await userIdOf(running, person.email)),
  'signed out by an operator': async (running) =>
    running.app.administration.endUserSessions(operator, await userIdOf(running, person.email)),
});
const newFactor = (person: Person): Ending =>
  inPortal(person, '/account/factors/app', ({ visitor, page }) =>
    visitor.submit(page, { code: totpCode(secretOn(page), new Date()) }, '/factors/app'),
  );

/** What makes a link of each kind worthless, beside its use. */
const endings: Record<LinkPath, Record<string, Ending>> = {
  recover: {
    ...{ 'too old': tooOld('reset_password'), disabled: disabled(ada.email), 'another address': moved(ada.email) },
    'a new password': recovered(ada.email),
    ...byOwner(ada),
  },
  'sign-up': {
    'too old': tooOld('sign_up'),
    'an account by now': async ({ app }) =>
      app.administration.createUser(operator, { email: newcomer, emailVerified: true }),
  },
  'verify-email': {
    ...{
      'too old': tooOld('verify_email'),
      disabled: disabled(unproven.email),
      'another address': moved(unproven.email),
    },
    'a new password': recovered(unproven.email),
    ...byOwner(unproven),
  },
  'change-email': {
    ...{ 'too old': tooOld('change_email'), disabled: disabled(mover.email), 'another address': moved(mover.email) },
    'a new password': recovered(mover.email),
    'another factor': newFactor(mover),
    ...byOwner(mover),
    'another one': (running) =>
      changeLink(running, browser(running.issuer), { from: mover.email, to: 'further@example.com' }),
  },
  'undo-email-change': { 'too old': tooOld('undo_email_change'), disabled: disabled('gone@example.com') },
};

describe('links in mails that are over', function () {
  this.timeout(60_000);
  afterEach(closeApps);

  for (const kind of paths)
    for (const [why, end] of Object.entries(endings[kind]))
      it(`sec-022 a ${kind} link does nothing any more: ${why}, also by a form that was open`, async () => {
        const clock = movedClock();
        const moving = await startApp({ seed, now: clock.now });
        const visitor = browser(moving.issuer);
        const link = await kinds[kind].open(moving, visitor);
        const csrf = csrfOf(await visitor.get(link));
        await end(moving, clock);
        const stored = async (): Promise<string> => {
          const rows = ['users', 'passwords'].map((name) => moving.database.collection(name).find().sort({ _id: 1 }));
          return JSON.stringify(await Promise.all(rows.map((found) => found.toArray())));
        };
        const before = await stored();
        const answer = await post(visitor, link, { csrf, ...kinds[kind].members });
        expect(answer.status, answer.html).to.be.oneOf([409, 410]);
        expect(await stored()).to.equal(before);
      });
});
