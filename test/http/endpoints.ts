import { randomUUID } from 'node:crypto';
import { systemAuthority } from '../../src/kernel/actor.js';
import { browser } from '../support/browser.js';
import { ada, ciKey, projectsApi, redirectUri, webSecret } from '../support/contract-seed.js';
import { connect, deviceGrant, startDevice, typeCode } from '../support/device.js';
import { changeLink, recoveryLink, signUpLink, undoLink, verifyLink, type LinkPath } from '../support/mail-links.js';
import type { RunningApp } from '../support/start-app.js';
import { consultant, thirdPartySecret, tokenExchange } from '../support/two-tenants.js';
import { connectionRows } from './connection-rows.js';
import { portalRows } from './portal-endpoints.js';
import { portalFactorRows } from './portal-factor-rows.js';
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
} from './requests.js';
import type { Endpoint, EndpointRequest, Stage } from './endpoint.js';
import { requiredActionRows } from './required-action-rows.js';
import { secondFactorRows } from './second-factor-rows.js';

export type { Endpoint, EndpointRequest, Stage } from './endpoint.js';

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

/** The link that somebody was sent who has no account, or one. */
async function newInvitation({ running }: Stage, password?: string): Promise<{ email: string; link: string }> {
  const { administration } = running.app;
  const by = systemAuthority('command');
  const email = `invited-${randomUUID()}@example.com`;
  if (password !== undefined) await administration.createUser(by, { email, emailVerified: true, password });
  await administration.createInvitation(by, (await administration.getTenant('acme')).id, { email, roles: ['editor'] });
  await running.deliverMail();
  const text = running.mailbox.find(({ to }) => to === email)?.text ?? '';
  return { email, link: /\/invitations\/[\w-]{43}/.exec(text)?.[0] ?? '' };
}

async function invitationLink(stage: Stage): Promise<EndpointRequest> {
  return { path: (await newInvitation(stage)).link, parameters: {}, headers: {} };
}

async function invitedForm(stage: Stage, step: 'sign-up' | 'invitation', members: Members): Promise<EndpointRequest> {
  const password = 'a password of the invited';
  const { email, link } = await newInvitation(stage, step === 'invitation' ? password : undefined);
  const opened = await openSignIn(stage.issuer, { invitation: link.split('/').at(-1) ?? '' });
  const { visitor, uid, csrf } = step === 'invitation' ? await afterLogin(opened, { email, password }) : opened;
  const path = `/sign-in/${uid}/${step}`;
  return { path, parameters: { csrf, ...members }, headers: { Cookie: visitor.cookieHeader(path) } };
}

/** A page with a form that asks for an address, as a browser has opened it. */
async function addressForm({ issuer }: Stage, path: '/recover' | '/sign-up'): Promise<EndpointRequest> {
  const visitor = browser(issuer);
  const csrf = csrfIn((await visitor.get(path)).html);
  return { path, parameters: { csrf, login: ada.email }, headers: { Cookie: visitor.cookieHeader(path) } };
}

const csrfIn = (html: string): string => /name="csrf" value="([^"]+)"/.exec(html)?.[1] ?? '';

/** A link of a mail to somebody new, in the browser that asked for it. */
async function openLink({ running, issuer }: Stage, kind: LinkPath, members?: Members): Promise<EndpointRequest> {
  const visitor = browser(issuer);
  const from = `${randomUUID()}@example.com`;
  const isProven = kind !== 'verify-email';
  if (kind !== 'sign-up')
    await running.app.administration.createUser(systemAuthority('command'), { email: from, emailVerified: isProven });
  const change = { from, to: `new-${from}` };
  const path = await {
    recover: () => recoveryLink(running, visitor, from),
    'sign-up': () => signUpLink(running, visitor, from),
    'verify-email': () => verifyLink(running, visitor, from),
    'change-email': () => changeLink(running, visitor, change),
    'undo-email-change': () => undoLink(running, visitor, change),
  }[kind]();
  const csrf = members ? { csrf: csrfIn((await visitor.get(path)).html) } : {};
  return { path, parameters: { ...csrf, ...members }, headers: { Cookie: visitor.cookieHeader(path) } };
}

