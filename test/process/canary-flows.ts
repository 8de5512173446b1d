import { exportJWK, SignJWT } from 'jose';
import { randomBytes, randomUUID } from 'node:crypto';
import type { SeedInput } from '../../src/seeding/index.js';
import { authorizeUrl, basic, post, redeem, refreshing, send, submitByHand, asOpenPage } from '../http/requests.js';
import { browser, type Browser, type Page } from '../support/browser.js';
import type { Canary } from '../support/canaries.js';
import { assertedBy, clientAssertion, newClientKey, type ClientKey } from '../support/client-keys.js';
import { projectsApi, redirectUri } from '../support/contract-seed.js';
import { deviceGrant, typeCode } from '../support/device.js';
import { newKeyPair } from '../support/key-pair.js';

const random = (): string => randomBytes(12).toString('hex');

/** Everything secret or personal that the flows put into a server, made new for each run. */
export interface Planted {
  seed: SeedInput;
  key: ClientKey;
  admin: { email: string; password: string };
  person: { email: string; password: string };
  secrets: { web: string; third: string; post: string; apiKey: string };
  canaries: Canary[];
}

const pages = /^(GET|POST) \/(sign-in\/[\w-]+(\/\w+)?|device|oauth2\/logout) body$/;
const personShown = new RegExp(`${pages.source}|^POST /oauth2/token body$|^(GET|POST) /oauth2/userinfo body$`);

export async function plant(): Promise<Planted> {
  const person = { email: `ada.${random()}@canary.example`, password: `pass phrase ${random()}` };
  const admin = { email: `admin.${random()}@canary.example`, password: `admin phrase ${random()}` };
  const names = { name: `Ada ${random()}`, givenName: `Given ${random()}`, familyName: `Family ${random()}` };
  const secrets = {
    web: random() + random(),
    third: random() + random(),
    post: random() + random(),
    apiKey: `sk_${random()}${random()}`,
  };
  const key = await newClientKey('ES256');
  const application = {
    redirect_uris: [redirectUri],
    post_logout_redirect_uris: ['http://localhost:3001/'],
    grant_types: ['authorization_code' as const, 'refresh_token' as const],
  };
  const seed: SeedInput = {
    resources: [
      { identifier: projectsApi, name: 'Projects API', permissions: ['projects:read'], introspectedBy: ['web'] },
    ],
    tenants: [
      {
        ...{ slug: 'acme', name: 'Acme Inc', type: 'enterprise' },
        serviceAccounts: [
          { clientId: 'acme-ci', name: 'CI', roles: ['viewer'], keys: [{ label: 'first', secret: secrets.apiKey }] },
          { clientId: 'signed-ci', name: 'CI', roles: ['viewer'], jwks: { keys: [key.jwk as never] } },
        ],
      },
      { slug: 'globex', name: 'Globex', type: 'team' },
    ],
    users: [
      {
        ...{ ...person, ...names, emailVerified: true },
        memberships: [
          { tenant: 'acme', roles: ['owner'] },
          { tenant: 'globex', roles: ['member'] },
        ],
      },
    ],
    clients: [
      { ...application, client_id: 'web', client_secret: secrets.web, firstParty: true, resources: [projectsApi] },
      { ...application, client_id: 'opaque', client_secret: secrets.third, client_name: 'Third Party' },
      {
        ...{ client_id: 'kiosk', client_secret: secrets.post, token_endpoint_auth_method: 'client_secret_post' },
        ...{ grant_types: [deviceGrant, 'refresh_token'], response_types: [], firstParty: true },
      },
    ],
  };
  const never = { ...secrets, password: person.password, adminPassword: admin.password };
  return {
    ...{ seed, key, admin, person, secrets },
    canaries: [
      ...Object.entries(never).map(([name, value]) => ({ name, value })),
      // told to the operator, with the other words of the first start
      { name: 'address of the administrator', value: admin.email, allowed: /^output of the first start$/ },
      { name: 'e-mail address', value: person.email, allowed: personShown },
      ...Object.entries(names).map(([name, value]) => ({ name, value, allowed: personShown })),
    ],
  };
}

