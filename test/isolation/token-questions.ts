import { projectsApi } from '../support/contract-seed.js';
import { deviceGrant } from '../support/device.js';
import { tokenExchange } from '../support/two-tenants.js';
import { appOf, authorization, byApp, isPublic, ofClientAuthentication, type Question } from './question.js';
import { web } from './two-alike.js';
import { redeeming, tokensFor } from './world.js';

const exchange = {
  ...{ grant_type: tokenExchange, resource: projectsApi, scope: 'projects:read' },
  subject_token_type: 'urn:ietf:params:oauth:token-type:refresh_token',
};
const ofAccessToken = { subject_token_type: 'urn:ietf:params:oauth:token-type:access_token' };

export const tokenQuestions: Question[] = [
  byApp('token', { parameter: 'code', kind: 'code' }, (_world, code) => redeeming(code)),
  byApp('token', { parameter: 'refresh_token', kind: 'refresh token' }, (_world, refresh_token) => ({
    ...{ grant_type: 'refresh_token', refresh_token },
  })),
  byApp('token', { parameter: 'device_code', kind: 'device code' }, (_world, device_code) => ({
    ...{ grant_type: deviceGrant, device_code },
  })),
  byApp('token', { parameter: 'subject_token', kind: 'refresh token' }, ({ home }, subject_token) => ({
    ...{ ...exchange, subject_token, tenant: home.slug },
  })),
  ...(['JWT access token', 'opaque access token', 'JWT service token'] as const).map((kind) =>
    byApp('token', { parameter: 'subject_token', kind }, ({ home }, subject_token) => ({
      ...{ ...exchange, ...ofAccessToken, subject_token, tenant: home.slug },
    })),
  ),
  ...(['tenant by slug', 'tenant by id'] as const).map((kind) =>
    byApp(
      'token',
      { parameter: 'tenant', kind, how: 'token exchange at a client of the platform' },
      async (world, tenant) => {
        const { refresh_token } = await tokensFor(world.issuer, world.home, projectsApi, web);
        return { ...exchange, subject_token: refresh_token, tenant };
      },
      () => web,
    ),
  ),
  ...(['tenant by slug', 'tenant by id'] as const).map((kind) =>
    byApp('token', { parameter: 'tenant', kind, how: 'token exchange at a client of home' }, async (world, tenant) => {
      const { refresh_token } = await tokensFor(world.issuer, world.home, projectsApi);
      return { ...exchange, subject_token: refresh_token, tenant };
    }),
  ),
  {
    ...{ route: 'POST /oauth2/token', parameter: 'client_id', kind: 'public client', byNature: isPublic },
    request: (_world, client_id) => ({
      ...{ path: '/oauth2/token', headers: {} },
      parameters: { ...redeeming('no-such-code'), client_id },
    }),
  },
  ...ofClientAuthentication('token', () => ({
    ...{ grant_type: 'client_credentials', scope: 'projects:read', resource: projectsApi },
  })),
];

const tokens = [
  ...(['JWT access token', 'opaque access token', 'JWT service token', 'opaque service token'] as const),
  ...(['refresh token', 'code', 'ID token', 'API key'] as const),
];

export const aboutTokenQuestions: Question[] = (['introspect', 'revoke'] as const).flatMap((endpoint) => [
  ...tokens.flatMap((kind) => [
    byApp(endpoint, { parameter: 'token', kind, how: 'by an app' }, (_world, value) => ({ token: value })),
    byApp(
      endpoint,
      { parameter: 'token', kind, how: 'by a service' },
      (_world, value) => ({ token: value }),
      ({ home }) => home.service,
    ),
  ]),
  ...ofClientAuthentication(endpoint, () => ({ token: 'no-such-token' })),
]);

export const pushedQuestions: Question[] = [
  ...(['tenant by slug', 'tenant by id'] as const).flatMap((kind) => [
    byApp('par', { parameter: 'tenant', kind, how: 'by a client of home' }, (world, tenant) =>
      authorization(world, { ...appOf(world), tenant }),
    ),
    byApp(
      'par',
      { parameter: 'tenant', kind, how: 'by a client of the platform' },
      (world, tenant) => authorization(world, { client_id: web[0], tenant }),
      () => web,
    ),
  ]),
  byApp('par', { parameter: 'client_id', kind: 'client', how: 'beside a right authentication' }, (world, client_id) =>
    authorization(world, { client_id }),
  ),
  byApp('par', { parameter: 'id_token_hint', kind: 'ID token' }, (world, id_token_hint) =>
    authorization(world, { ...appOf(world), id_token_hint }),
  ),
  byApp('par', { parameter: 'request_uri', kind: 'pushed request' }, (world, request_uri) =>
    authorization(world, { ...appOf(world), request_uri }),
  ),
  byApp('par', { parameter: 'login_hint', kind: 'person' }, (world, login_hint) =>
    authorization(world, { ...appOf(world), login_hint }),
  ),
  ...ofClientAuthentication('par', (world) => {
    const { client_id: _, ...members } = authorization(world, appOf(world));
    return members;
  }),
];

const bearer = 'whoever holds a bearer token is who it was given to, so this is its owner’s own request (RFC 6750)';
const anyToken = (['JWT access token', 'opaque access token'] as const).flatMap((kind): Question[] => [
  {
    ...{ route: 'GET /oauth2/userinfo', parameter: 'Authorization', kind, byNature: bearer, isOwners: true },
    request: (_world, value) => ({
      ...{ path: '/oauth2/userinfo', parameters: {} },
      headers: { Authorization: `Bearer ${value}` },
    }),
  },
  {
    ...{ route: 'POST /oauth2/userinfo', parameter: 'access_token', kind, byNature: bearer, isOwners: true },
    request: (_world, access_token) => ({ path: '/oauth2/userinfo', parameters: { access_token }, headers: {} }),
  },
]);
export const userinfoQuestions: Question[] = [
  ...anyToken,
  ...(['refresh token', 'ID token', 'JWT service token', 'opaque service token'] as const).map((kind): Question => ({
    ...{ route: 'GET /oauth2/userinfo', parameter: 'Authorization', kind },
    request: (_world, value) => ({
      ...{ path: '/oauth2/userinfo', parameters: {} },
      headers: { Authorization: `Bearer ${value}` },
    }),
  })),
];