const linkRows = (kind: LinkPath, members: Members): Endpoint[] => [
  ...(['GET', 'POST'] as const).map((method): Endpoint => {
    const request = (stage: Stage): Promise<EndpointRequest> =>
      openLink(stage, kind, method === 'POST' ? members : undefined);
    return { method, path: `/${kind}/:token`, kind: 'page', request };
  }),
  row(['GET', `/${kind}/done`, 'page']),
];

const newPassword = { password: 'nine lives of a black cat' };

/** Where the app serves its stylesheet: under a name made of its content. */
export const stylePath = ({ app }: RunningApp): string =>
  app.routes.find(({ path }) => path.startsWith('/assets/'))?.path ?? '';

/**
 * Every endpoint and page: `hostile/endpoints.test.ts` fails when a route has no row here. Operations of the management
 * API have their examples in `test/management/examples.ts`.
 */
export const endpoints: readonly Endpoint[] = [
  row(['GET', '/.well-known/openid-configuration', 'document']),
  row(['GET', '/.well-known/oauth-authorization-server', 'document']),
  row(['GET', '/oauth2/jwks', 'document']),
  row(['GET', '/api/openapi.json', 'document']),
  row(['GET', '/.well-known/oauth-protected-resource/api', 'document']),
  row(['GET', '/api/docs', 'page']),

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
  {
    ...{ method: 'POST', path: '/sign-in/:uid/sign-up', kind: 'page' },
    request: (stage) => invitedForm(stage, 'sign-up', { name: 'Somebody New', password: 'a password of somebody' }),
  },
  {
    ...{ method: 'POST', path: '/sign-in/:uid/invitation', kind: 'page' },
    request: (stage) => invitedForm(stage, 'invitation', { decision: 'accept' }),
  },
  interactionRow(['POST', '/sign-in/:uid/tenant'], picker, { tenant: 'acme' }),
  interactionRow(['POST', '/sign-in/:uid/consent'], consent, { decision: 'accept' }),
  interactionRow(['POST', '/sign-in/:uid/cancel'], login, { cancel: 'yes' }),
  ...secondFactorRows,
  ...connectionRows,
  ...requiredActionRows,

  interactionRow(['GET', '/sign-in/:uid/register'], login),
  interactionRow(['POST', '/sign-in/:uid/register'], login, { login: ada.email }),
  interactionRow(['GET', '/sign-in/:uid/return'], login),
  interactionRow(['GET', '/sign-in/:uid/recover'], login),

  row(['GET', '/.well-known/change-password', 'page']),
  ...(['/recover', '/sign-up'] as const).flatMap((path): Endpoint[] => [
    row(['GET', path, 'page']),
    { method: 'POST', path, kind: 'page', request: (stage) => addressForm(stage, path) },
  ]),
  ...linkRows('recover', newPassword),
  ...linkRows('sign-up', { name: 'Somebody New', ...newPassword }),
  ...linkRows('verify-email', { confirm: 'yes' }),
  ...linkRows('change-email', { confirm: 'yes' }),
  ...linkRows('undo-email-change', newPassword),

  ...portalRows,
  ...portalFactorRows,

  row(['GET', '/invitations/joined', 'page']),
  { method: 'GET', path: '/invitations/:token', kind: 'page', request: invitationLink },
  {
    ...row(['GET', '/assets/:style', 'other']),
    request: ({ running }) => ({ path: stylePath(running), parameters: {}, headers: {} }),
  },
  row(['GET', '/favicon.ico', 'other']),
  row(['GET', '/health/live', 'other']),
  row(['GET', '/health/ready', 'other']),
];
