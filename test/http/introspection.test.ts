import { expect } from 'chai';
import { decodeJwt, decodeProtectedHeader } from 'jose';
import { ciKey, projectsApi, webSecret } from '../support/contract-seed.js';
import { closeApps, startApp, type RunningApp } from '../support/start-app.js';
import { seedWithTwoTenants, thirdPartySecret } from '../support/two-tenants.js';
import { dropCaches } from '../support/drop-caches.js';
import {
  basic,
  codeOf,
  expectOAuthError,
  post,
  redeem,
  refreshing,
  send,
  tokensOf,
  type TokenSet,
} from './requests.js';

const web = ['web', webSecret] as const;
const plain = ['plain', thirdPartySecret] as const;
const introspector = ['rs', webSecret] as const;
const ci = ['acme-ci', ciKey] as const;
const inactive = { active: false };

describe('introspection and revocation', () => {
  let running: RunningApp;
  let issuer: string;
  beforeEach(async () => {
    running = await startApp({ seed: seedWithTwoTenants });
    issuer = running.issuer;
  });
  afterEach(closeApps);

  const stateOf = async (
    token: string,
    credentials: readonly [string, string] = web,
    hint?: string,
  ): Promise<Record<string, unknown>> => {
    const members = { token, ...(hint === undefined ? {} : { token_type_hint: hint }) };
    const answer = await post(issuer, 'introspect', members, credentials);
    expect(answer.status, answer.text).to.equal(200);
    return answer.json;
  };
  const revoke = async (token: string, credentials: readonly [string, string] = web): Promise<void> => {
    const answer = await post(issuer, 'revoke', { token }, credentials);
    expect(answer.status, answer.text).to.equal(200);
  };
  const opaqueTokens = async (): Promise<TokenSet> =>
    (await redeem(issuer, await codeOf(issuer, { client_id: 'plain', scope: 'openid tenant' }), {}, plain))
      .json as unknown as TokenSet;
  const serviceToken = async (resource?: string): Promise<string> => {
    const members = { grant_type: 'client_credentials', ...(resource === undefined ? {} : { resource }) };
    return String((await post(issuer, 'token', members, ci)).json['access_token']);
  };

  it('who cannot prove to be a client learns and changes nothing', async () => {
    const { access_token: token } = await tokensOf(issuer);
    for (const endpoint of ['introspect', 'revoke'] as const) {
      for (const credentials of [
        ['web', 'wrong-wrong-wrong-wrong-wrong-wrong'],
        ['nobody', webSecret],
        ['acme-ci', webSecret],
      ] as const) {
        const answer = await post(issuer, endpoint, { token }, credentials);
        expectOAuthError(answer, 401, 'invalid_client', `${endpoint} ${credentials[0]}`);
      }
      expectOAuthError(await post(issuer, endpoint, { token, client_id: 'web' }), 401, 'invalid_client', endpoint);
      const bearer = await send(`${issuer}/oauth2/${endpoint}`, {
        method: 'POST',
        headers: { Authorization: `Bearer ${token}` },
        body: new URLSearchParams({ token }),
      });
      expect(bearer.status, endpoint).to.equal(400);
      expect(bearer.json, endpoint).not.to.have.property('active');
    }
    expect(await stateOf(token)).to.include({ active: true });
  });

  it('a client sees its own tokens, of every kind, with any hint', async () => {
    const tokens = await tokensOf(issuer, { scope: 'openid tenant projects:read' });
    const { access_token: opaque } = await opaqueTokens();
    const { sub } = decodeJwt(tokens.id_token);
    for (const hint of [undefined, 'access_token', 'refresh_token', 'client_credentials', 'junk', '__proto__']) {
      expect(await stateOf(tokens.access_token, web, hint), `JWT ${hint}`).to.include({
        ...{ active: true, client_id: 'web', sub, aud: projectsApi, iss: issuer, tenant_slug: 'acme' },
        ...{ scope: 'openid tenant projects:read', token_type: 'Bearer' },
      });
      expect(await stateOf(tokens.refresh_token, web, hint), `refresh ${hint}`).to.include({ active: true, sub });
      expect(await stateOf(opaque, plain, hint), `opaque ${hint}`).to.include({
        ...{ active: true, client_id: 'plain', sub, tenant_slug: 'acme', scope: 'openid tenant' },
      });
    }
  });

  it('introspection of a JWT says what the token says', async () => {
    const { access_token: token } = await tokensOf(issuer, { scope: 'openid tenant projects:read' });
    const { gid: _gid, ...claims } = decodeJwt(token);
    const { active, token_type: _type, ...told } = await stateOf(token);
    expect(active).to.be.true;
    expect(told).to.deep.equal(claims);
  });

  it('another client sees nothing, unless the resource names it; a refresh token is for its own client alone', async () => {
    const tokens = await tokensOf(issuer, { scope: 'openid projects:read' });
    const opaque = await opaqueTokens();
    for (const token of [tokens.access_token, tokens.refresh_token]) {
      expect(await stateOf(token, plain)).to.deep.equal(inactive);
      expect(await stateOf(token, ci)).to.deep.equal(inactive);
    }
    expect(await stateOf(tokens.access_token, introspector)).to.include({ active: true, client_id: 'web' });
    expect(await stateOf(tokens.refresh_token, introspector)).to.deep.equal(inactive);
    expect(await stateOf(opaque.access_token, introspector)).to.deep.equal(inactive);
    expect(await stateOf(opaque.access_token, web)).to.deep.equal(inactive);
    expect(await stateOf(await serviceToken(projectsApi), introspector)).to.include({
      ...{ active: true, client_id: 'acme-ci', tenant_slug: 'acme' },
    });
    expect(await stateOf(await serviceToken(), introspector)).to.deep.equal(inactive);
    expect(await stateOf(await serviceToken(), ci)).to.include({ active: true, client_id: 'acme-ci' });
  });

  it('sec-037 what one client is told does not show in the answer to another', async () => {
    const { access_token: token } = await tokensOf(issuer, { scope: 'openid projects:read' });
    for (let round = 0; round < 3; round++) {
      expect(await stateOf(token, web)).to.include({ active: true });
      expect(await stateOf(token, plain)).to.deep.equal(inactive);
    }
  });

  it('sec-060 changed, cut, lengthened and foreign tokens are inactive', async () => {
    const tokens = await tokensOf(issuer);
    const [header = '', payload = '', signature = ''] = tokens.access_token.split('.');
    const encoded = (value: object): string => Buffer.from(JSON.stringify(value)).toString('base64url');
    const claims = decodeJwt(tokens.access_token);
    const protectedHeader = decodeProtectedHeader(tokens.access_token);
    const { access_token: opaque } = await opaqueTokens();
    const wrong = [
      'x',
      'x'.repeat(43),
      'a.b.c',
      '..',
      '...',
      '....',
      ' ',
      '$ne',
      '__proto__',
      '\0',
      'é',
      'x'.repeat(15_000),
      `${header}.${payload}.`,
      `${header}.${payload}`,
      `${header}.${payload}.${signature.slice(0, -2)}`,
      `${header}.${payload}.${signature}x`,
      `${header}.${payload}.${signature}.x`,
      `${header}.${encoded({ ...claims, sub: 'usr_other' })}.${signature}`,
      `${header}.${encoded({ ...claims, client_id: 'plain' })}.${signature}`,
      `${encoded({ ...protectedHeader, alg: 'none' })}.${payload}.`,
      `${encoded({ alg: 'none', typ: 'at+jwt' })}.${payload}.`,
      `${encoded({ ...protectedHeader, alg: 'HS256' })}.${payload}.${signature}`,
      `${encoded({ ...protectedHeader, kid: 'other' })}.${payload}.${signature}`,
      `${encoded({ ...protectedHeader, crit: ['exp'] })}.${payload}.${signature}`,
      ` ${tokens.access_token}`,
      tokens.access_token.toLowerCase(),
      String(claims.jti),
      tokens.refresh_token.slice(0, -1),
      `${tokens.refresh_token}x`,
      tokens.refresh_token.toLowerCase(),
      opaque.toUpperCase(),
      tokens.id_token,
      webSecret,
    ];
    for (const token of wrong) {
      expect(await stateOf(token), token.slice(0, 60)).to.deep.equal(inactive);
      await revoke(token);
      if (/^[\x21-\x7e]+$/.test(token)) {
        const info = await send(`${issuer}/oauth2/userinfo`, { headers: { Authorization: `Bearer ${token}` } });
        expect(info.status, `userinfo ${token.slice(0, 60)}`).to.equal(401);
        expect(info.text, token.slice(0, 60)).not.to.contain(String(claims.sub));
      }
    }
    expect(await stateOf(tokens.access_token), 'none of that ended the real one').to.include({ active: true });
    expect(await stateOf(tokens.refresh_token)).to.include({ active: true });
  });

  it('sec-073 ID and refresh tokens are no access tokens', async () => {
    const tokens = await tokensOf(issuer);
    for (const token of [tokens.id_token, tokens.refresh_token, webSecret]) {
      const info = await send(`${issuer}/oauth2/userinfo`, { headers: { Authorization: `Bearer ${token}` } });
      expectOAuthError(info, 401, 'invalid_token', token.slice(0, 10));
    }
  });

  it('an access token without the scope openid does not open userinfo', async () => {
    const service = await serviceToken(projectsApi);
    const narrow = await tokensOf(issuer, { scope: 'projects:read' });
    for (const token of [service, narrow.access_token]) {
      const info = await send(`${issuer}/oauth2/userinfo`, { headers: { Authorization: `Bearer ${token}` } });
      expect(info.status).to.be.within(401, 403);
      expect(info.text).not.to.contain('example.com');
    }
  });

  it('a revoked access token is inactive at once, JWT and opaque; other tokens of the grant live on', async () => {
    const tokens = await tokensOf(issuer, { scope: 'openid projects:read' });
    const other = await opaqueTokens();
    const service = await serviceToken(projectsApi);
    for (const [token, owner] of [
      [tokens.access_token, web],
      [other.access_token, plain],
      [service, ci],
    ] as const) {
      await revoke(token, owner);
      await revoke(token, owner);
      expect(await stateOf(token, owner)).to.deep.equal(inactive);
      const info = await send(`${issuer}/oauth2/userinfo`, { headers: { Authorization: `Bearer ${token}` } });
      expect(info.status).to.equal(401);
    }
    expect(await stateOf(tokens.access_token, introspector)).to.deep.equal(inactive);
    expect((await post(issuer, 'token', refreshing(tokens), web)).status).to.equal(200);
  });

  it('a revoked refresh token is dead and takes its grant along', async () => {
    const tokens = await tokensOf(issuer);
    await revoke(tokens.refresh_token);
    expectOAuthError(await post(issuer, 'token', refreshing(tokens), web), 400, 'invalid_grant');
    expect(await stateOf(tokens.refresh_token)).to.deep.equal(inactive);
    expect(await stateOf(tokens.access_token)).to.deep.equal(inactive);
  });

  it('sec-057 nobody revokes the token of another client', async () => {
    const tokens = await tokensOf(issuer);
    const service = await serviceToken(projectsApi);
    for (const token of [tokens.access_token, tokens.refresh_token, service]) {
      for (const other of [plain, introspector]) {
        const answer = await post(issuer, 'revoke', { token }, other);
        expect(answer.status, answer.text).to.be.within(200, 400);
      }
    }
    expect(await stateOf(tokens.access_token)).to.include({ active: true });
    expect(await stateOf(service, ci)).to.include({ active: true });
    expect((await post(issuer, 'token', refreshing(tokens), web)).status).to.equal(200);
  });

  it('the form of a request is checked: one token, in a urlencoded body', async () => {
    for (const endpoint of ['introspect', 'revoke'] as const) {
      expectOAuthError(await post(issuer, endpoint, {}, web), 400, 'invalid_request', `${endpoint}: none`);
      expectOAuthError(await post(issuer, endpoint, { token: '' }, web), 400, 'invalid_request', `${endpoint}: empty`);
      const twice = await post(
        issuer,
        endpoint,
        [
          ['token', 'a'],
          ['token', 'b'],
        ],
        web,
      );
      expectOAuthError(twice, 400, 'invalid_request', `${endpoint}: twice`);
      for (const name of ['token[]', 'token[$ne]', 'token.x']) {
        expectOAuthError(
          await post(issuer, endpoint, { [name]: 'a' }, web),
          400,
          'invalid_request',
          `${endpoint} ${name}`,
        );
      }
      const inQuery = await send(`${issuer}/oauth2/${endpoint}?token=a`, {
        method: 'POST',
        headers: { Authorization: basic(...web) },
        body: new URLSearchParams({}),
      });
      expectOAuthError(inQuery, 400, 'invalid_request', `${endpoint}: in the query`);
    }
  });

  it('sec-016 a token of a suspended tenant is inactive, and so is its refresh token', async () => {
    const tokens = await tokensOf(issuer);
    const service = await serviceToken(projectsApi);
    await running.database.collection('tenants').updateOne({ slugs: 'acme' }, { $set: { status: 'suspended' } });
    await dropCaches(running);
    for (const token of [tokens.access_token, tokens.refresh_token]) {
      expect(await stateOf(token)).to.deep.equal(inactive);
    }
    expect(await stateOf(service, ci)).to.deep.equal(inactive);
    expectOAuthError(await post(issuer, 'token', refreshing(tokens), web), 400, 'invalid_grant');
  });
});