/** Uses the whole protocol once, rightly and wrongly; answers with the canaries that came up on the way. */
export async function runFlows(issuer: string, planted: Planted): Promise<Canary[]> {
  const canaries: Canary[] = [];
  const found = (name: string, value: unknown, allowed?: RegExp): string => {
    if (typeof value !== 'string' || value.length < 8) throw new Error(`${name} is no canary: ${String(value)}`);
    canaries.push({ name, value, ...(allowed ? { allowed } : {}) });
    return value;
  };
  const visitor = browser(issuer);
  await signInOnce({ issuer, planted, visitor, found });
  await thirdParty({ issuer, planted, visitor, found });
  await pushed({ issuer, planted, visitor, found });
  await device({ issuer, planted, visitor, found });
  await machines({ issuer, planted, visitor, found });
  await mistakes({ issuer, planted, visitor, found });
  await signOut({ issuer, planted, visitor, found });
  return canaries;
}

interface Flow {
  issuer: string;
  planted: Planted;
  visitor: Browser;
  found(name: string, value: unknown, allowed?: RegExp): string;
}

const toApp = /^GET \/oauth2\/authorize(\/[\w-]+)? (location|redirect)$/;
const byToken = /^POST \/oauth2\/token body$/;

function parameters({ found, planted }: Flow, flow: string): Record<string, string> {
  return {
    state: found(`state of ${flow}`, `state-${random()}`, toApp),
    nonce: found(`nonce of ${flow}`, `nonce-${random()}`, byToken),
    login_hint: planted.person.email,
  };
}

function codeIn({ url }: Page): string {
  const code = new URL(url).searchParams.get('code');
  if (code === null) throw new Error(`no code in ${url}`);
  return code;
}

function tokensIn({ found }: Flow, flow: string, json: Record<string, unknown>): Record<string, string> {
  for (const name of ['access_token', 'refresh_token', 'id_token']) {
    if (json[name] !== undefined) found(`${name} of ${flow}`, json[name], byToken);
  }
  return json as Record<string, string>;
}

/** With a wrong password first; JWT access token, refresh, reuse, userinfo, introspection, revocation. */
async function signInOnce(flow: Flow): Promise<void> {
  const { issuer, planted, visitor, found } = flow;
  const { person, secrets } = planted;
  const web = ['web', secrets.web] as const;
  const scope = 'openid profile email tenant projects:read';
  const login = await visitor.get(authorizeUrl(issuer, { scope, tenant: 'acme', ...parameters(flow, 'sign-in') }));
  const wrong = found('mistyped password', `mistyped ${random()}`);
  const again = await visitor.submit(login, { login: person.email, password: wrong });
  const code = found(
    'code',
    codeIn(await visitor.submit(again, { login: person.email, password: person.password })),
    toApp,
  );
  const first = tokensIn(flow, 'sign-in', (await redeem(issuer, code, {}, web)).json);
  await send(`${issuer}/oauth2/userinfo`, { headers: { Authorization: `Bearer ${first['access_token']}` } });
  await post(issuer, 'introspect', { token: first['access_token'] ?? '' }, web);
  await post(issuer, 'introspect', { token: first['refresh_token'] ?? '' }, web);
  const renewed = await post(issuer, 'token', refreshing(first as never), web);
  const second = tokensIn(flow, 'refresh', renewed.json);
  await post(issuer, 'token', refreshing(first as never), web);
  await post(issuer, 'introspect', { token: second['access_token'] ?? '' }, web);
  await redeem(issuer, code, {}, web);
  await post(issuer, 'revoke', { token: second['refresh_token'] ?? '' }, web);
  found(
    'code that nobody redeems',
    codeIn(await visitor.get(authorizeUrl(issuer, { tenant: 'acme', prompt: 'none' }))),
    toApp,
  );
}

