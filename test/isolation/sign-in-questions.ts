import { projectsApi } from '../support/contract-seed.js';
import { asOpenPage, openSignIn, type OpenPage } from '../http/requests.js';
import { asPage, forgedCookies, type Members, type Question } from './question.js';
import { signInOfDevice, type Kind } from './things.js';
import { web } from './two-alike.js';
import type { World } from './world.js';

/** Pages of one sign-in: the path names the foreign one, and the cookies are those of one that home has open. */
async function homePage(world: World, step: string): Promise<OpenPage> {
  if (step === 'device') return signInOfDevice(world.issuer, world.home.tv);
  const login = await openSignIn(world.issuer, {
    client_id: step === 'consent' ? world.home.partner[0] : web[0],
    ...(step === 'consent' ? { tenant: world.home.slug, scope: 'openid projects:read', resource: projectsApi } : {}),
  });
  if (step !== 'tenant' && step !== 'consent') return login;
  const { email, password } = world.home.person;
  return asOpenPage(login.visitor, await login.visitor.submit(login.page, { login: email, password }));
}

const ownPath = (route: string, uid: string): string => route.split(' ')[1]?.replace(':uid', uid) ?? '';

/** Every cookie, whatever the path that it was set for: who asks here is no browser. */
function allCookies({ visitor }: OpenPage): string {
  return [...visitor.cookies.values()].map(({ name, value }) => `${name}=${value}`).join('; ');
}

function ofSignIn(route: Question['route'], step: string, members: Members, kind: Kind = 'open sign-in'): Question[] {
  return [
    {
      ...{ route, parameter: ':uid', kind, how: 'with the cookies of a sign-in of home' },
      async request(world, uid) {
        const open = await homePage(world, step);
        const csrf = route.startsWith('POST') ? { csrf: open.csrf } : {};
        const headers = { ...asPage, Cookie: allCookies(open) };
        return { path: ownPath(route, uid), parameters: { ...csrf, ...members }, headers };
      },
    },
    {
      ...{ route, parameter: 'Cookie', kind, how: 'its id with a signature of nobody' },
      async request(world, uid) {
        const open = await homePage(world, step);
        const csrf = route.startsWith('POST') ? { csrf: open.csrf } : {};
        const headers = { ...asPage, Cookie: forgedCookies(uid, 'interaction', 'resume') };
        return { path: ownPath(route, uid), parameters: { ...csrf, ...members }, headers };
      },
    },
  ];
}

/** A form of home's own sign-in, with one member of the foreign tenant. */
function inForm(
  route: Question['route'],
  question: Pick<Question, 'kind' | 'parameter' | 'writes'>,
  members: Members,
): Question {
  const step = route.split('/').at(-1) ?? '';
  return {
    ...{ route, ...question },
    async request(world, value) {
      const { visitor, uid, csrf } = await homePage(world, step);
      const path = ownPath(route, uid);
      const parameters = { csrf, ...members, [question.parameter]: value };
      return { path, parameters, headers: { ...asPage, Cookie: visitor.cookieHeader(path) } };
    },
  };
}

const countedTries = {
  sign_in_attempts: 'tries are counted at the account, whoever makes them (decision 0011)',
  events: 'the person is told of tries at the account',
};

const sentMail = {
  action_mail_counts: 'mails to an address are counted, whoever has it',
  action_links: 'a link is made for every address, also for nobody (decision 0031)',
  mail_outbox: 'a mail is stored for every address, and the person is told by mail alone',
  events: 'the person is told that somebody asked',
};

/** Pages and forms of a second factor: none of home's own sign-ins is about one. */
const secondFactorForms: Readonly<Record<string, Members>> = {
  passkey: { response: '{}', ticket: 'none' },
  'second-factor': { method: 'totp', code: '000000' },
  'second-factor/email': { send: 'yes' },
  'second-factor/passkey': { response: '{}', ticket: 'none' },
  'second-factor/enrol': { factor: 'fac_none', code: '000000' },
  'second-factor/enrol-passkey': { response: '{}', ticket: 'none' },
};

