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

export const signInQuestions: Question[] = [
  ...ofSignIn('GET /oauth2/authorize/:uid', 'login', {}),
  ...ofSignIn('GET /device/:uid', 'device', {}, 'open sign-in of a device'),
  ...ofSignIn('GET /sign-in/:uid', 'login', {}),
  ...ofSignIn('POST /sign-in/:uid/login', 'login', { login: 'nobody@example.com', password: 'a wrong password' }),
  ...ofSignIn('POST /sign-in/:uid/tenant', 'tenant', { tenant: 'acme' }),
  ...ofSignIn('POST /sign-in/:uid/consent', 'consent', { decision: 'accept' }),
  ...ofSignIn('POST /sign-in/:uid/cancel', 'login', { cancel: 'yes' }),
  inForm(
    'POST /sign-in/:uid/login',
    { parameter: 'login', kind: 'person', writes: countedTries },
    { password: 'a wrong password' },
  ),
  ...(['tenant by slug', 'tenant by id'] as const).map((kind) =>
    inForm('POST /sign-in/:uid/tenant', { parameter: 'tenant', kind }, {}),
  ),
  ...Object.entries({
    login: { login: 'nobody@example.com', password: 'a wrong password' },
    tenant: { tenant: 'acme' },
    consent: { decision: 'accept' },
    cancel: { cancel: 'yes' },
  }).map(([step, members]) =>
    inForm(`POST /sign-in/:uid/${step}`, { parameter: 'csrf', kind: 'token of a form' }, members),
  ),
];
