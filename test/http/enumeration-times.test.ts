// Whether there is an account, client, code or link does not show in the time of an answer: everything that anybody may
// ask, in pairs that differ in that alone. Not here is what only tells the signed-in about themselves (a new code by
// e-mail, the mail that proves one's own address): its answer says openly what it did.
import { expect } from 'chai';
import { policy, type Policy } from '../../config/policy.js';
import { newUsers, operator } from '../support/administered.js';
import { ceremonyOn, newAuthenticator } from '../support/authenticator.js';
import { browser, type Browser, type Page } from '../support/browser.js';
import { ada, ciKey, webSecret } from '../support/contract-seed.js';
import { startDevice, typeCode } from '../support/device.js';
import { recoveryLink, signUpLink } from '../support/mail-links.js';
import { pairedTimes, quantile } from '../support/paired-times.js';
import { csrfOf, openPortal, postForm } from '../support/portal.js';
import { closeApps, startApp, type RunningApp } from '../support/start-app.js';
import { consultant, seedWithTwoTenants } from '../support/two-tenants.js';
import { asOpenPage, authorizeUrl, openSignIn, post, send, submitByHand, type OpenPage } from './requests.js';
import { newSecured } from './second-factor-rows.js';

const unknown = 'ade@example.com'; // as long as the other
const wrong = 'not the right password';
const nobodysToken = 'x'.repeat(43);
const many = 1e6;

const free: Policy = {
  ...policy,
  actionLinks: { ...policy.actionLinks, toAddressAnHour: many },
  signInAttempts: withTries(policy.signInAttempts, many),
  factors: {
    ...policy.factors,
    ...{ attempts: withTries(policy.factors.attempts, many), emailCodeTries: many },
  },
};
const waiting: Policy = { ...free, signInAttempts: withTries(policy.signInAttempts, 1) };

function withTries(limits: Policy['factors']['attempts'], tries: number): Policy['signInAttempts'] {
  return {
    ...policy.signInAttempts,
    ...limits,
    ...{ source: { ...limits.source, tries }, account: { ...limits.account, tries } },
    ...{ consecutive: many, consecutiveOfStrangers: many },
  };
}

interface Answered {
  status: number;
}

type Ask = () => Promise<Answered>;

interface Pair {
  what: string;
  /** How both are answered. */
  status: number;
  numbers?: Policy;
  /** Each answer is slow by design. */
  isSlow?: boolean;
  open(running: RunningApp): Promise<readonly [Ask, Ask]>;
}

const bothLogins = async (
  open: OpenPage,
  step: string,
  members: (login: string) => Record<string, string>,
): Promise<readonly [Ask, Ask]> => {
  const ask = (login: string) => (): Promise<Page> => submitByHand(open, step, members(login));
  return [ask(ada.email), ask(unknown)];
};

async function addressForm(running: RunningApp, path: '/recover' | '/sign-up'): Promise<readonly [Ask, Ask]> {
  const visitor = browser(running.issuer);
  const csrf = csrfOf(await visitor.get(path));
  const ask = (login: string) => (): Promise<Page> => postForm({ visitor }, path, { csrf, login });
  return [ask(ada.email), ask(unknown)];
}

async function invitationTo({ app, mailbox, deliverMail }: RunningApp, email: string): Promise<string> {
  const { id: tenantId } = await app.administration.getTenant('globex');
  await app.administration.createInvitation(operator, tenantId, { email, roles: ['member'] });
  await deliverMail();
  const text = mailbox.findLast(({ to }) => to === email)?.text ?? '';
  return /\/invitations\/[\w-]{43}/.exec(text)?.[0] ?? '';
}

/** A service of acme that may invite. */
async function inviterOf({ app, issuer }: RunningApp): Promise<{
  tenantId: string;
  call(path: string, body: object): Promise<Answered>;
}> {
  const secret = 'sk_inviter-key-of-at-least-32-characters';
  const [acme] = seedWithTwoTenants.tenants ?? [];
  const keys = [{ label: 'first', secret }];
  const account = { clientId: 'inviter', name: 'Inviter', roles: ['owner'], keys };
  await app.seeding.applySeed({ tenants: [{ ...acme!, serviceAccounts: [account] }] });
  const form = { grant_type: 'client_credentials', resource: `${issuer}/api` };
  const { json } = await post(issuer, 'token', form, ['inviter', secret]);
  const headers = { Authorization: `Bearer ${String(json['access_token'])}`, 'Content-Type': 'application/json' };
  return {
    tenantId: (await app.administration.getTenant('acme')).id,
    call: (path, body) => send(`${issuer}/api/v1${path}`, { method: 'POST', headers, body: JSON.stringify(body) }),
  };
}

