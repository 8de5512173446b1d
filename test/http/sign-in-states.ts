import { randomUUID } from 'node:crypto';
import { totpCode } from '../../src/credentials/totp.js';
import { operator } from '../support/administered.js';
import { ceremonyOn, newAuthenticator } from '../support/authenticator.js';
import { browser, type Browser, type Page } from '../support/browser.js';
import { secretOn, type MovedClock } from '../support/second-factor.js';
import type { RunningApp } from '../support/start-app.js';
import { asOpenPage, openSignIn, submitByHand, type OpenPage } from './requests.js';
import { newSecured, type Secured } from './second-factor-rows.js';

/** The states of a sign-in: at which page it waits, or how it has ended. */
export const states = [
  ...(['fresh', 'invited', 'password proven', 'invitation', 'tenant', 'second factor', 'enrolment'] as const),
  ...(['terms', 'profile', 'consent', 'done', 'cancelled', 'expired'] as const),
] as const;
export type State = (typeof states)[number];

/** One sign-in at a state. */
export interface AtState {
  /** In a browser that has kept every cookie that it ever got. */
  open: OpenPage;
  person: Secured;
  /** Its login page, and the one where it is now: what they hold is right wherever it is due. */
  loginPage: Page;
  page: Page;
}

export interface StateGround {
  running: RunningApp;
  clock: MovedClock;
}

type Members = Record<string, string>;
type Policies = Parameters<RunningApp['app']['administration']['changeSettings']>[2]['policies'];

const essential = JSON.stringify({ id_token: { acr: { essential: true, value: 'aal2' } } });
const acme = { tenant: 'acme' };

/** Brings a new sign-in of somebody new to this state. */
export const reach: Readonly<Record<State, (ground: StateGround) => Promise<AtState>>> = {
  fresh: async ({ running }) => begin(running, await newSecured(running, true), acme),
  async invited({ running }) {
    const email = `invited-${randomUUID()}@example.com`;
    const person = {
      email,
      password: 'a password of the invited',
      key: newAuthenticator(running.issuer),
      recoveryCode: '',
    };
    return begin(running, person, { invitation: await invite(running, email, 'acme') });
  },
  'password proven': async ({ running }) => loggedIn(await begin(running, await newSecured(running, true), acme)),
  async invitation({ running }) {
    const person = await newSecured(running, false);
    return loggedIn(await begin(running, person, { invitation: await invite(running, person.email, 'globex') }));
  },
  async tenant({ running }) {
    const person = await newSecured(running, false);
    const { administration } = running.app;
    const { id: userId } = await administration.getUserByEmail(person.email);
    const { id: tenantId } = await administration.getTenant('globex');
    await administration.addMember(operator, tenantId, { userId, roles: ['member'] });
    return loggedIn(await begin(running, person));
  },
  /** In a browser that is trusted, so that there is something left to prove. */
  async 'second factor'({ running }) {
    const person = await newSecured(running, true);
    const first = await loggedIn(await begin(running, person, acme));
    const { options, ticket } = ceremonyOn(first.page);
    const proof = { response: person.key.assert(options), ticket, remember: 'yes' };
    const { visitor } = first.open;
    const answer = await submitByHand(asOpenPage(visitor, first.page), 'second-factor/passkey', proof);
    await visitor.get(answer.headers.get('location') ?? '');
    return loggedIn(await begin(running, person, { ...acme, claims: essential, prompt: 'login' }, visitor));
  },
  enrolment: async ({ running }) =>
    loggedIn(await begin(running, await newSecured(running, false), { ...acme, claims: essential })),
  terms: ({ running }) => asking(running, { terms: { version: '1', uri: 'https://example.com/terms' } }),
  profile: ({ running }) => asking(running, { requiredProfile: ['name', 'locale'] }),
  consent: async ({ running }) =>
    loggedIn(
      await begin(running, await newSecured(running, false), { ...acme, client_id: 'third-party', prompt: 'consent' }),
    ),
  done: async ({ running }) => loggedIn(await begin(running, await newSecured(running, false), acme)),
  cancelled: async ({ running }) => onward(await begin(running, await newSecured(running, true), acme), {}, '/cancel'),
  async expired({ running, clock }) {
    const at = await loggedIn(await begin(running, await newSecured(running, true), acme));
    clock.pass(21 * 60);
    return at;
  },
};

