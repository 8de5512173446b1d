import { expect } from 'chai';
import { createHash, randomUUID, type JsonWebKey } from 'node:crypto';
import { CompactSign, calculateJwkThumbprint, decodeJwt, decodeProtectedHeader } from 'jose';
import { assertedBy, clientAssertion, newClientKey, seedWithKeys, type ClientKey } from '../../support/client-keys.js';
import { ada, projectsApi, webSecret } from '../../support/contract-seed.js';
import { mutationsOf, type Mutation } from '../../support/mutated-jws.js';
import { signIn } from '../../support/relying-party.js';
import { closeApps, startApp, type RunningApp } from '../../support/start-app.js';
import { seedWithTwoTenants, thirdPartySecret, tokenExchange } from '../../support/two-tenants.js';
import { authorizeUrl, codeOf, post, redeem, send, tokensOf, type Answer, type TokenSet } from '../requests.js';
import { expectSound } from './sound.js';

const web = ['web', webSecret] as const;
const plain = ['plain', thirdPartySecret] as const;
const inactive = { active: false };

/** What a header of HTTP can carry. */
const fitsHeader = ({ token }: Mutation): boolean => /^[\x21-\x7e]+([\x20\t][\x21-\x7e]+)*$/.test(token);

describe('a signed token that was tampered with', function () {
  this.timeout(120_000);
  let running: RunningApp;
  let issuer: string;
  let key: ClientKey;
  let stranger: ClientKey;
  beforeEach(async () => {
    key = await newClientKey('ES256', 'es');
    stranger = await newClientKey('ES256');
    const { clients, ...rest } = seedWithTwoTenants;
    const ofTwoTenants = clients?.map((client) =>
      client.client_id === 'web' ? { ...client, grant_types: [...client.grant_types!, tokenExchange] } : client,
    );
    const withKeys = seedWithKeys([key]);
    const signed = withKeys.clients?.at(-1);
    running = await startApp({
      seed: { ...rest, tenants: [withKeys.tenants![0]!, rest.tenants![1]!], clients: [...ofTwoTenants!, signed!] },
    });
    issuer = running.issuer;
  });
  afterEach(closeApps);

  async function mutate(token: string, publicKey: JsonWebKey): Promise<Mutation[]> {
    const { alg } = decodeProtectedHeader(token);
    const other = alg === stranger.alg ? stranger : await newClientKey(String(alg));
    const mutations = await mutationsOf(token, {
      publicKey,
      strangerKey: other.jwk as JsonWebKey,
      signAsStranger: (header, claims) =>
        new CompactSign(Buffer.from(JSON.stringify(claims)))
          .setProtectedHeader({ ...header, alg: other.alg })
          .sign(other.privateKey),
    });
    expect(mutations.length).to.be.greaterThan(90);
    expect(mutations.map((mutation) => mutation.token)).not.to.include(token);
    return mutations;
  }

  async function keyOfServer(token: string): Promise<JsonWebKey> {
    const { keys } = (await send(`${issuer}/oauth2/jwks`)).json as { keys: (JsonWebKey & { kid: string })[] };
    const { kid } = decodeProtectedHeader(token);
    return keys.find((candidate) => candidate.kid === kid) ?? expect.fail('the key is not published');
  }

  const stateOf = async (token: string, client: readonly [string, string] = web): Promise<Answer> =>
    post(issuer, 'introspect', { token }, client);
  const userinfo = (authorization: string): Promise<Answer> =>
    send(`${issuer}/oauth2/userinfo`, { headers: { Authorization: authorization } });

  const exchange = (token: string): Promise<Answer> =>
    post(
      issuer,
      'token',
      {
        grant_type: tokenExchange,
        ...{
          subject_token: token,
          subject_token_type: 'urn:ietf:params:oauth:token-type:access_token',
          tenant: 'acme',
        },
      },
      web,
    );

  it('sec-060 as an access token is inactive, opens nothing, and revokes nothing', async () => {
    const { access_token: token } = await tokensOf(issuer, { scope: 'openid projects:read' });
    for (const mutation of await mutate(token, await keyOfServer(token))) {
      const state = await stateOf(mutation.token);
      expect([state.status, state.text], mutation.why).to.deep.equal([200, JSON.stringify(inactive)]);
      const revoked = await post(issuer, 'revoke', { token: mutation.token }, web);
      expect(revoked.status, `${mutation.why} ${revoked.text}`).to.equal(200);
      const inForm = await post(issuer, 'userinfo', { access_token: mutation.token });
      expect(inForm.status, `${mutation.why} ${inForm.text}`).to.equal(401);
      const exchanged = await exchange(mutation.token);
      expect(exchanged.json, `${mutation.why} ${exchanged.text}`).to.include({ error: 'invalid_grant' });
      if (!fitsHeader(mutation)) continue;
      const { status, text, headers } = await userinfo(`Bearer ${mutation.token}`);
      expect(status, `${mutation.why} ${text}`).to.be.oneOf([400, 401]);
      expectSound({ status, text, headers }, mutation.why);
    }
    expect((await stateOf(token)).json, 'the real one').to.include({ active: true });
    expect((await exchange(token)).status, 'the real one').to.equal(200);
    expect((await userinfo(`Bearer ${token}`)).status).to.equal(200);
  });

  it('sec-060 a revoked access token is inactive in every spelling', async () => {
    const { access_token: token } = await tokensOf(issuer, { scope: 'openid projects:read' });
    await post(issuer, 'revoke', { token }, web);
    for (const { why, token: other } of await mutate(token, await keyOfServer(token))) {
      expect((await stateOf(other)).text, why).to.equal(JSON.stringify(inactive));
      expect((await post(issuer, 'userinfo', { access_token: other })).status, why).to.equal(401);
    }
  });

  it('sec-060 as id_token_hint is refused, at sign-in and at sign-out', async () => {
    const { visitor, idToken } = await signedIn();
    for (const { why, token, respelt } of await mutate(idToken, await keyOfServer(idToken))) {
      if (respelt) continue; // says the same, and proves nothing but what it says
      const silent = await visitor.get(authorizeUrl(issuer, { prompt: 'none', id_token_hint: token }));
      expect(new URL(silent.url).searchParams.get('error'), why).to.equal('invalid_request');
      const query = new URLSearchParams({ id_token_hint: token, post_logout_redirect_uri: 'http://localhost:3001/' });
      const left = await visitor.request(`/oauth2/logout?${query.toString()}`);
      expect(left.status, why).to.equal(400);
    }
    const silent = await visitor.get(authorizeUrl(issuer, { prompt: 'none', id_token_hint: idToken }));
    expect(silent.url, 'the real one').to.contain('code=');
  });

  it('sec-060 as a client assertion is refused, and what only is spelt otherwise is good once', async () => {
    const assertion = (): Promise<string> =>
      clientAssertion({ clientId: 'signed-ci', audience: issuer, key, header: { kid: 'es' } });
    const service = { grant_type: 'client_credentials', resource: projectsApi, scope: 'projects:read' };
    const present = (token: string): Promise<Answer> => post(issuer, 'token', { ...service, ...assertedBy(token) });
    const right = await assertion();
    let taken = 0;
    for (const { why, token, respelt } of await mutate(right, key.jwk as JsonWebKey)) {
      const answer = await present(token);
      if (respelt && answer.status === 200) taken++;
      else expect(answer.status, `${why} ${answer.text}`).to.be.oneOf([400, 401]);
      expectSound(answer, why);
    }
    if ((await present(right)).status === 200) taken++;
    expect(taken).to.equal(1);
  });

  it('sec-060 as a DPoP proof is refused, and what only is spelt otherwise is good once', async () => {
    const code = await codeOf(issuer);
    const jwk = key.jwk as unknown as JsonWebKey & Record<string, string>;
    const { kid: _kid, ...bare } = jwk;
    const proof = (claims: Record<string, unknown>, header: Record<string, unknown> = {}): Promise<string> =>
      new CompactSign(Buffer.from(JSON.stringify({ jti: randomUUID(), iat: Math.floor(Date.now() / 1000), ...claims })))
        .setProtectedHeader({ alg: 'ES256', typ: 'dpop+jwt', jwk: bare, ...header })
        .sign(key.privateKey);
    const htu = `${issuer}/oauth2/token`;
    const exchange = (dpop: string, withCode = 'junk'): Promise<Answer> =>
      send(htu, {
        method: 'POST',
        headers: { Authorization: `Basic ${btoa(web.join(':'))}`, DPoP: dpop },
        body: new URLSearchParams({
          ...{ grant_type: 'authorization_code', code: withCode, redirect_uri: 'http://localhost:3001/callback' },
          code_verifier: 'a-code-verifier-of-at-least-43-characters-0123456789',
        }),
      });
    const issued = await exchange(await proof({ htm: 'POST', htu }), code);
    expect(issued.json, issued.text).to.include({ token_type: 'DPoP' });
    const token = String(issued.json['access_token']);
    expect((decodeJwt(token)['cnf'] as { jkt: string }).jkt).to.equal(await calculateJwkThumbprint(bare));

    const ath = createHash('sha256').update(token).digest('base64url');
    const atUserinfo = { htm: 'GET', htu: `${issuer}/oauth2/userinfo`, ath };
    const ask = (dpop: string): Promise<Answer> =>
      send(atUserinfo.htu, { headers: { Authorization: `DPoP ${token}`, DPoP: dpop } });
    const right = await proof(atUserinfo);
    const mutations = (await mutate(right, bare)).filter(fitsHeader);
    let taken = 0;
    for (const { token: respelt } of mutations.filter((mutation) => mutation.respelt)) {
      if ((await ask(respelt)).status === 200) taken++;
    }
    if ((await ask(right)).status === 200) taken++;
    expect(taken).to.equal(1);
    for (const { why, token: wrong } of mutations.filter((mutation) => !mutation.respelt)) {
      const answer = await ask(wrong);
      // a stranger who brings their own key makes a good proof, of a key that the token is not bound to
      expect(answer.status, `${why} ${answer.text}`).to.be.oneOf([400, 401]);
      expectSound(answer, why);
    }
    const now = Math.floor(Date.now() / 1000);
    for (const [why, wrong] of [
      ['another method', proof({ ...atUserinfo, htm: 'POST' })],
      ['another address', proof({ ...atUserinfo, htu })],
      ['another token', proof({ ...atUserinfo, ath: createHash('sha256').update('x').digest('base64url') })],
      ['no token', proof({ ...atUserinfo, ath: undefined })],
      ['long ago', proof({ ...atUserinfo, iat: now - 3600 })],
      ['not yet', proof({ ...atUserinfo, iat: now + 3600 })],
      ['no time', proof({ ...atUserinfo, iat: undefined })],
      ['no id', proof({ ...atUserinfo, jti: undefined })],
      ['no type', proof(atUserinfo, { typ: undefined })],
      ['another type', proof(atUserinfo, { typ: 'JWT' })],
      ['no key', proof(atUserinfo, { jwk: undefined })],
      ['the private key', proof(atUserinfo, { jwk: { ...bare, d: bare['x'] } })],
      ['a shared key', proof(atUserinfo, { jwk: { kty: 'oct', k: 'AAAA' } })],
      ['another key', proof(atUserinfo, { jwk: stranger.jwk })],
    ] as [string, Promise<string>][]) {
      expect((await ask(await wrong)).status, why).to.equal(401);
    }
    expect((await userinfo(`Bearer ${token}`)).status, 'without a proof').to.equal(401);
    expect((await ask(await proof(atUserinfo))).status).to.equal(200);
  });

  it('sec-060 opaque tokens are found by their exact text', async () => {
    const answer = await redeem(issuer, await codeOf(issuer, { client_id: 'plain' }), {}, plain);
    const tokens = answer.json as unknown as TokenSet;
    for (const [token, other] of [
      [tokens.access_token, tokens.refresh_token],
      [tokens.refresh_token, tokens.access_token],
    ] as const) {
      for (const changed of [
        ...Array.from({ length: token.length }, (_, length) => token.slice(0, length)).slice(1),
        ...['A', '=', ' ', '\0', '.', '..', '\n', '%00', token].map((more) => token + more),
        ...[' ', 'Bearer ', '\ufeff', '.'].map((before) => before + token),
        token.toLowerCase(),
        token.toUpperCase(),
        [...token].map((c) => (c === c.toLowerCase() ? c.toUpperCase() : c.toLowerCase())).join(''),
        [...token].reverse().join(''),
        token.slice(1) + token.slice(0, 1),
        token.slice(0, 20) + other.slice(20),
        Buffer.from(token).toString('base64url'),
        Buffer.from(token).toString('hex'),
      ]) {
        expect((await stateOf(changed, plain)).text, changed).to.equal(JSON.stringify(inactive));
        const refreshed = await post(issuer, 'token', { grant_type: 'refresh_token', refresh_token: changed }, plain);
        expect(refreshed.status, changed).to.equal(400);
        expect((await post(issuer, 'revoke', { token: changed }, plain)).status, changed).to.equal(200);
      }
      expect((await stateOf(token, plain)).json).to.include({ active: true });
    }
  });

  async function signedIn(): Promise<{ visitor: Awaited<ReturnType<typeof signIn>>['browser']; idToken: string }> {
    const { browser: visitor, page } = await signIn(issuer, authorizeUrl(issuer), ada);
    const answer = await redeem(issuer, new URL(page.url).searchParams.get('code') ?? '');
    return { visitor, idToken: String(answer.json['id_token']) };
  }
});
