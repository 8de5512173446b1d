import { browser } from '../support/browser.js';
import { ada, ciKey, projectsApi, redirectUri, webSecret } from '../support/contract-seed.js';
import { connect, deviceGrant, startDevice, typeCode } from '../support/device.js';
import type { RunningApp } from '../support/start-app.js';
import { consultant, thirdPartySecret, tokenExchange } from '../support/two-tenants.js';
import {
  asOpenPage,
  authorizeUrl,
  basic,
  codeOf,
  openSignIn,
  redeem,
  tokensOf,
  verifier,
  type OpenPage,
  type TokenSet,
} from './requests.js';

/**
 * One endpoint or page and a request to it that is right in all. A path that takes several kinds of request has a row
 * for each.
 */
export interface Endpoint {
  method: 'GET' | 'POST';
  /** As routed: a part that starts with a colon varies. */
  path: string;
  /** Who asks decides in what form a program is told an error: OAuth or problem (a browser is always shown a page). */
  kind: 'protocol' | 'page' | 'document' | 'other';
  /** A new one each time, since a code or a form may be of use once. */
  request(stage: Stage): EndpointRequest | Promise<EndpointRequest>;
}

export interface EndpointRequest {
  path: string;
  /** In the query of a GET, in the form of a POST. */
  parameters: Record<string, string>;
  headers: Record<string, string>;
}

/** A running app, seeded with `seedWithTwoTenants`, and what Ada was given by it. */
export interface Stage {
  running: RunningApp;
  issuer: string;
  tokens: TokenSet;
}

export async function openStage(running: RunningApp): Promise<Stage> {
  const tokens = await tokensOf(running.issuer, { scope: 'openid offline_access' });
  return { running, issuer: running.issuer, tokens };
}

const switcher = ['switcher', thirdPartySecret] as const;

type Members = Record<string, string>;

function row(
  [method, path, kind]: [Endpoint['method'], string, Endpoint['kind']],
  parameters: (stage: Stage) => Members | Promise<Members> = () => ({}),
  headers: (stage: Stage) => Members = () => ({}),
): Endpoint {
  const request = async (stage: Stage): Promise<EndpointRequest> => ({
    path,
    parameters: await parameters(stage),
    headers: headers(stage),
  });
  return { method, path, kind, request };
}

/** A row of a sign-in: its path and its cookie are those of a page that is opened for it. */
function interactionRow(
  [method, path]: [Endpoint['method'], string],
  open: (issuer: string) => Promise<OpenPage>,
  members?: Members,
): Endpoint {
  async function request({ issuer }: Stage): Promise<EndpointRequest> {
    const { visitor, uid, csrf } = await open(issuer);
    const real = path.replace(':uid', uid);
    const headers = { Cookie: visitor.cookieHeader(real) };
    return { path: real, parameters: members ? { csrf, ...members } : {}, headers };
  }
  return { method, path, kind: 'page', request };
}

const asWeb = (): Members => ({ Authorization: basic('web', webSecret) });

function authorization({ issuer }: Stage): Members {
  return {
    ...Object.fromEntries(new URL(authorizeUrl(issuer)).searchParams),
    ...{ nonce: 'a-nonce', prompt: 'login', max_age: '600', tenant: 'acme', resource: projectsApi },
    ...{ login_hint: ada.email, ui_locales: 'en', acr_values: 'aal1', response_mode: 'query' },
  };
}

function signOut({ tokens }: Stage): Members {
  return {
    ...{ id_token_hint: tokens.id_token, client_id: 'web', state: 'the-state', ui_locales: 'en' },
    ...{ logout_hint: ada.email, post_logout_redirect_uri: 'http://localhost:3001/' },
  };
}

async function afterLogin(open: OpenPage, { email, password } = ada): Promise<OpenPage> {
  return asOpenPage(open.visitor, await open.visitor.submit(open.page, { login: email, password }));
}

const login = (issuer: string): Promise<OpenPage> => openSignIn(issuer);
const picker = async (issuer: string): Promise<OpenPage> => afterLogin(await openSignIn(issuer), consultant);
const consent = async (issuer: string): Promise<OpenPage> =>
  afterLogin(await openSignIn(issuer, { client_id: 'third-party', tenant: 'acme', prompt: 'consent' }));

async function signOutForm({ issuer }: Stage): Promise<EndpointRequest> {
  const { visitor, page } = await openSignIn(issuer);
  await visitor.submit(page, { login: ada.email, password: ada.password });
  const question = await visitor.get('/oauth2/logout');
  const xsrf = /name="xsrf" value="([^"]+)"/.exec(question.html)?.[1] ?? '';
  const path = '/oauth2/logout/confirm';
  return { path, parameters: { xsrf, logout: 'yes' }, headers: { Cookie: visitor.cookieHeader(path) } };
}

async function deviceForm({ issuer }: Stage): Promise<EndpointRequest> {
  const { response } = await startDevice(issuer);
  const visitor = browser(issuer);
  const { html } = await visitor.get('/device');
  const xsrf = /name="xsrf" value="([^"]+)"/.exec(html)?.[1] ?? '';
  const headers = { Cookie: visitor.cookieHeader('/device') };
  return { path: '/device', parameters: { xsrf, user_code: response.user_code }, headers };
}

async function deviceLogin(issuer: string): Promise<OpenPage> {
  const visitor = browser(issuer);
  const confirm = await typeCode(visitor, (await startDevice(issuer)).response.user_code);
  return asOpenPage(visitor, await visitor.submit(confirm, { confirm: 'yes' }));
}