/** What its person would fill each form with. */
export const forms: Readonly<Record<string, (at: AtState, ground: StateGround) => Members>> = {
  login: ({ person }) => ({ login: person.email, password: person.password }),
  passkey: ({ person, loginPage }) => asserted(person, loginPage),
  organisation: () => ({ login: `somebody-${randomUUID()}@corp.example` }),
  connection: () => ({ connection: 'none' }),
  register: () => ({ login: `new-${randomUUID()}@example.com` }),
  'sign-up': () => ({ name: 'Somebody New', password: 'a password of the invited' }),
  invitation: () => ({ decision: 'accept' }),
  tenant: () => ({ tenant: 'globex' }),
  terms: () => ({ tenant_version: '1', accept: 'yes' }),
  profile: () => ({ name: 'Somebody', locale: 'de-AT' }),
  consent: () => ({ decision: 'accept' }),
  cancel: () => ({}),
  'second-factor': ({ person }) => ({ method: 'recovery_code', code: person.recoveryCode || 'aaaa-bbbb-cccc-dddd' }),
  'second-factor/passkey': ({ person, loginPage, page }) => asserted(person, hasCeremony(page) ? page : loginPage),
  'second-factor/email': () => ({ send: 'yes' }),
  'second-factor/enrol': ({ page }, { clock }) => ({
    factor: /name="factor" value="([^"]+)"/.exec(page.html)?.[1] ?? 'fac_00000000000000000000000000000000',
    code: totpCode(secretOn(page), clock.now()),
  }),
  'second-factor/enrol-passkey': ({ loginPage, page }, { running }) => {
    const { options, ticket } = ceremonyOn(hasCeremony(page) ? page : loginPage);
    return { response: newAuthenticator(running.issuer).register(options), ticket };
  },
};

const hasCeremony = ({ html }: Page): boolean => html.includes('data-options=');

function asserted({ key }: Secured, page: Page): Members {
  const { options, ticket } = ceremonyOn(page);
  return { response: key.assert(options), ticket };
}

async function begin(
  { issuer }: RunningApp,
  person: Secured,
  request: Record<string, string> = {},
  visitor = keeping(browser(issuer)),
): Promise<AtState> {
  const open = await openSignIn(issuer, request, visitor);
  return { open, person, loginPage: open.page, page: open.page };
}

/** At what a tenant asks for that is the person's own. */
async function asking(running: RunningApp, policies: Policies): Promise<AtState> {
  const person = await newSecured(running, false);
  const { administration } = running.app;
  const { id: ownerId } = await administration.getUserByEmail(person.email);
  const slug = `t-${randomUUID().slice(0, 18)}`;
  const { id } = await administration.createTenant(operator, { slug, name: 'A team', type: 'team', ownerId });
  await administration.changeSettings(operator, { tenantId: id }, { policies });
  return loggedIn(await begin(running, person, { tenant: slug }));
}

/** Each page has an interaction of its own; what has ended keeps the last one. */
async function onward(at: AtState, members: Members, suffix?: string): Promise<AtState> {
  const { visitor } = at.open;
  const page = await visitor.submit(at.page, members, suffix);
  return { ...at, page, open: page.url.includes('/sign-in/') ? asOpenPage(visitor, page) : at.open };
}

function loggedIn(at: AtState): Promise<AtState> {
  return onward(at, { login: at.person.email, password: at.person.password }, '/login');
}

/** A browser that gives up no cookie that the server takes back. */
function keeping(visitor: Browser): Browser {
  visitor.cookies.delete = () => false;
  return visitor;
}

async function invite(running: RunningApp, email: string, slug: string): Promise<string> {
  const { administration } = running.app;
  const { id } = await administration.getTenant(slug);
  await administration.createInvitation(operator, id, { email, roles: ['member'] });
  await running.deliverMail();
  const text = running.mailbox.findLast(({ to }) => to === email)?.text ?? '';
  return /\/invitations\/([\w-]{43})/.exec(text)?.[1] ?? '';
}