/** Tenant picker and consent page, opaque tokens, offline access. */
async function thirdParty(flow: Flow): Promise<void> {
  const { issuer, planted, visitor, found } = flow;
  const client = ['opaque', planted.secrets.third] as const;
  const changes = { client_id: 'opaque', scope: 'openid profile email offline_access', prompt: 'consent' };
  const picker = await visitor.get(authorizeUrl(issuer, { ...changes, ...parameters(flow, 'third party') }));
  const consent = await visitor.submit(picker, { tenant: 'acme' });
  const code = codeIn(await visitor.submit(consent, { decision: 'accept' }));
  found('code of third party', code, toApp);
  const tokens = tokensIn(flow, 'third party', (await redeem(issuer, code, {}, client)).json);
  await post(issuer, 'introspect', { token: tokens['access_token'] ?? '' }, client);
  await send(`${issuer}/oauth2/userinfo`, { headers: { Authorization: `Bearer ${tokens['access_token']}` } });
  const denied = await visitor.get(authorizeUrl(issuer, { ...changes, tenant: 'acme', ...parameters(flow, 'denial') }));
  await visitor.submit(denied, { decision: 'deny' });
}

async function pushed(flow: Flow): Promise<void> {
  const { issuer, planted, visitor, found } = flow;
  const web = ['web', planted.secrets.web] as const;
  for (const complete of [true, false]) {
    const url = authorizeUrl(issuer, { tenant: 'acme', ...parameters(flow, `pushed request ${complete}`) });
    const { json } = await post(issuer, 'par', Object.fromEntries(new URL(url).searchParams), web);
    const uri = String(json['request_uri']);
    found('request_uri', uri.split(':').at(-1), /^POST \/oauth2\/par body$/);
    if (!complete) continue;
    const query = new URLSearchParams({ client_id: 'web', request_uri: uri });
    found('code of pushed request', codeIn(await visitor.get(`${issuer}/oauth2/authorize?${query}`)), toApp);
    await visitor.get(`${issuer}/oauth2/authorize?${query}`);
  }
}

async function device(flow: Flow): Promise<void> {
  const { issuer, planted, visitor, found } = flow;
  const client = { client_id: 'kiosk', client_secret: planted.secrets.post };
  for (const connected of [true, false]) {
    const members = { ...client, scope: 'openid email', tenant: 'acme' };
    const { json } = await post(issuer, 'device_authorization', members);
    const issued = /^POST \/oauth2\/device_authorization body$/;
    const userCode = String(json['user_code']);
    found('user code', userCode, new RegExp(`${issued.source}|^(GET|POST) /device`));
    found('user code without hyphen', userCode.replace('-', ''), /^(GET|POST) \/device body$/);
    const deviceCode = found('device code', json['device_code'], issued);
    const poll = { ...client, grant_type: deviceGrant, device_code: deviceCode };
    if (connected) await visitor.submit(await typeCode(visitor, userCode), { confirm: 'yes' });
    const answer = await post(issuer, 'token', poll);
    if (connected) tokensIn(flow, 'device', answer.json);
    await post(issuer, 'token', poll);
  }
}

