import { browser } from '../support/browser.js';
import { projectsApi } from '../support/contract-seed.js';
import {
  asPage,
  byApp,
  cookiesOfHome,
  forgedCookies,
  isPublic,
  ofClientAuthentication,
  type Question,
} from './question.js';
import { xsrfOf } from './things.js';

const deviceRequest = { scope: 'openid projects:read', resource: projectsApi };

export const deviceQuestions: Question[] = [
  ...(['tenant by slug', 'tenant by id'] as const).map((kind) =>
    byApp('device_authorization', { parameter: 'tenant', kind }, (_world, tenant) => ({ ...deviceRequest, tenant })),
  ),
  byApp('device_authorization', { parameter: 'login_hint', kind: 'person' }, (_world, login_hint) => ({
    ...{ ...deviceRequest, login_hint },
  })),
  byApp('device_authorization', { parameter: 'id_token_hint', kind: 'ID token' }, (_world, id_token_hint) => ({
    ...{ ...deviceRequest, id_token_hint },
  })),
  {
    ...{ route: 'POST /oauth2/device_authorization', parameter: 'client_id', kind: 'public client' },
    byNature: isPublic,
    writes: { oidc_device_codes: 'the device of a public client asks for a code with its id alone' },
    request: (_world, client_id) => ({
      ...{ path: '/oauth2/device_authorization', headers: {} },
      parameters: { client_id, ...deviceRequest },
    }),
  },
  ...ofClientAuthentication('device_authorization', () => deviceRequest),
  {
    ...{ route: 'GET /device', parameter: 'user_code', kind: 'user code' },
    request: (world, user_code) => ({
      ...{ path: '/device', parameters: { user_code } },
      headers: cookiesOfHome(world, '/device'),
    }),
  },
  {
    ...{ route: 'POST /device', parameter: 'user_code', kind: 'user code' },
    byNature: 'the code is what a person types to connect a device, wherever they read it (RFC 8628)',
    writes: { oidc_device_codes: 'the browser that types a code first has it' },
    async request(world, user_code) {
      const visitor = browser(world.issuer);
      const { html } = await visitor.get('/device');
      const headers = { ...asPage, Cookie: visitor.cookieHeader('/device') };
      return { path: '/device', parameters: { xsrf: xsrfOf(html), user_code }, headers };
    },
  },
  {
    ...{ route: 'POST /device', parameter: 'xsrf', kind: 'token of a form of the protocol' },
    async request(world, xsrf) {
      await world.home.visitor.get('/device');
      const headers = cookiesOfHome(world, '/device');
      return { path: '/device', parameters: { xsrf, user_code: 'BCDF-GHJK' }, headers };
    },
  },
  ...(['GET /device', 'POST /device'] as const).map((route): Question => ({
    ...{ route, parameter: 'Cookie', kind: 'session', how: 'its id with a signature of nobody' },
    request: (_world, id) => ({
      ...{ path: '/device', parameters: { xsrf: 'x'.repeat(43), user_code: 'BCDF-GHJK' } },
      headers: { ...asPage, Cookie: forgedCookies(id, 'sid') },
    }),
  })),
];
