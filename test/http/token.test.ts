import { expect } from 'chai';
import { decodeJwt } from 'jose';
import { ada, ciKey, contractSeed, projectsApi, redirectUri, webSecret } from '../support/contract-seed.js';
import { closeApps, startApp, type RunningApp } from '../support/start-app.js';
import { seedWithTwoTenants } from '../support/two-tenants.js';
import { dropCaches } from '../support/drop-caches.js';
import {
  basic,
  codeOf,
  expectOAuthError,
  post,
  refreshing,
  send,
  verifier,
  type Answer,
  type Members,
} from './requests.js';

const web = ['web', webSecret] as const;
const ci = ['acme-ci', ciKey] as const;
const service = { grant_type: 'client_credentials' };

describe('the authentication of a client', () => {
  let running: RunningApp;
  let issuer: string;
  beforeEach(async () => {
    running = await startApp({ seed: seedWithTwoTenants });
    issuer = running.issuer;
  });
  afterEach(closeApps);

  it('a wrong secret, an unknown client and a missing secret get the same 401', async () => {
    const answers: string[] = [];
    for (const credentials of [
      ['acme-ci', 'sk_wrong-wrong-wrong-wrong-wrong-wrong'],
      ['acme-ci', `${ciKey}x`],
      ['acme-ci', ciKey.slice(0, -1)],
      ['acme-ci', ciKey.toUpperCase()],
      ['acme-ci', 'stored-hashed'],
      ['acme-ci', webSecret],
      ['nobody', ciKey],
      ['ACME-CI', ciKey],
      ['__proto__', ciKey],
      ['$ne', ciKey],
    ] as const) {
      const answer = await post(issuer, 'token', service, credentials);
      expectOAuthError(answer, 401, 'invalid_client', credentials.join(' '));
      expect(answer.headers.get('www-authenticate'), credentials[0]).to.match(/^Basic /);
      answers.push(answer.text);
    }
    for (const client_id of ['acme-ci', 'nobody']) {
      const answer = await post(issuer, 'token', { ...service, client_id });
      expectOAuthError(answer, 401, 'invalid_client', client_id);
      answers.push(answer.text);
    }
    expect(new Set(answers).size).to.equal(1);
  });

  it('a confidential client cannot pass as one without a secret', async () => {
    const code = await codeOf(issuer);
    const answer = await post(issuer, 'token', {
      ...{ grant_type: 'authorization_code', code, redirect_uri: redirectUri, client_id: 'web' },
    });
    expectOAuthError(answer, 401, 'invalid_client');
  });

  it('two mechanisms at once are refused', async () => {
    const inBody = { ...service, client_id: 'acme-ci', client_secret: ciKey };
    expectOAuthError(await post(issuer, 'token', inBody, ci), 400, 'invalid_request');
  });

  it('another client id in the body than in the header is refused', async () => {
    const answer = await post(issuer, 'token', { ...service, client_id: 'web' }, ci);
    expectOAuthError(answer, 400, 'invalid_request');
  });

  it('a malformed Authorization header is refused, whatever it holds', async () => {
    const encoded = (text: string): string => `Basic ${Buffer.from(text).toString('base64')}`;
    for (const Authorization of [
      'Basic',
      'Basic ',
      'Basic !!!',
      encoded('acme-ci'),
      encoded(`acme-ci:${ciKey}%`),
      encoded(''),
      'Bearer abc',
      'Negotiate abc',
      `Basic ${ciKey} ${ciKey}`,
    ]) {
      const answer = await send(`${issuer}/oauth2/token`, {
        method: 'POST',
        headers: { Authorization },
        body: new URLSearchParams(service),
      });
      expect(answer.status, Authorization).to.equal(400);
      expect(answer.json['error'], Authorization).to.equal('invalid_request');
    }
  });

  it('an expired API key is refused, and a live one beside it is not', async () => {
    const secret = (name: string): string => `sk_${name}-at-least-32-characters-long`;
    await running.app.seeding.applySeed({
      tenants: [
        {
          ...{ slug: 'acme', name: 'Acme Inc', type: 'enterprise' },
          roles: [{ key: 'editor', permissions: ['projects:read', 'projects:write'] }],
          serviceAccounts: [
            {
              ...{ clientId: 'acme-ci', name: 'CI', roles: ['editor'] },
              keys: [
                { label: 'old', secret: secret('expired'), expiresAt: '2020-01-01T00:00:00Z' },
                { label: 'lasting', secret: secret('lasting'), expiresAt: '2099-01-01T00:00:00Z' },
              ],
            },
          ],
        },
      ],
    });
    expectOAuthError(await post(issuer, 'token', service, ['acme-ci', secret('expired')]), 401, 'invalid_client');
    expect((await post(issuer, 'token', service, ['acme-ci', secret('lasting')])).status).to.equal(200);
    expect((await post(issuer, 'token', service, ci)).status).to.equal(200);
  });

  it('sec-071 a service account that was disabled, or whose tenant was suspended, gets nothing', async () => {
    const accounts = running.database.collection('service_accounts');
    await accounts.updateOne({ clientId: 'acme-ci' }, { $set: { status: 'disabled' } });
    await dropCaches(running);
    expectOAuthError(await post(issuer, 'token', service, ci), 401, 'invalid_client');
    await accounts.updateOne({ clientId: 'acme-ci' }, { $set: { status: 'active' } });
    await running.database.collection('tenants').updateOne({ slugs: 'acme' }, { $set: { status: 'suspended' } });
    await dropCaches(running);
    const answer = await post(issuer, 'token', { ...service, resource: projectsApi }, ci);
    expect(answer.json).to.include({ error: 'invalid_client' }).and.not.to.have.property('access_token');
  });
});

