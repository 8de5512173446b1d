import { randomInt, randomUUID } from 'node:crypto';
import { browser } from '../support/browser.js';
import { projectsApi, redirectUri } from '../support/contract-seed.js';
import { connect, deviceGrant, typeCode, type WaitingDevice } from '../support/device.js';
import { asOpenPage, authorizeUrl, cookieOf, openSignIn, post, refreshing, type OpenPage } from '../http/requests.js';
import { opaqueApi, web } from './two-alike.js';
import { codeFor, ok, redeeming, tokensFor, visit, type World } from './world.js';

/** One thing of the foreign tenant, made for one question. */
export interface Thing {
  /** What names it, or is it. */
  value: string;
  /** Its owner uses it: it was there to be found, and the question has not ended it. Throws when that fails. */
  use(): Promise<unknown>;
}

type Maker = (world: World) => Thing | Promise<Thing>;

/** Every kind of thing that a request can name. */
export const things = {
  'tenant by slug': tenantBy('slug'),
  'tenant by id': tenantBy('tenantId'),
  client: named(({ foreign }) => foreign.app[0]),
  'public client': (world) => ({ value: world.foreign.tv, use: () => startDevice(world) }),
  'service account': (world) => ({ value: world.foreign.service[0], use: () => serviceToken(world, projectsApi) }),
  'API key': (world) => ({ value: world.foreign.service[1], use: () => serviceToken(world, projectsApi) }),
  'secret of a client': named(({ foreign }) => foreign.app[1]),
  person: named(({ foreign }) => foreign.person.email),
  session: named(({ foreign }) => cookieOf(foreign.visitor, 'sid').value),
  connection: async (world) => {
    const value = await connectionOf(world);
    return { value, use: () => goToProvider(world, value) };
  },
  'answer of a provider': async (world) => {
    const connection = await connectionOf(world);
    const { visitor, uid, state: value } = await goToProvider(world, connection);
    return {
      value,
      async use() {
        const answer = new URLSearchParams({ state: value, connection, error: 'access_denied' });
        const { status } = await visitor.request(`/sign-in/${uid}/connection?${answer.toString()}`);
        if (status !== 200) throw new Error(`the answer is of no use any more: ${status}`);
      },
    };
  },
  identity: async ({ running, foreign }) => {
    const records = running.database.collection<{ _id: string }>('identities');
    const { tenantId, userId } = foreign;
    const names = { _id: `ide_${randomUUID()}`, tenantId, userId, connectionId: 'con_none' };
    const record = { ...names, subjectHash: randomUUID(), sealed: 'nothing', linkedAt: new Date(), lastUsedAt: null };
    await records.insertOne(record);
    return {
      value: record._id,
      async use() {
        if (!(await records.findOne(record))) throw new Error('the identity is gone or changed');
        await records.deleteOne({ _id: record._id });
      },
    };
  },
  factor: async ({ running, foreign }) => {
    // an app of theirs that no sign-in knows of, since they go on with the password alone
    const records = running.database.collection<{ _id: string }>('factors');
    const value = `fac_${randomUUID()}`;
    const record = { _id: value, userId: foreign.userId, kind: 'totp', name: 'Theirs', createdAt: new Date() };
    await records.insertOne(record);
    return {
      value,
      async use() {
        if (!(await records.findOne(record))) throw new Error('the factor is gone or changed');
      },
    };
  },
  code: async (world) => {
    const value = await codeFor(world.issuer, world.foreign, { client_id: world.foreign.app[0] });
    return { value, use: () => ok(post(world.issuer, 'token', redeeming(value), world.foreign.app)) };
  },
  'refresh token': async (world) => {
    const tokens = await tokensFor(world.issuer, world.foreign, projectsApi);
    const use = (): Promise<unknown> => ok(post(world.issuer, 'token', refreshing(tokens), world.foreign.app));
    return { value: tokens.refresh_token, use };
  },
  'JWT access token': accessTokenFor(projectsApi),
  'opaque access token': accessTokenFor(opaqueApi),
  'JWT service token': serviceTokenFor(projectsApi),
  'opaque service token': serviceTokenFor(opaqueApi),
  'ID token': async (world) => {
    const { id_token: value } = await tokensFor(world.issuer, world.foreign, projectsApi);
    const members = { client_id: world.foreign.app[0], id_token_hint: value, prompt: 'none' };
    return { value, use: () => codeFor(world.issuer, world.foreign, members) };
  },
  'pushed request': async (world) => {
    const { issuer, foreign } = world;
    const request = Object.fromEntries(new URL(authorizeUrl(issuer, { client_id: foreign.app[0] })).searchParams);
    const { json } = await ok(post(issuer, 'par', request, foreign.app));
    const value = String(json['request_uri']);
    const query = new URLSearchParams({ client_id: foreign.app[0], request_uri: value });
    return {
      value,
      async use() {
        const { location } = await visit(world, 'foreign', `/oauth2/authorize?${query.toString()}`);
        if (!location?.startsWith(`${redirectUri}?code=`)) throw new Error(`no code: ${location}`);
      },
    };
  },
  'device code': async (world) => {
    const response = await startDevice(world);
    const { page } = await connect(world.issuer, { response }, world.foreign.person);
    if (page.status !== 200) throw new Error(`the device was not connected: ${page.html}`);
    const members = { grant_type: deviceGrant, device_code: response.device_code, client_id: world.foreign.tv };
    return { value: response.device_code, use: () => ok(post(world.issuer, 'token', members)) };
  },
  'user code': async (world) => {
    const { user_code: value } = await startDevice(world);
    return { value, use: async () => typeCode(browser(world.issuer), value) };
  },
  'open sign-in': signInOpenedBy(({ issuer, foreign }) => openSignIn(issuer, { client_id: foreign.app[0] })),
  'open sign-in of a device': signInOpenedBy(({ issuer, foreign }) => signInOfDevice(issuer, foreign.tv)),
  'token of a form': async ({ issuer, foreign }) => {
    const { csrf, page } = await openSignIn(issuer, { client_id: foreign.app[0] });
    return { value: csrf, use: async () => page };
  },
  'token of a form of the protocol': async ({ foreign }) => {
    const { html } = await foreign.visitor.get('/oauth2/logout');
    return { value: xsrfOf(html), use: async () => foreign.visitor.get('/oauth2/logout') };
  },
} satisfies Record<string, Maker>;

