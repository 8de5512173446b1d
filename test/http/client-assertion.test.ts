import { expect } from 'chai';
import { createHmac, createPublicKey, type JsonWebKey } from 'node:crypto';
import { exportJWK, SignJWT } from 'jose';
import * as client from 'openid-client';
import { assertedBy, clientAssertion, newClientKey, seedWithKeys, type ClientKey } from '../support/client-keys.js';
import { ciKey, contractSeed, projectsApi, redirectUri } from '../support/contract-seed.js';
import { signIn } from '../support/relying-party.js';
import { closeApps, startApp, type RunningApp } from '../support/start-app.js';
import { dump } from './dump.js';
import { expectOAuthError, post, send, type Answer } from './requests.js';
import { newKeyPair } from '../support/key-pair.js';

describe('clients that authenticate with a key (private_key_jwt, RFC 7523)', () => {
  let running: RunningApp;
  let issuer: string;
  let keys: Record<'ES256' | 'RS256' | 'PS256' | 'Ed25519', ClientKey>;
  let stranger: ClientKey;

  before(async () => {
    keys = {
      ES256: await newClientKey('ES256', 'es'),
      RS256: await newClientKey('RS256', 'rs'),
      PS256: await newClientKey('PS256', 'ps'),
      Ed25519: await newClientKey('Ed25519', 'ed'),
    };
    stranger = await newClientKey('ES256', 'es');
    running = await startApp({ seed: seedWithKeys(Object.values(keys)) });
    ({ issuer } = running);
  });
  after(closeApps);

  const service = { grant_type: 'client_credentials', resource: projectsApi, scope: 'projects:read' };

  interface Changes {
    key?: ClientKey;
    audience?: unknown;
    claims?: Record<string, unknown>;
    header?: Record<string, unknown>;
  }
  const assertionOf = (clientId: string, { key = keys.ES256, audience = issuer, ...rest }: Changes = {}) =>
    clientAssertion({ clientId, key, audience, ...rest });
  const tokenWith = (assertion: string, members: Record<string, string> = {}): Promise<Answer> =>
    post(issuer, 'token', { ...service, ...assertedBy(assertion), ...members });
  const present = async (changes: Changes = {}): Promise<Answer> => tokenWith(await assertionOf('signed-ci', changes));

  it('discovery tells the method and its algorithms, and not client_secret_jwt', async () => {
    const { json } = await send(`${issuer}/.well-known/openid-configuration`);
    expect(json['token_endpoint_auth_methods_supported']).to.have.members([
      'none',
      'client_secret_basic',
      'client_secret_post',
      'private_key_jwt',
    ]);
    expect(json['token_endpoint_auth_signing_alg_values_supported']).to.have.members([
      'ES256',
      'RS256',
      'PS256',
      'EdDSA',
      'Ed25519',
    ]);
  });

  for (const alg of ['ES256', 'RS256', 'PS256', 'Ed25519'] as const) {
    it(`openid-client's PrivateKeyJwt with ${alg}: a service token`, async () => {
      const configuration = await client.discovery(
        new URL(issuer),
        'signed-ci',
        undefined,
        client.PrivateKeyJwt({ key: keys[alg].privateKey, kid: keys[alg].jwk.kid ?? '' }),
        { execute: [client.allowInsecureRequests] },
      );
      const { grant_type: _, ...wanted } = service;
      const tokens = await client.clientCredentialsGrant(configuration, wanted);
      expect(tokens.scope).to.equal('projects:read');
    });
  }

  it('EdDSA by its older name, and a key found without kid', async () => {
    expect((await present({ key: keys.Ed25519, header: { alg: 'EdDSA', kid: 'ed' } })).status).to.equal(200);
    expect((await present()).status).to.equal(200);
  });

  it('an app signs a person in, pushes its request, refreshes, introspects and revokes with its key', async () => {
    const configuration = await client.discovery(
      new URL(issuer),
      'signed',
      undefined,
      client.PrivateKeyJwt({ key: keys.ES256.privateKey, kid: 'es' }),
      { execute: [client.allowInsecureRequests] },
    );
    const pkceCodeVerifier = client.randomPKCECodeVerifier();
    const url = await client.buildAuthorizationUrlWithPAR(configuration, {
      redirect_uri: redirectUri,
      scope: 'openid projects:read',
      code_challenge: await client.calculatePKCECodeChallenge(pkceCodeVerifier),
      code_challenge_method: 'S256',
    });
    const { page } = await signIn(issuer, url.href);
    const tokens = await client.authorizationCodeGrant(configuration, new URL(page.url), { pkceCodeVerifier });
    const renewed = await client.refreshTokenGrant(configuration, tokens.refresh_token ?? '');
    expect(await client.tokenIntrospection(configuration, renewed.access_token)).to.include({ active: true });
    await client.tokenRevocation(configuration, renewed.refresh_token ?? '');
    expect(await client.tokenIntrospection(configuration, renewed.access_token)).to.deep.equal({ active: false });
  });

  it('sec-061 an assertion is taken once, also at another endpoint', async () => {
    const assertion = await assertionOf('signed-ci');
    expect((await tokenWith(assertion)).status).to.equal(200);
    expectOAuthError(await tokenWith(assertion), 401, 'invalid_client');
    const elsewhere = await post(issuer, 'introspect', { token: 'x', ...assertedBy(assertion) });
    expectOAuthError(elsewhere, 401, 'invalid_client');
    expect(JSON.stringify(await dump(running.database))).not.to.contain(assertion.split('.')[1]);
  });

  it('sec-061 of a request with assertion and DPoP proof, what came before is named', async () => {
    const { privateKey, publicKey } = await newKeyPair('ES256');
    const jwk = await exportJWK(publicKey);
    const proof = (jti: string): Promise<string> =>
      new SignJWT({ jti, htm: 'POST', htu: `${issuer}/oauth2/token` })
        .setProtectedHeader({ alg: 'ES256', typ: 'dpop+jwt', jwk })
        .setIssuedAt()
        .sign(privateKey);
    const ask = async (assertion: string, dpop: string): Promise<Answer> =>
      send(`${issuer}/oauth2/token`, {
        method: 'POST',
        headers: { DPoP: dpop },
        body: new URLSearchParams({ ...service, ...assertedBy(assertion) }),
      });
    const assertion = await assertionOf('signed-ci');
    expect((await ask(assertion, await proof('one'))).json['token_type']).to.equal('DPoP');
    expectOAuthError(await ask(assertion, await proof('two')), 401, 'invalid_client');
    expectOAuthError(await ask(await assertionOf('signed-ci'), await proof('one')), 400, 'invalid_dpop_proof');
    expect((await ask(await assertionOf('signed-ci'), await proof('two'))).status).to.equal(200);
  });

  const now = (): number => Math.floor(Date.now() / 1000);
  const refusedClaims: readonly [why: string, claims: () => Record<string, unknown>][] = [
    ['without exp', () => ({ exp: undefined })],
    ['expired', () => ({ exp: now() - 20 })],
    ['that lives longer than five minutes', () => ({ exp: now() + 320 })],
    ['with an exp that is text', () => ({ exp: String(now() + 60) })],
    ['with an exp beyond all time', () => ({ exp: 1e300 })],
    ['not valid yet', () => ({ nbf: now() + 60 })],
    ['without jti', () => ({ jti: undefined })],
    ['with an empty jti', () => ({ jti: '' })],
    ['with a jti that is no text', () => ({ jti: { $ne: null } })],
    ['without iss', () => ({ iss: undefined })],
    ['of another iss', () => ({ iss: 'signed' })],
    ['without sub', () => ({ sub: undefined })],
    ['of another sub', () => ({ sub: 'signed' })],
    ['with a sub that is no text', () => ({ sub: { $ne: null } })],
    ['of a client that is not there', () => ({ iss: 'nobody', sub: 'nobody' })],
    ['of a client with a secret', () => ({ iss: 'web', sub: 'web' })],
    ['without aud', () => ({ aud: undefined })],
    ['for the token endpoint', () => ({ aud: `${issuer}/oauth2/token` })],
    ['for the issuer in a list', () => ({ aud: [issuer] })],
    ['for the issuer and somebody else', () => ({ aud: [issuer, 'https://as.example'] })],
    ['for the issuer with a slash', () => ({ aud: `${issuer}/` })],
    ['for another server', () => ({ aud: 'https://as.example' })],
  ];
  for (const [why, claims] of refusedClaims) {
    it(`sec-060 an assertion ${why} is refused`, async () => {
      const answer = await present({ claims: claims() });
      expectOAuthError(answer, 401, 'invalid_client');
    });
  }

  const signed =
    (changes: Changes): (() => Promise<string>) =>
    () =>
      assertionOf('signed-ci', changes);
  const parts = async (): Promise<[string, string, string]> =>
    (await assertionOf('signed-ci')).split('.') as [string, string, string];
  const headerOf = (members: object): string => Buffer.from(JSON.stringify(members)).toString('base64url');
  const refusedForms: readonly [why: string, assertion: () => Promise<string>][] = [
    ['signed by another key', () => assertionOf('signed-ci', { key: stranger, header: { kid: 'es' } })],
    ['of an unknown kid', () => signed({ header: { kid: 'junk' } })()],
    ['whose kid names a key of another kind', () => signed({ header: { kid: 'rs' } })()],
    [
      'that brings its own key',
      () => assertionOf('signed-ci', { key: stranger, header: { jwk: stranger.jwk, kid: 'es' } }),
    ],
    ['with an embedded key beside a good signature', () => signed({ header: { jwk: keys.ES256.jwk } })()],
    ['that names keys elsewhere', () => signed({ header: { jku: 'https://keys.example/jwks' } })()],
    ['with a certificate chain', () => signed({ header: { x5c: ['MIIB'] } })()],
    ['with a critical header that nobody knows', () => signed({ header: { crit: ['b65'], b65: true } })()],
    ['with alg none', async () => `${headerOf({ alg: 'none' })}.${(await parts())[1]}.`],
    ['with alg none and a signature', async () => [headerOf({ alg: 'none' }), ...(await parts()).slice(1)].join('.')],
    ['with HS256 and the public key as secret', async () => hmacWithPublicKey((await parts())[1])],
    ['with HS256 and the placeholder of secrets', async () => hmac((await parts())[1], 'stored-hashed')],
    ['with an algorithm that is not enabled', () => otherAlgorithm()],
    ['without its signature', async () => (await parts()).slice(0, 2).join('.') + '.'],
    [
      'with a signature of another assertion',
      async () => [...(await parts()).slice(0, 2), (await parts())[2]].join('.'),
    ],
    ['with half a signature', async () => (await assertionOf('signed-ci')).slice(0, -43)],
    ['with one more byte', async () => `${await assertionOf('signed-ci')}AA`],
    [
      'whose claims were changed',
      async () => {
        const [head, , signature] = await parts();
        const claims = { iss: 'signed-ci', sub: 'signed-ci', aud: issuer, jti: 'mine', exp: now() + 60 };
        return [head, headerOf(claims), signature].join('.');
      },
    ],
  ];
  for (const [why, assertion] of refusedForms) {
    it(`sec-060 an assertion ${why} is refused`, async () => {
      expectOAuthError(await tokenWith(await assertion()), 401, 'invalid_client');
    });
  }

  it('sec-060 what is no JWT, and an unknown type of assertion, are invalid requests', async () => {
    const assertion = await assertionOf('signed-ci');
    for (const broken of ['x', 'a.b', 'a.b.c', '..', assertion.slice(0, 40), `${assertion}.x.y`, `[${assertion}]`]) {
      const answer = await tokenWith(broken);
      expect(answer.status, broken).to.be.oneOf([400, 401]);
      expectOAuthError(answer, answer.status, answer.status === 400 ? 'invalid_request' : 'invalid_client', broken);
    }
    for (const type of ['', 'urn:ietf:params:oauth:client-assertion-type:saml2-bearer']) {
      expectOAuthError(await tokenWith(assertion, { client_assertion_type: type }), 400, 'invalid_request', type);
    }
    const beside = await post(issuer, 'token', { ...service, ...assertedBy(assertion), client_secret: ciKey });
    expectOAuthError(beside, 400, 'invalid_request');
    const twice = await post(issuer, 'token', [
      ...Object.entries({ ...service, ...assertedBy(assertion) }),
      ['client_assertion', assertion],
    ]);
    expectOAuthError(twice, 400, 'invalid_request');
    const another = await tokenWith(assertion, { client_id: 'signed' });
    expectOAuthError(another, 400, 'invalid_request');
    expect((await tokenWith(assertion)).status, 'none of those has used it up').to.equal(200);
  });

  it('sec-060 a refused assertion does not use up the id of a good one', async () => {
    const claims = { jti: 'the-same-id' };
    expectOAuthError(await present({ claims, key: stranger, header: { kid: 'es' } }), 401, 'invalid_client');
    expectOAuthError(await present({ claims: { ...claims, aud: [issuer] } }), 401, 'invalid_client');
    expect((await present({ claims })).status).to.equal(200);
  });

  it('sec-060 a client that names its algorithm is held to it', async () => {
    const { app } = running;
    await app.seeding.applySeed({
      clients: [
        {
          ...seedWithKeys([keys.RS256]).clients!.at(-1)!,
          client_id: 'pinned',
          token_endpoint_auth_signing_alg: 'PS256',
        },
      ],
    });
    const introspect = async (header: Record<string, unknown>): Promise<Answer> => {
      // an RSA key signs both ways; the key that Web Crypto generates is for one of them
      const key = { ...keys.RS256, alg: String(header['alg']), privateKey: await asKeyFor(String(header['alg'])) };
      const assertion = await assertionOf('pinned', { key, header: { ...header, kid: 'rs' } });
      return post(issuer, 'introspect', { token: 'x', ...assertedBy(assertion) });
    };
    expectOAuthError(await introspect({ alg: 'RS256' }), 401, 'invalid_client');
    expect((await introspect({ alg: 'PS256' })).status).to.equal(200);
  });

  it('a service account has API keys or public keys, not both', async () => {
    const { app } = await startApp({ seed: seedWithKeys([keys.ES256]) });
    const [tenant] = contractSeed.tenants ?? [];
    const refused = app.seeding.applySeed({
      tenants: [
        {
          ...tenant!,
          serviceAccounts: [{ ...tenant!.serviceAccounts![0]!, jwks: { keys: [keys.ES256.jwk as never] } }],
        },
      ],
    });
    await refused.then(
      () => expect.fail('was taken'),
      (error: Error) => expect(error.message).to.contain('keys are of no use with private_key_jwt'),
    );
  });

  it('a service account changes from API keys to public keys and back', async () => {
    const other = await startApp();
    const [tenant] = contractSeed.tenants ?? [];
    const [account] = tenant?.serviceAccounts ?? [];
    const { keys: apiKeys, ...rest } = account!;
    const become = (changes: object): Promise<unknown> =>
      other.app.seeding.applySeed({ tenants: [{ ...tenant!, serviceAccounts: [{ ...rest, ...changes }] }] });
    const withSecret = (): Promise<Answer> => post(other.issuer, 'token', service, ['acme-ci', ciKey]);
    const withKey = async (): Promise<Answer> => {
      const assertion = await clientAssertion({ clientId: 'acme-ci', key: keys.ES256, audience: other.issuer });
      return post(other.issuer, 'token', { ...service, ...assertedBy(assertion) });
    };
    expect([(await withSecret()).status, (await withKey()).status]).to.deep.equal([200, 401]);
    await become({ jwks: { keys: [keys.ES256.jwk] } });
    expect([(await withSecret()).status, (await withKey()).status]).to.deep.equal([401, 200]);
    await become({ keys: apiKeys });
    expect([(await withSecret()).status, (await withKey()).status]).to.deep.equal([200, 401]);
  });

  function hmac(claims: string, secret: string | Buffer): string {
    const text = `${headerOf({ alg: 'HS256' })}.${claims}`;
    return `${text}.${createHmac('sha256', secret).update(text).digest('base64url')}`;
  }

  function hmacWithPublicKey(claims: string): string {
    const key = createPublicKey({ key: keys.RS256.jwk as JsonWebKey, format: 'jwk' });
    return hmac(claims, key.export({ type: 'spki', format: 'pem' }));
  }

  async function otherAlgorithm(): Promise<string> {
    return assertionOf('signed-ci', { key: await newClientKey('ES384', 'es') });
  }

  async function asKeyFor(alg: string): Promise<ClientKey['privateKey']> {
    const jwk = (await crypto.subtle.exportKey('jwk', keys.RS256.privateKey)) as JsonWebKey & { alg?: string };
    const { alg: _, ...plain } = jwk;
    const name = alg === 'PS256' ? 'RSA-PSS' : 'RSASSA-PKCS1-v1_5';
    return crypto.subtle.importKey('jwk', plain, { name, hash: 'SHA-256' }, false, ['sign']);
  }
});