async function refreshTokenOf(issuer: string, client: readonly [string, string]): Promise<string> {
  const { json } = await redeem(
    issuer,
    await codeOf(issuer, { client_id: client[0], scope: 'openid projects:read' }),
    {},
    client,
  );
  return String(json['refresh_token']);
}

async function connectedDevice(issuer: string): Promise<string> {
  const device = await startDevice(issuer);
  await connect(issuer, device);
  return device.response.device_code;
}

/** Where the app serves its stylesheet: under a name made of its content. */
export const stylePath = ({ app }: RunningApp): string =>
  app.routes.find(({ path }) => path.startsWith('/assets/'))?.path ?? '';

/** Every endpoint and page: `hostile/endpoints.test.ts` fails when a route has no row here. */
export const endpoints: readonly Endpoint[] = [
  row(['GET', '/.well-known/openid-configuration', 'document']),
  row(['GET', '/.well-known/oauth-authorization-server', 'document']),
  row(['GET', '/oauth2/jwks', 'document']),

  row(['GET', '/oauth2/authorize', 'page'], authorization),
  row(['POST', '/oauth2/authorize', 'page'], authorization),
  interactionRow(['GET', '/oauth2/authorize/:uid'], login),
  row(['GET', '/oauth2/logout', 'page'], signOut),
  row(['POST', '/oauth2/logout', 'page'], signOut),
  { method: 'POST', path: '/oauth2/logout/confirm', kind: 'page', request: signOutForm },
  row(['GET', '/oauth2/logout/success', 'page'], () => ({ client_id: 'web' })),

  row(
    ['POST', '/oauth2/token', 'protocol'],
    async ({ issuer }) => ({
      ...{ grant_type: 'authorization_code', code: await codeOf(issuer), redirect_uri: redirectUri },
      ...{ code_verifier: verifier, client_id: 'web' },
    }),
    asWeb,
  ),
  row(
    ['POST', '/oauth2/token', 'protocol'],
    async ({ issuer }) => ({
      ...{ grant_type: 'refresh_token', refresh_token: (await tokensOf(issuer)).refresh_token },
      ...{ scope: 'openid', resource: projectsApi },
    }),
    asWeb,
  ),
  row(['POST', '/oauth2/token', 'protocol'], () => ({
    ...{ grant_type: 'client_credentials', scope: 'projects:read', resource: projectsApi },
    ...{ client_id: 'acme-ci', client_secret: ciKey },
  })),
  row(['POST', '/oauth2/token', 'protocol'], async ({ issuer }) => ({
    ...{ grant_type: deviceGrant, device_code: await connectedDevice(issuer), client_id: 'television' },
  })),
  row(
    ['POST', '/oauth2/token', 'protocol'],
    async ({ issuer }) => ({
      ...{ grant_type: tokenExchange, subject_token: await refreshTokenOf(issuer, switcher), tenant: 'acme' },
      subject_token_type: 'urn:ietf:params:oauth:token-type:refresh_token',
      requested_token_type: 'urn:ietf:params:oauth:token-type:refresh_token',
      ...{ scope: 'projects:read', resource: projectsApi, audience: projectsApi },
    }),
    () => ({ Authorization: basic(...switcher) }),
  ),
  row(['POST', '/oauth2/introspect', 'protocol'], ({ tokens }) => ({
    ...{ token: tokens.access_token, token_type_hint: 'access_token' },
    ...{ client_id: 'web', client_secret: webSecret },
  })),
  row(['POST', '/oauth2/revoke', 'protocol'], async ({ issuer }) => ({
    ...{ token: (await tokensOf(issuer)).refresh_token, token_type_hint: 'refresh_token' },
    ...{ client_id: 'web', client_secret: webSecret },
  })),
  row(['POST', '/oauth2/par', 'protocol'], authorization, asWeb),
  row(['GET', '/oauth2/userinfo', 'protocol'], undefined, ({ tokens }) => ({
    Authorization: `Bearer ${tokens.access_token}`,
  })),
  row(['POST', '/oauth2/userinfo', 'protocol'], ({ tokens }) => ({ access_token: tokens.access_token })),

  row(['POST', '/oauth2/device_authorization', 'protocol'], () => ({
    ...{ client_id: 'television', scope: 'openid projects:read', resource: projectsApi, tenant: 'acme' },
    ...{ nonce: 'a-nonce', max_age: '600', login_hint: ada.email, ui_locales: 'en', acr_values: 'aal1' },
  })),
  row(['GET', '/device', 'page'], () => ({ user_code: 'BCDF-GHJK' })),
  { method: 'POST', path: '/device', kind: 'page', request: deviceForm },
  interactionRow(['GET', '/device/:uid'], deviceLogin),

  row(['GET', '/', 'page']),
  interactionRow(['GET', '/sign-in/:uid'], login),
  interactionRow(['POST', '/sign-in/:uid/login'], login, { login: ada.email, password: ada.password }),
  interactionRow(['POST', '/sign-in/:uid/tenant'], picker, { tenant: 'acme' }),
  interactionRow(['POST', '/sign-in/:uid/consent'], consent, { decision: 'accept' }),
  interactionRow(['POST', '/sign-in/:uid/cancel'], login, { cancel: 'yes' }),

  {
    ...row(['GET', '/assets/:style', 'other']),
    request: ({ running }) => ({ path: stylePath(running), parameters: {}, headers: {} }),
  },
  row(['GET', '/favicon.ico', 'other']),
  row(['GET', '/health/live', 'other']),
  row(['GET', '/health/ready', 'other']),
];