describe('the form of a token request', () => {
  let issuer: string;
  beforeEach(async () => {
    issuer = (await startApp({ seed: seedWithTwoTenants })).issuer;
  });
  afterEach(closeApps);

  it('other grant types than those of the client are refused', async () => {
    for (const grant_type of [
      'password',
      'implicit',
      'urn:ietf:params:oauth:grant-type:jwt-bearer',
      'urn:openid:params:grant-type:ciba',
      'junk',
      '__proto__',
      'CLIENT_CREDENTIALS',
      'client_credentials ',
    ]) {
      const answer = await post(issuer, 'token', { grant_type, username: ada.email, password: ada.password }, web);
      expectOAuthError(answer, 400, 'unsupported_grant_type', grant_type);
    }
    // known to the server, and off for a client that does not name it
    const device = { grant_type: 'urn:ietf:params:oauth:grant-type:device_code', device_code: 'any' };
    expectOAuthError(await post(issuer, 'token', device, web), 400, 'invalid_request');
    const exchange = { grant_type: 'urn:ietf:params:oauth:grant-type:token-exchange', subject_token: 'any' };
    expectOAuthError(await post(issuer, 'token', exchange, web), 400, 'invalid_request');
    expectOAuthError(await post(issuer, 'token', {}, ci), 400, 'invalid_request');
    expectOAuthError(await post(issuer, 'token', { grant_type: '' }, ci), 400, 'invalid_request');
  });

  it('only a urlencoded body of at most 56 KiB is read', async () => {
    const headers = { Authorization: basic(...ci) };
    const right = new URLSearchParams(service).toString();
    for (const [status, type, body] of [
      [400, 'application/json', JSON.stringify(service)],
      [400, 'text/plain', right],
      [400, 'multipart/form-data; boundary=x', '--x--'],
      [413, 'application/x-www-form-urlencoded', `${right}&x=${'x'.repeat(57_344)}`],
      [415, 'application/x-www-form-urlencoded; charset=utf-16', right],
    ] as const) {
      for (const endpoint of ['token', 'introspect', 'revoke', 'par'] as const) {
        const answer = await send(`${issuer}/oauth2/${endpoint}`, {
          method: 'POST',
          headers: { ...headers, 'Content-Type': type },
          body,
        });
        expectOAuthError(answer, status, 'invalid_request', `${endpoint} ${type}`);
      }
    }
  });

  it('no parameter that is read is there twice', async () => {
    for (const name of ['grant_type', 'scope', 'client_id']) {
      const members: Members = [...Object.entries(service), [name, 'first'], [name, 'second']];
      expectOAuthError(await post(issuer, 'token', members, ci), 400, 'invalid_request', name);
    }
    const forCode = { grant_type: 'authorization_code', code: 'x', redirect_uri: redirectUri, code_verifier: verifier };
    for (const [name, value] of Object.entries(forCode)) {
      const members: Members = [...Object.entries(forCode), [name, value]];
      expectOAuthError(await post(issuer, 'token', members, web), 400, 'invalid_request', name);
    }
    const members: Members = [...Object.entries(refreshing({ refresh_token: 'x' })), ['refresh_token', 'x']];
    expectOAuthError(await post(issuer, 'token', members, web), 400, 'invalid_request');
  });

  it('parameters in the query are not read', async () => {
    const answer = await send(`${issuer}/oauth2/token?${new URLSearchParams(service).toString()}`, {
      method: 'POST',
      headers: { Authorization: basic(...ci) },
      body: new URLSearchParams({}),
    });
    expectOAuthError(answer, 400, 'invalid_request');
    const secretInQuery = await send(`${issuer}/oauth2/token?client_id=acme-ci&client_secret=${ciKey}`, {
      method: 'POST',
      body: new URLSearchParams(service),
    });
    expectOAuthError(secretInQuery, 400, 'invalid_request');
  });
});

