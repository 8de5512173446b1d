import { expect } from 'chai';
import { decodeJwt } from 'jose';
import { projectsApi, redirectUri, webSecret } from '../support/contract-seed.js';
import { closeApps, startApp } from '../support/start-app.js';
import { seedWithTwoTenants, thirdPartySecret } from '../support/two-tenants.js';
import {
  challenge,
  codeOf,
  expectOAuthError,
  post,
  redeem,
  refreshing,
  tokensOf,
  verifier,
  type Answer,
} from './requests.js';

const web = ['web', webSecret] as const;

describe('codes and refresh tokens', () => {
  let issuer: string;
  beforeEach(async () => {
    issuer = (await startApp({ seed: seedWithTwoTenants })).issuer;
  });
  afterEach(closeApps);

  it('sec-059 a code is redeemed with the verifier of its challenge alone', async () => {
    for (const [code_verifier, error] of [
      [null, 'invalid_grant'],
      ['', 'invalid_grant'],
      ['a-code-verifier-of-at-least-43-characters-0123456788', 'invalid_grant'],
      [challenge, 'invalid_grant'],
      ['too-short', 'invalid_request'],
      ['x'.repeat(129), 'invalid_request'],
      [`${verifier} `, 'invalid_request'],
    ] as const) {
      const answer = await redeem(issuer, await codeOf(issuer), { code_verifier });
      expectOAuthError(answer, 400, error, String(code_verifier));
    }
  });

  it('sec-059 a code that was given without a challenge takes no verifier', async () => {
    const request = { client_id: 'no-pkce', code_challenge: null, code_challenge_method: null, nonce: 'n' };
    const credentials = ['no-pkce', thirdPartySecret] as const;
    expectOAuthError(await redeem(issuer, await codeOf(issuer, request), {}, credentials), 400, 'invalid_grant');
    const code = await codeOf(issuer, request);
    expect((await redeem(issuer, code, { code_verifier: null }, credentials)).status).to.equal(200);
  });

  it('sec-057 a code is redeemed by its own client alone', async () => {
    for (const [clientId, secret] of [
      ['plain', thirdPartySecret],
      ['third-party', thirdPartySecret],
    ] as const) {
      const answer = await redeem(issuer, await codeOf(issuer), {}, [clientId, secret]);
      expectOAuthError(answer, 400, 'invalid_grant', clientId);
    }
  });

  it('sec-058 the redirect URI is the one of the request', async () => {
    for (const redirect_uri of [null, '', `${redirectUri}/`, `${redirectUri}?x=1`, 'https://evil.example/']) {
      const answer = await redeem(issuer, await codeOf(issuer), { redirect_uri });
      const error = redirect_uri ? 'invalid_grant' : 'invalid_request';
      expectOAuthError(answer, 400, error, String(redirect_uri));
    }
  });

  it('codes that were never given are refused, whatever they look like', async () => {
    const code = await codeOf(issuer);
    for (const wrong of [
      'x',
      'x'.repeat(43),
      code.slice(0, -1),
      `${code}x`,
      code.toLowerCase(),
      '$ne',
      'a.b.c',
      '\0',
    ]) {
      expectOAuthError(await redeem(issuer, wrong), 400, 'invalid_grant', wrong);
    }
    expect((await redeem(issuer, code)).status, 'the right one still works').to.equal(200);
  });

  it('sec-054 a code that comes twice ends the whole family: refresh and access token too', async () => {
    const code = await codeOf(issuer);
    const tokens = (await redeem(issuer, code)).json as unknown as { access_token: string; refresh_token: string };
    expectOAuthError(await redeem(issuer, code), 400, 'invalid_grant');
    expectOAuthError(await post(issuer, 'token', refreshing(tokens), web), 400, 'invalid_grant');
    const state = await post(issuer, 'introspect', { token: tokens.access_token }, web);
    expect(state.json).to.deep.equal({ active: false });
    expect((await post(issuer, 'userinfo', { access_token: tokens.access_token })).status).to.equal(401);
  });

  it('sec-055 a refresh token that comes twice ends the whole family', async () => {
    const first = await tokensOf(issuer);
    const second = (await post(issuer, 'token', refreshing(first), web)).json as unknown as typeof first;
    expect(second.refresh_token).not.to.equal(first.refresh_token);
    expectOAuthError(await post(issuer, 'token', refreshing(first), web), 400, 'invalid_grant');
    expectOAuthError(await post(issuer, 'token', refreshing(second), web), 400, 'invalid_grant');
    for (const { access_token: token } of [first, second]) {
      expect((await post(issuer, 'introspect', { token }, web)).json).to.deep.equal({ active: false });
    }
  });

  for (const what of ['code', 'refresh token'] as const) {
    it(`sec-05${what === 'code' ? 4 : 5} of 20 parallel uses of a ${what} one wins, and its family is dead`, async () => {
      const code = await codeOf(issuer);
      const tokens = what === 'code' ? null : ((await redeem(issuer, code)).json as { refresh_token: string } & object);
      const use = (): Promise<Answer> =>
        tokens ? post(issuer, 'token', refreshing(tokens), web) : redeem(issuer, code);
      const answers = await Promise.all(Array.from({ length: 20 }, use));
      const won = answers.filter(({ status }) => status === 200);
      expect(answers.filter(({ status }) => status >= 500).map(({ text }) => text)).to.deep.equal([]);
      expect(won).to.have.length(1);
      for (const answer of answers) if (!won.includes(answer)) expectOAuthError(answer, 400, 'invalid_grant');
      const child = won[0]?.json as unknown as { refresh_token: string };
      expectOAuthError(await post(issuer, 'token', refreshing(child), web), 400, 'invalid_grant');
    });
  }

  it('sec-057 a refresh token is of use to its own client alone, and that ends nothing', async () => {
    const tokens = await tokensOf(issuer);
    expectOAuthError(
      await post(issuer, 'token', refreshing(tokens), ['plain', thirdPartySecret]),
      400,
      'invalid_grant',
    );
    expect((await post(issuer, 'token', refreshing(tokens), web)).status).to.equal(200);
  });

  it('sec-064 a refresh cannot widen the scope, and one that tries ends nothing', async () => {
    const tokens = await tokensOf(issuer, { scope: 'openid projects:read' });
    for (const scope of ['openid projects:read projects:write', 'openid email', 'projects:*', 'junk']) {
      const answer = await post(issuer, 'token', { ...refreshing(tokens), scope }, web);
      expectOAuthError(answer, 400, 'invalid_scope', scope);
    }
    const narrower = await post(issuer, 'token', { ...refreshing(tokens), scope: 'openid' }, web);
    expect(narrower.json['scope']).to.equal('openid');
    expect(decodeJwt(String(narrower.json['access_token']))['scope']).to.equal('openid');
  });

  it('sec-064 a refresh cannot reach another resource', async () => {
    for (const resource of ['https://api.example.com/unknown', `${projectsApi}/`]) {
      const answer = await post(issuer, 'token', { ...refreshing(await tokensOf(issuer)), resource }, web);
      expectOAuthError(answer, 400, 'invalid_target', resource);
    }
  });
});