/** Forms of what is asked before a sign-in ends: none of home's own sign-ins is about one. */
const requiredActionForms: Readonly<Record<string, Members>> = {
  terms: { tenant_version: '1', accept: 'yes' },
  profile: { name: 'Somebody' },
};

export const signInQuestions: Question[] = [
  ...ofSignIn('GET /sign-in/:uid/second-factor', 'login', {}),
  ...Object.entries({ ...secondFactorForms, ...requiredActionForms }).flatMap(([step, members]) =>
    ofSignIn(`POST /sign-in/:uid/${step}`, 'login', members),
  ),
  ...ofSignIn('GET /oauth2/authorize/:uid', 'login', {}),
  ...ofSignIn('GET /device/:uid', 'device', {}, 'open sign-in of a device'),
  ...ofSignIn('GET /sign-in/:uid', 'login', {}),
  ...ofSignIn('GET /sign-in/:uid/register', 'login', {}),
  ...ofSignIn('POST /sign-in/:uid/register', 'login', { login: 'nobody@example.com' }),
  ...ofSignIn('POST /sign-in/:uid/organisation', 'login', { login: 'nobody@example.com' }),
  ...ofSignIn('GET /sign-in/:uid/return', 'login', {}),
  ...ofSignIn('GET /sign-in/:uid/recover', 'login', {}),
  ...ofSignIn('POST /sign-in/:uid/login', 'login', { login: 'nobody@example.com', password: 'a wrong password' }),
  ...ofSignIn('POST /sign-in/:uid/sign-up', 'login', { name: 'X', password: 'a password of nobody' }),
  ...ofSignIn('POST /sign-in/:uid/invitation', 'login', { decision: 'accept' }),
  ...ofSignIn('POST /sign-in/:uid/tenant', 'tenant', { tenant: 'acme' }),
  ...ofSignIn('POST /sign-in/:uid/consent', 'consent', { decision: 'accept' }),
  ...ofSignIn('POST /sign-in/:uid/cancel', 'login', { cancel: 'yes' }),
  ...ofSignIn('GET /sign-in/:uid/connection', 'login', {
    state: 'none',
    connection: 'con_none',
    error: 'access_denied',
  }),
  ...ofSignIn('POST /sign-in/:uid/connection', 'login', { connection: 'con_none' }),
  inForm('POST /sign-in/:uid/connection', { parameter: 'connection', kind: 'connection' }, {}),
  inForm(
    'GET /sign-in/:uid/connection',
    { parameter: 'connection', kind: 'connection' },
    { state: 'none', error: 'access_denied' },
  ),
  inForm(
    'GET /sign-in/:uid/connection',
    { parameter: 'state', kind: 'answer of a provider' },
    { error: 'access_denied' },
  ),
  inForm(
    'POST /sign-in/:uid/login',
    { parameter: 'login', kind: 'person', writes: countedTries },
    { password: 'a wrong password' },
  ),
  inForm('POST /sign-in/:uid/organisation', { parameter: 'login', kind: 'person' }, {}),
  inForm('POST /sign-in/:uid/register', { parameter: 'login', kind: 'person', writes: sentMail }, {}),
  ...(['tenant by slug', 'tenant by id'] as const).map((kind) =>
    inForm('POST /sign-in/:uid/tenant', { parameter: 'tenant', kind }, {}),
  ),
  ...Object.entries({
    login: { login: 'nobody@example.com', password: 'a wrong password' },
    'sign-up': { name: 'X', password: 'a password of nobody' },
    register: { login: 'nobody@example.com' },
    organisation: { login: 'nobody@example.com' },
    invitation: { decision: 'accept' },
    tenant: { tenant: 'acme' },
    consent: { decision: 'accept' },
    cancel: { cancel: 'yes' },
    connection: { connection: 'con_none' },
    ...{ ...secondFactorForms, ...requiredActionForms },
  }).map(([step, members]) =>
    inForm(`POST /sign-in/:uid/${step}`, { parameter: 'csrf', kind: 'token of a form' }, members),
  ),
];
