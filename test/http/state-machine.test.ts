// Every form of every machine at every state of it: only the steps that are due are taken.
import { expect } from 'chai';
import { browser, type Browser } from '../support/browser.js';
import { movedClock } from '../support/second-factor.js';
import { closeApps, startApp, type RunningApp } from '../support/start-app.js';
import { seedWithTwoTenants } from '../support/two-tenants.js';
import { makeDomainLead } from './connection-rows.js';
import { manyTries } from './hostile/ask.js';
import { submitByHand } from './requests.js';
import { forms, reach, states, type State, type StateGround } from './sign-in-states.js';

/** To providers, from every login page. */
const elsewhere = { connection: 303, organisation: 303 };

/** The steps that are due at a state, and how they are answered. */
const due: Readonly<Record<State, Readonly<Record<string, number>>>> = {
  fresh: { login: 303, passkey: 303, register: 200, cancel: 303, ...elsewhere },
  invited: { 'sign-up': 303, register: 200, cancel: 303, ...elsewhere },
  'password proven': {
    ...{ login: 303, passkey: 303, register: 200, cancel: 303, ...elsewhere },
    ...{ 'second-factor': 303, 'second-factor/passkey': 303, 'second-factor/email': 200 },
  },
  invitation: { invitation: 303, cancel: 303 },
  tenant: { tenant: 303, cancel: 303 },
  'second factor': { 'second-factor': 303, 'second-factor/passkey': 303, cancel: 303 },
  enrolment: { 'second-factor/enrol': 200, 'second-factor/enrol-passkey': 200, cancel: 303 },
  terms: { terms: 303, cancel: 303 },
  profile: { profile: 303, cancel: 303 },
  consent: { consent: 303, cancel: 303 },
  done: {},
  cancelled: {},
  expired: {},
};

const prefix = '/sign-in/:uid/';

describe('the machine of a sign-in', function () {
  this.timeout(120_000); // tens of sign-ins, each slow by design
  let ground: StateGround;
  before(async () => {
    const clock = movedClock();
    ground = { clock, running: await startApp({ seed: seedWithTwoTenants, policy: manyTries, now: clock.now }) };
    await makeDomainLead(ground.running);
  });
  after(closeApps);

  it('has a row for each form that is routed, and none for another', () => {
    const routed = ground.running.app.routes.flatMap(({ methods, path }) =>
      methods.includes('POST') && path.startsWith(prefix) ? [path.slice(prefix.length)] : [],
    );
    expect(Object.keys(forms)).to.have.members(routed);
    const used = new Set(states.flatMap((state) => Object.keys(due[state])));
    expect([...used], 'each is due somewhere').to.have.members(routed);
  });

  for (const state of states) {
    const refused = Object.keys(forms).filter((step) => !(step in due[state]));
    it(`sec-040 at "${state}" ${refused.length} forms are refused and change nothing`, async () => {
      const at = await reach[state](ground);
      const before = await stored(ground.running);
      for (const step of refused) {
        const answer = await submitByHand(at.open, step, forms[step]!(at, ground));
        expect(answer.status, `${step}\n${answer.html}`).to.be.within(400, 499);
        expect(await stored(ground.running), step).to.deep.equal(before);
        expect(sessionsGiven(answer.headers), step).to.deep.equal([]);
      }
    });

    for (const [step, status] of Object.entries(due[state]))
      it(`at "${state}" the form ${step} is taken`, async () => {
        const at = await reach[state](ground);
        const answer = await submitByHand(at.open, step, forms[step]!(at, ground));
        expect(answer.status, answer.html).to.equal(status);
      });
  }

  it('sec-040 no form is taken without the cookies of its sign-in, at whatever state', async () => {
    for (const state of states) {
      const at = await reach[state](ground);
      const before = await stored(ground.running);
      const open = { ...at.open, visitor: strangerTo(at.open.visitor, ground.running) };
      for (const step of Object.keys(forms)) {
        const answer = await submitByHand(open, step, forms[step]!(at, ground));
        expect(answer.status, `${step} at ${state}`).to.equal(400);
      }
      expect(await stored(ground.running), state).to.deep.equal(before);
    }
  });
});

/** The same person's browser, without what belongs to this sign-in: it is signed in, if that is so far. */
function strangerTo(visitor: Browser, { issuer }: RunningApp): Browser {
  const stranger = browser(issuer);
  for (const [key, cookie] of visitor.cookies) if (cookie.path === '/') stranger.cookies.set(key, cookie);
  return stranger;
}

const sessionsGiven = (headers: Headers): string[] =>
  headers.getSetCookie().filter((line) => /^(__Host-)?sid=[^;]/.test(line));

/** What a step of a sign-in can change: people and what they have, and what is opened for them. */
async function stored({ database }: RunningApp): Promise<Record<string, string>> {
  const names = [
    ...['users', 'passwords', 'memberships', 'consents', 'invitations', 'factors', 'recovery_codes', 'email_codes'],
    ...['used_challenges', 'action_links', 'tenants', 'oidc_sessions', 'oidc_grants', 'oidc_authorization_codes'],
    'oidc_interactions',
  ];
  const entries = names.map(async (name) => {
    const rows = await database.collection(name).find({}).sort({ _id: 1 }).toArray();
    return [name, JSON.stringify(rows)] as const;
  });
  return Object.fromEntries(await Promise.all(entries));
}
