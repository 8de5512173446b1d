import type { EndpointRequest } from '../http/endpoints.js';
import {
  appOf,
  asPage,
  authorization,
  cookiesOfHome,
  forgedCookies,
  isPublic,
  type Members,
  type Question,
} from './question.js';
import type { Kind } from './things.js';
import { web } from './two-alike.js';
import type { World } from './world.js';

const authorizing =
  (headers: (world: World, value: string) => Members, members: (world: World, value: string) => Members) =>
  (world: World, value: string): EndpointRequest => ({
    path: '/oauth2/authorize',
    parameters: authorization(world, members(world, value)),
    headers: headers(world, value),
  });

const asHome = (world: World): Members => cookiesOfHome(world, '/oauth2/authorize');
const asNobody = (): Members => asPage;
/** A parameter that names a tenant, by slug and by id. */
function ofTenant(question: Omit<Question, 'kind' | 'parameter'>): Question[] {
  const kinds: Kind[] = ['tenant by slug', 'tenant by id'];
  return kinds.map((kind) => ({ ...question, kind, parameter: 'tenant' }));
}

export const authorizeQuestions: Question[] = (['GET /oauth2/authorize', 'POST /oauth2/authorize'] as const).flatMap(
  (route) => [
    ...ofTenant({
      ...{ route, how: 'silently, at a client of the platform' },
      request: authorizing(asHome, (_world, tenant) => ({ client_id: web[0], tenant, prompt: 'none' })),
    }),
    ...ofTenant({
      ...{ route, how: 'silently, at a client of home' },
      request: authorizing(asHome, (world, tenant) => ({ ...appOf(world), tenant, prompt: 'none' })),
    }),
    ...ofTenant({
      ...{ route, how: 'with a page' },
      request: authorizing(asHome, (_world, tenant) => ({ client_id: web[0], tenant })),
    }),
    ...ofTenant({
      ...{ route, how: 'by nobody' },
      request: authorizing(asNobody, (_world, tenant) => ({ client_id: web[0], tenant })),
    }),
    {
      ...{ route, parameter: 'request_uri', kind: 'pushed request' },
      request: (world, request_uri) => ({
        ...{ path: '/oauth2/authorize', headers: asHome(world) },
        parameters: { ...appOf(world), request_uri },
      }),
    },
    {
      ...{ route, parameter: 'client_id', kind: 'client', byNature: isPublic },
      request: authorizing(asHome, (_world, client_id) => ({ client_id })),
    },
    {
      ...{ route, parameter: 'id_token_hint', kind: 'ID token' },
      request: authorizing(asHome, (world, id_token_hint) => ({ ...appOf(world), id_token_hint, prompt: 'none' })),
    },
    {
      ...{ route, parameter: 'login_hint', kind: 'person' },
      request: authorizing(asNobody, (world, login_hint) => ({ ...appOf(world), login_hint })),
    },
    {
      ...{ route, parameter: 'Cookie', kind: 'session', how: 'its id with a signature of nobody' },
      request: authorizing(
        (_world, id) => ({ ...asPage, Cookie: forgedCookies(id, 'sid') }),
        (world) => ({ ...appOf(world), prompt: 'none' }),
      ),
    },
  ],
);
