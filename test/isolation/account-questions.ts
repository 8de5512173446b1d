import { csrfOf, openPortal } from '../support/portal.js';
import { asPage, forgedCookies, type Members, type Question } from './question.js';
import type { World } from './world.js';

/** A form of home's own portal, with one member that names something foreign. */
function inPortal(
  path: string,
  shownAt: string,
  question: Pick<Question, 'parameter' | 'kind'>,
  members: Members = {},
): Question {
  return {
    ...{ route: `POST ${path}` as Question['route'], ...question },
    async request({ issuer, home }: World, value) {
      const { visitor, page } = await openPortal(issuer, { path: shownAt, person: home.person });
      const parameters = { csrf: csrfOf(page), ...members, [question.parameter]: value };
      return { path, parameters, headers: { ...asPage, Cookie: visitor.cookieHeader(path) } };
    },
  };
}

function withForgedSession(route: Question['route'], members: Members = {}): Question {
  return {
    ...{ route, parameter: 'Cookie', kind: 'session', how: 'its id with a signature of nobody' },
    request: (_world, id) => ({
      ...{ path: route.split(' ')[1] ?? '', parameters: members },
      headers: { ...asPage, Cookie: forgedCookies(id, 'sid') },
    }),
  };
}

const forms: [path: string, shownAt: string, members: Members][] = [
  ['/account/sessions/end', '/account/profile', { session: 'nobodys' }],
  ['/account/factors/remove', '/account/profile', { factor: 'fac_nobodys' }],
  ['/account/factors/rename', '/account/profile', { factor: 'fac_nobodys', name: 'Mine' }],
  ['/account/identities/link', '/account/profile', { connection: 'con_nobodys' }],
  ['/account/identities/unlink', '/account/profile', { identity: 'ide_nobodys' }],
  ['/account/tenants/leave', '/account/profile', { tenant: 'ten_nobodys' }],
  ['/account/apps/revoke', '/account/profile', { tenant: 'ten_nobodys', client: 'nobodys' }],
  ['/account/delete/close-tenant', '/account/delete', { tenant: 'ten_nobodys' }],
];

export const accountQuestions: Question[] = [
  withForgedSession('GET /account'),
  ...forms.flatMap(([path, shownAt, members]) => [
    withForgedSession(`POST ${path}` as Question['route'], { csrf: 'x', ...members }),
    inPortal(path, shownAt, { parameter: 'csrf', kind: 'token of a form' }, members),
  ]),
  inPortal('/account/sessions/end', '/account/profile', { parameter: 'session', kind: 'session' }),
  inPortal('/account/factors/remove', '/account/profile', { parameter: 'factor', kind: 'factor' }),
  inPortal('/account/factors/rename', '/account/profile', { parameter: 'factor', kind: 'factor' }, { name: 'Mine' }),
  inPortal('/account/identities/link', '/account/profile', { parameter: 'connection', kind: 'connection' }),
  inPortal('/account/identities/unlink', '/account/profile', { parameter: 'identity', kind: 'identity' }),
  inPortal('/account/tenants/leave', '/account/profile', { parameter: 'tenant', kind: 'tenant by id' }),
  inPortal('/account/delete/close-tenant', '/account/delete', { parameter: 'tenant', kind: 'tenant by id' }),
  inPortal(
    '/account/apps/revoke',
    '/account/profile',
    { parameter: 'tenant', kind: 'tenant by id' },
    { client: 'web' },
  ),
  inPortal(
    '/account/apps/revoke',
    '/account/profile',
    { parameter: 'client', kind: 'client' },
    { tenant: 'ten_nobodys' },
  ),
];