export type Kind = keyof typeof things;

export function xsrfOf(html: string): string {
  return /name="xsrf" value="([^"]+)"/.exec(html)?.[1] ?? '';
}

async function connectionOf({ running, foreign: { tenantId } }: World): Promise<string> {
  return (await running.database.collection<{ _id: string }>('connections').findOne({ tenantId }))?._id ?? '';
}

/** The foreign person on the way to the provider of their tenant. */
async function goToProvider({ issuer, foreign }: World, connection: string): Promise<OpenPage & { state: string }> {
  const open = await openSignIn(issuer, { client_id: foreign.app[0] });
  const { headers } = await open.visitor.submit(open.page, { connection });
  const state = new URL(headers.get('location') ?? '').searchParams.get('state') ?? '';
  return { ...open, state };
}

const alphabets = ['abcdefghijklmnopqrstuvwxyz', 'BCDFGHJKLMNPQRSTVWXZ', '0123456789'];
const prefix = /^(?:ten_|fac_|con_|ide_|sk_|urn:ietf:params:oauth:request_uri:|ey[\w-]*\.[\w-]*\.)/;

/** A text of the same form and length that names nothing. */
export function alike(value: string): string {
  const start = prefix.exec(value)?.[0] ?? '';
  const rest = value.slice(start.length);
  const among = (letters: string): string => letters[randomInt(letters.length)] ?? '';
  const isHex = /^[0-9a-f]+$/.test(rest);
  const other = rest.replace(/[a-z]|[A-Z]|\d/g, (character) => {
    const kind = /[a-z]/.test(character) ? 0 : /[A-Z]/.test(character) ? 1 : 2;
    return isHex ? among('0123456789abcdef') : among(alphabets[kind] ?? '');
  });
  return start + other;
}

/** Names of what lasts; its people are still served. */
function named(valueOf: (world: World) => string): Maker {
  return (world) => ({
    value: valueOf(world),
    use: () => codeFor(world.issuer, world.foreign, { client_id: world.foreign.app[0], prompt: 'none' }),
  });
}

function tenantBy(name: 'slug' | 'tenantId'): Maker {
  return (world) => {
    const value = world.foreign[name];
    const members = { client_id: web[0], tenant: value, prompt: 'none' };
    return { value, use: () => codeFor(world.issuer, world.foreign, members) };
  };
}

function accessTokenFor(resource: string): Maker {
  return async (world) => {
    const { access_token: value } = await tokensFor(world.issuer, world.foreign, resource);
    return { value, use: () => requireActive(world, value, world.foreign.app) };
  };
}

function serviceTokenFor(resource: string): Maker {
  return async (world) => {
    const value = await serviceToken(world, resource);
    return { value, use: () => requireActive(world, value, world.foreign.service) };
  };
}

async function serviceToken({ issuer, foreign }: World, resource: string): Promise<string> {
  const members = { grant_type: 'client_credentials', resource, scope: 'projects:read' };
  return String((await ok(post(issuer, 'token', members, foreign.service))).json['access_token']);
}

async function requireActive({ issuer }: World, token: string, client: readonly [string, string]): Promise<void> {
  const { json } = await ok(post(issuer, 'introspect', { token }, client));
  if (json['active'] !== true) throw new Error('the token is not active any more');
}

/** Ends at the login page. */
export async function signInOfDevice(issuer: string, clientId: string): Promise<OpenPage> {
  const visitor = browser(issuer);
  const confirm = await typeCode(visitor, (await requestCodes(issuer, clientId)).user_code);
  return asOpenPage(visitor, await visitor.submit(confirm, { confirm: 'yes' }));
}

function startDevice({ issuer, foreign }: World): Promise<WaitingDevice['response']> {
  return requestCodes(issuer, foreign.tv);
}

async function requestCodes(issuer: string, client_id: string): Promise<WaitingDevice['response']> {
  const members = { client_id, scope: 'openid projects:read', resource: projectsApi };
  return (await ok(post(issuer, 'device_authorization', members))).json as unknown as WaitingDevice['response'];
}

function signInOpenedBy(open: (world: World) => Promise<OpenPage>): Maker {
  return async (world) => {
    const { visitor, uid } = await open(world);
    return {
      value: uid,
      async use() {
        const { status } = await visitor.request(`/sign-in/${uid}`);
        if (status !== 200) throw new Error(`the sign-in is over: ${status}`);
      },
    };
  };
}