const got = (visitor: Browser, path: string) => (): Promise<Page> => visitor.request(path);

/** Somebody at the page after the password, who gets codes by e-mail. */
async function halfSignedIn(running: RunningApp, send: boolean): Promise<OpenPage> {
  const { email, password } = await newSecured(running, true);
  const open = await openSignIn(running.issuer, { tenant: 'acme' });
  const page = await open.visitor.submit(open.page, { login: email, password }, '/login');
  if (send) await open.visitor.submit(page, { send: 'yes' }, '/second-factor/email');
  return asOpenPage(open.visitor, page);
}

const clientCredentials = (issuer: string, clientId: string, secret: string): Ask => {
  return () => post(issuer, 'token', { grant_type: 'client_credentials' }, [clientId, secret]);
};

const pairs: readonly Pair[] = [
  {
    ...{ what: 'a wrong password', status: 422, isSlow: true, numbers: free },
    open: async ({ issuer }) => bothLogins(await openSignIn(issuer), 'login', (login) => ({ login, password: wrong })),
  },
  {
    ...{ what: 'a password that has to wait', status: 429, numbers: waiting },
    async open({ issuer }) {
      const open = await openSignIn(issuer);
      const [left, right] = await bothLogins(open, 'login', (login) => ({ login, password: wrong }));
      for (const ask of [left, right]) expect((await ask()).status).to.equal(422);
      return [left, right];
    },
  },
  {
    ...{ what: 'a login page for an address', status: 303 },
    async open({ issuer }) {
      const ask = (hint: string) => got(browser(issuer), authorizeUrl(issuer, { login_hint: hint }));
      return [ask(ada.email), ask(unknown)];
    },
  },
  { what: 'a forgotten password', status: 200, open: (running) => addressForm(running, '/recover') },
  { what: 'a wish for an account', status: 200, open: (running) => addressForm(running, '/sign-up') },
  {
    ...{ what: 'a wish for an account within a sign-in', status: 200 },
    open: async ({ issuer }) => bothLogins(await openSignIn(issuer), 'register', (login) => ({ login })),
  },
  {
    ...{ what: 'an invitation of somebody with an account or without', status: 303 },
    async open(running) {
      const visitor = browser(running.issuer);
      const [left, right] = [await invitationTo(running, ada.email), await invitationTo(running, unknown)];
      return [got(visitor, left), got(visitor, right)];
    },
  },
  {
    ...{ what: 'an invitation that is sent to somebody with an account or without', status: 201 },
    async open(running) {
      await newUsers(running, 100, 'known');
      const { call, tenantId } = await inviterOf(running);
      const ask = (prefix: string) => {
        let count = 0;
        return (): Promise<Answered> =>
          call(`/tenants/${tenantId}/invitations`, { email: `${prefix}-${count++}@example.com`, roles: ['viewer'] });
      };
      return [ask('known'), ask('other')];
    },
  },
  {
    ...{ what: 'a link of nobody and one that is over: new password', status: 410 },
    async open(running) {
      const visitor = browser(running.issuer);
      const path = await recoveryLink(running, visitor, ada.email);
      const { id } = await running.app.administration.getUserByEmail(ada.email);
      await running.app.administration.setUserPassword(operator, id, { password: 'nine lives of a black cat' });
      return [got(visitor, path), got(visitor, `/recover/${nobodysToken}`)];
    },
  },
  {
    ...{ what: 'a link of nobody and one of another kind: new account', status: 410 },
    async open(running) {
      const visitor = browser(running.issuer);
      const path = await signUpLink(running, visitor, unknown);
      return [got(visitor, path.replace('sign-up', 'verify-email')), got(visitor, `/verify-email/${nobodysToken}`)];
    },
  },
  {
    ...{ what: 'a wrong code, where one was sent by e-mail and where none was', status: 422, numbers: free },
    async open(running) {
      const [sent, unsent] = [await halfSignedIn(running, true), await halfSignedIn(running, false)];
      const ask = (open: OpenPage) => () =>
        submitByHand(open, 'second-factor', { method: 'email_code', code: '000000' });
      return [ask(sent), ask(unsent)];
    },
  },
  {
    ...{ what: 'a passkey that somebody has, with a wrong signature, and one that nobody has', status: 422 },
    async open(running) {
      const { key } = await newSecured(running, true);
      const open = await openSignIn(running.issuer);
      const { options, ticket } = ceremonyOn(open.page);
      const signature = newAuthenticator(running.issuer).assert(options);
      const { signature: other } = JSON.parse(signature) as { signature: string };
      const stranger = newAuthenticator(running.issuer);
      const left = key.assert(options, { signature: other });
      const right = stranger.assert(options, { userHandle: null, signature: other });
      const ask = (response: string) => (): Promise<Page> => submitByHand(open, 'passkey', { response, ticket });
      return [ask(left), ask(right)];
    },
  },
  {
    ...{ what: 'a device code that was used and one that nobody has', status: 422 },
    async open({ issuer }) {
      const { response } = await startDevice(issuer);
      const visitor = browser(issuer);
      await visitor.submit(await typeCode(visitor, response.user_code), { abort: 'yes' });
      const ask = (code: string) => (): Promise<Page> => typeCode(visitor, code);
      return [ask(response.user_code), ask('BCDF-GHJK')];
    },
  },
  {
    ...{ what: 'another address that somebody has, and one that nobody has', status: 303, numbers: free },
    async open({ issuer }) {
      const { visitor, page } = await openPortal(issuer, { path: '/account/email' });
      const csrf = csrfOf(page);
      const ask = (email: string) => (): Promise<Page> => postForm({ visitor }, '/account/email', { csrf, email });
      return [ask(consultant.email), ask('consultanz@example.com')];
    },
  },
  {
    ...{ what: 'a client with a wrong secret, and one that is not there', status: 401 },
    open: async ({ issuer }) => [
      clientCredentials(issuer, 'web', `${webSecret}x`),
      clientCredentials(issuer, 'wob', `${webSecret}x`),
    ],
  },
  {
    ...{ what: 'a service with a wrong API key, and one that is not there', status: 401 },
    open: async ({ issuer }) => [
      clientCredentials(issuer, 'acme-ci', `${ciKey}x`),
      clientCredentials(issuer, 'acme-co', `${ciKey}x`),
    ],
  },
  {
    ...{ what: 'a token that was issued and is revoked, and one that never was', status: 401 },
    async open({ issuer }) {
      const form = { grant_type: 'client_credentials', resource: `${issuer}/api` };
      const { json } = await post(issuer, 'token', form, ['acme-ci', ciKey]);
      const token = String(json['access_token']);
      await post(issuer, 'revoke', { token }, ['acme-ci', ciKey]);
      const [head = '', body = '', signature = ''] = token.split('.');
      const forged = `${head}.${body}.${signature.startsWith('A') ? 'B' : 'A'}${signature.slice(1)}`;
      const ask = (bearer: string) => (): Promise<Answered> =>
        send(`${issuer}/api/v1/tenants`, { headers: { Authorization: `Bearer ${bearer}` } });
      return [ask(token), ask(forged)];
    },
  },
];

const differencesOf = (times: { left: number[]; right: number[] }): number[] =>
  times.left.map((time, pair) => time - (times.right[pair] ?? 0));

describe('the time of an answer', function () {
  this.timeout(120_000); // some of what is asked is slow by design
  afterEach(closeApps);

  for (const { what, status, numbers = free, isSlow, open } of pairs)
    it(`sec-050 says nothing: ${what}`, async () => {
      const running = await startApp({ seed: seedWithTwoTenants, policy: numbers });
      const asks = await open(running);
      const [left, right] = asks.map((ask) => async (): Promise<void> => {
        expect((await ask()).status).to.equal(status);
      }) as [() => Promise<void>, () => Promise<void>];
      await pairedTimes(isSlow ? 3 : 15, left, right); // what is loaded once is loaded
      const medians: number[] = [];
      // what really differs does so every time; what else the machine does comes and goes
      while (medians.length < 3 && !medians.some((median) => median < 5)) {
        const times = await pairedTimes(isSlow ? 25 : 80, left, right);
        medians.push(Math.abs(quantile(differencesOf(times), 0.5)));
      }
      expect(Math.min(...medians), `medians of the differences in ms: ${medians.join()}`).to.be.below(5);
    });
});