/** Service tokens: by API key with a DPoP proof, and by assertion; each proof of identity a second time too. */
async function machines({ issuer, planted, found, ...rest }: Flow): Promise<void> {
  const flow = { issuer, planted, found, ...rest };
  const service = { grant_type: 'client_credentials' };
  const { privateKey, publicKey } = await newKeyPair('ES256');
  const proof = await new SignJWT({
    jti: found('jti of proof', randomUUID()),
    htm: 'POST',
    htu: `${issuer}/oauth2/token`,
  })
    .setProtectedHeader({ alg: 'ES256', typ: 'dpop+jwt', jwk: await exportJWK(publicKey) })
    .setIssuedAt()
    .sign(privateKey);
  const claims = { jti: found('jti of assertion', randomUUID()) };
  const assertion = await clientAssertion({ clientId: 'signed-ci', audience: issuer, key: planted.key, claims });
  found('proof', proof);
  found('assertion', assertion);
  for (let use = 0; use < 2; use++) {
    const opaque = await send(`${issuer}/oauth2/token`, {
      method: 'POST',
      headers: { Authorization: basic('acme-ci', planted.secrets.apiKey), DPoP: proof },
      body: new URLSearchParams(service),
    });
    const signed = await post(issuer, 'token', { ...service, resource: projectsApi, ...assertedBy(assertion) });
    if (use > 0) continue;
    tokensIn(flow, 'service', opaque.json);
    tokensIn(flow, 'signed service', signed.json);
  }
}

/** What people and clients send to the wrong place, or wrong. */
async function mistakes(flow: Flow): Promise<void> {
  const { issuer, planted, visitor, found } = flow;
  const { person, secrets } = planted;
  const wrong = found('wrong secret', `wrong${random()}${random()}`);
  const token = found('token of nobody', randomBytes(32).toString('base64url'));
  await post(issuer, 'token', { grant_type: 'client_credentials' }, ['acme-ci', wrong]);
  await post(issuer, 'token', { grant_type: 'password', username: person.email, password: person.password });
  await post(issuer, 'token', { grant_type: 'authorization_code', code: token }, ['web', secrets.web]);
  await post(issuer, 'introspect', { token }, ['web', secrets.web]);
  await post(issuer, 'revoke', { token }, ['web', secrets.web]);
  await send(`${issuer}/oauth2/userinfo`, { headers: { Authorization: `Bearer ${token}` } });
  await send(`${issuer}/oauth2/token?client_id=web&client_secret=${secrets.web}`);
  await send(`${issuer}/oauth2/token`, { method: 'POST', body: JSON.stringify({ client_secret: secrets.web }) });
  for (const path of [token, encodeURIComponent(person.email), person.email, `sign-in/${token}`, `device/${token}`]) {
    await send(`${issuer}/${path}`, { headers: { Accept: 'text/html' } });
    await send(`${issuer}/${path}`, { method: 'POST', body: new URLSearchParams({ password: person.password }) });
  }
  const state = found('state of a refused request', `state-${random()}`);
  const refused = { state, login_hint: person.email };
  await visitor.get(authorizeUrl(issuer, { ...refused, redirect_uri: 'https://evil.example/' }));
  await visitor.get(authorizeUrl(issuer, { ...refused, client_id: 'nobody' }));
  const other = browser(issuer);
  const open = asOpenPage(other, await other.get(authorizeUrl(issuer, { login_hint: person.email })));
  found('csrf token', open.csrf, /^(GET|POST) \/sign-in\/[\w-]+(\/\w+)? body$/);
  await submitByHand(open, 'login', { login: person.email, password: person.password, extra: wrong });
  await submitByHand({ ...open, csrf: wrong }, 'login', { login: person.email, password: person.password });
}

async function signOut(flow: Flow): Promise<void> {
  const { issuer, visitor, found } = flow;
  const state = found(
    'state of sign-out',
    `state-${random()}`,
    /^(GET|POST) \/oauth2\/logout(\/\w+)? (location|redirect)$/,
  );
  const query = new URLSearchParams({ client_id: 'web', post_logout_redirect_uri: 'http://localhost:3001/', state });
  const confirm = await visitor.get(`${issuer}/oauth2/logout?${query}`);
  const xsrf = /name="xsrf" value="([^"]+)"/.exec(confirm.html)?.[1];
  found('xsrf token', xsrf, /^GET \/oauth2\/logout body$/);
  await visitor.submit(confirm, { logout: 'yes' });
}