describe('what a service account may ask for', () => {
  let running: RunningApp;
  let issuer: string;
  beforeEach(async () => {
    running = await startApp();
    issuer = running.issuer;
  });
  afterEach(closeApps);
  const ask = (members: Record<string, string>): Promise<Answer> =>
    post(issuer, 'token', { ...service, ...members }, ci);

  it('sec-064 a resource that is not registered is refused', async () => {
    for (const resource of [
      'https://api.example.com/unknown',
      `${projectsApi}/`,
      `${projectsApi}?x=1`,
      projectsApi.toUpperCase(),
      projectsApi.replace('https', 'http'),
      `${projectsApi}#x`,
      'projects',
      issuer,
      '__proto__',
    ]) {
      expectOAuthError(await ask({ resource }), 400, 'invalid_target', resource);
    }
    const twice = await post(
      issuer,
      'token',
      [...Object.entries(service), ['resource', projectsApi], ['resource', `${projectsApi}/`]],
      ci,
    );
    expectOAuthError(twice, 400, 'invalid_target');
  });

  it('a scope that its roles do not allow is refused', async () => {
    for (const scope of ['projects:delete', 'platform:tenants:write', 'members:read', '*:*', 'offline_access']) {
      expectOAuthError(await ask({ resource: projectsApi, scope }), 400, 'invalid_scope', scope);
    }
    for (const scope of ['projects:read  projects:write', ' projects:read', 'projects:read"', 'projects:read\tx']) {
      expectOAuthError(await ask({ resource: projectsApi, scope }), 400, 'invalid_scope', JSON.stringify(scope));
    }
  });

  it('of several scopes it gets those that its roles allow, and is told which', async () => {
    const answer = await ask({ resource: projectsApi, scope: 'projects:read projects:delete' });
    expect(answer.json['scope']).to.equal('projects:read');
    expect(decodeJwt(String(answer.json['access_token']))).to.include({ scope: 'projects:read', aud: projectsApi });
  });

  it('sec-067 no parameter of the request becomes a claim', async () => {
    const members = { resource: projectsApi, scope: 'projects:read' };
    const forged = {
      sub: 'usr_ada',
      tenant_id: 'ten_x',
      roles: 'owner',
      aud: 'https://evil.example',
      key_id: 'x',
      iss: 'x',
      gid: 'x',
    };
    const { iat, exp, jti, ...claims } = decodeJwt(String((await ask({ ...members, ...forged })).json['access_token']));
    expect(Number(exp) - Number(iat)).to.equal(600);
    expect(jti)
      .to.be.a('string')
      .and.match(/^[\w-]{20,}$/);
    const tenant = await running.database.collection('tenants').findOne({ slugs: 'acme' });
    const account = await running.database
      .collection<{ _id: string }>('service_accounts')
      .findOne({ clientId: 'acme-ci' });
    const key = await running.database.collection('api_keys').findOne({ serviceAccountId: account?._id });
    expect(claims).to.deep.equal({
      key_id: key?._id, // the token ends with the key by which it was got
      ...{ iss: issuer, sub: 'acme-ci', aud: projectsApi, client_id: 'acme-ci', scope: 'projects:read' },
      ...{ tenant_id: tenant?._id, tenant_slug: 'acme', tenant_type: 'enterprise', roles: ['editor'] },
      entitlements: claims['entitlements'],
    });
  });

  it('it never gets a refresh token or an ID token', async () => {
    for (const scope of ['openid', 'openid offline_access']) {
      const { json } = await ask({ scope });
      expect(json, scope).not.to.have.any.keys('refresh_token', 'id_token');
    }
  });

  it('sec-072 a role that lost a permission gives a narrower token at once', async () => {
    const { tenants = [], ...others } = contractSeed;
    const narrower = tenants.map((tenant) => ({
      ...tenant,
      roles: [{ key: 'editor', permissions: ['projects:read'] }],
    }));
    expect((await ask({ resource: projectsApi })).json['scope']).to.equal('projects:read projects:write');
    await running.app.seeding.applySeed({ ...others, tenants: narrower });
    expect((await ask({ resource: projectsApi })).json['scope']).to.equal('projects:read');
    expectOAuthError(await ask({ resource: projectsApi, scope: 'projects:write' }), 400, 'invalid_scope');
  });
});
