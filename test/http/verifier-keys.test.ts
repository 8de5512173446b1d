// Where a verifier has its keys from, and what it says when it has none.
import { expect } from 'chai';
import { calculateJwkThumbprint, exportJWK } from 'jose';
import * as client from 'openid-client';
import type { PrivateJwk } from '../../src/signing-keys/index.js';
import { createVerifier, VerificationUnavailable, type VerifierOptions } from '../../src/verifier/index.js';
import { ciKey, projectsApi } from '../support/contract-seed.js';
import { refusalOf } from '../support/refusal-of.js';
import { relyingParty } from '../support/relying-party.js';
import { closeApps, startApp } from '../support/start-app.js';
import { tinyIssuer, type TinyIssuer } from '../support/tiny-issuer.js';
import { newKeyPair } from '../support/key-pair.js';

const bearer = (token: string) => ({
  ...{ method: 'GET', url: 'http://localhost:4000/', authorization: `Bearer ${token}` },
});

async function newKeys(): Promise<PrivateJwk[]> {
  const made = (['ES256', 'RS256'] as const).map(async (alg) => {
    const { privateKey } = await newKeyPair(alg);
    const jwk = await exportJWK(privateKey);
    return { ...jwk, kid: await calculateJwkThumbprint(jwk), alg, use: 'sig' as const };
  });
  return Promise.all(made);
}

describe('the verifier and the keys of the server', () => {
  afterEach(closeApps);

  it('follows a change of keys while both run, and refuses what a withdrawn key signed', async () => {
    const { issuer, app } = await startApp();
    const verifier = createVerifier({ issuer, audience: projectsApi, keyCooldownSeconds: 0 });
    const { configuration } = await relyingParty(issuer, 'acme-ci', ciKey);
    const newToken = async (): Promise<string> =>
      (await client.clientCredentialsGrant(configuration, { resource: projectsApi })).access_token;
    const answerTo = (token: string): Promise<string> => refusalOf(verifier.verify(bearer(token)));

    const [first, second] = [await newKeys(), await newKeys()];
    app.useSigningKeys(first);
    const before = await newToken();
    expect(await answerTo(before)).to.equal('accepted');
    app.useSigningKeys([...second, ...first]);
    const after = await newToken();
    expect([await answerTo(after), await answerTo(before)]).to.deep.equal(['accepted', 'accepted']);
    app.useSigningKeys(second);
    const fresh = createVerifier({ issuer, audience: projectsApi });
    expect(await refusalOf(fresh.verify(bearer(after)))).to.equal('accepted');
    expect(await refusalOf(fresh.verify(bearer(before)))).to.match(/^401 invalid_token: /);
  });
});

describe('the verifier and the keys of an issuer', () => {
  let tiny: TinyIssuer;
  beforeEach(async () => (tiny = await tinyIssuer()));
  afterEach(() => tiny.close());

  const newVerifier = (options: Partial<VerifierOptions> = {}) => {
    const verifier = createVerifier({ issuer: tiny.issuer, audience: projectsApi, ...options });
    return (token: string): Promise<string> => refusalOf(verifier.verify(bearer(token)));
  };

  it('are asked for once, by requests at the same time too, and not for what is no token', async () => {
    const answerTo = newVerifier();
    expect(await answerTo('not.a.token')).to.match(/^401 invalid_token: /);
    expect(tiny.asked).to.deep.equal([]);
    const tokens = await Promise.all(Array.from({ length: 20 }, () => tiny.sign()));
    expect(new Set(await Promise.all(tokens.map(answerTo)))).to.deep.equal(new Set(['accepted']));
    expect(tiny.asked).to.deep.equal(['/.well-known/openid-configuration', '/keys']);
  });

  it('are not asked for again by a flood of unknown keys', async () => {
    const answerTo = newVerifier();
    expect(await answerTo(await tiny.sign())).to.equal('accepted');
    const strange = await Promise.all(
      Array.from({ length: 50 }, (_, index) => tiny.sign({}, { kid: `strange-${index}` })),
    );
    for (const answer of await Promise.all(strange.map(answerTo))) expect(answer).to.match(/^401 invalid_token: /);
    expect(tiny.asked).to.have.length(2);
  });

  it('a key of several without a name, and a key for another use, are not good', async () => {
    const second = await tiny.newKey('second');
    tiny.keys.push({ ...second, use: 'enc' });
    expect(await newVerifier()(await tiny.sign())).to.match(/^401 invalid_token: /);
    tiny.keys.splice(1, 1, second);
    expect(await newVerifier()(await tiny.sign())).to.equal('accepted');
    expect(await newVerifier()(await tiny.sign({}, { kid: undefined }))).to.match(/^401 invalid_token: /);
  });

  it('sign with ES256 or RS256, and with nothing else that is published', async () => {
    for (const alg of ['ES256', 'RS256', 'PS256', 'ES384', 'EdDSA']) {
      tiny.keys = [await tiny.newKey(alg, alg)];
      const expected = alg === 'ES256' || alg === 'RS256' ? /^accepted$/ : /^401 invalid_token: /;
      expect(await newVerifier()(await tiny.sign()), alg).to.match(expected);
    }
  });

  it('when they cannot be had, nothing is said of the token, and the next request tries again', async () => {
    const token = await tiny.sign();
    const answerTo = newVerifier();
    const { document } = tiny;
    for (const wrong of [{ ...document, issuer: `${tiny.issuer}/` }, { issuer: tiny.issuer }, {}]) {
      tiny.document = wrong;
      expect(await answerTo(token), JSON.stringify(wrong)).to.equal('unavailable');
    }
    for (const address of [tiny.issuer.replace('127.0.0.1', '0.0.0.0') + '/keys', 'file:///keys', 'keys', null]) {
      tiny.document = { ...document, jwks_uri: address };
      expect(await newVerifier()(token), String(address)).to.equal('unavailable');
    }
    tiny.document = document;
    for (const keys of ['none', [{ kty: 'EC', crv: 'P-256', kid: 'first', alg: 'ES256', x: 'AA', y: 'AA' }]]) {
      const published = tiny.keys;
      tiny.keys = keys as typeof published;
      expect(await newVerifier()(token), JSON.stringify(keys)).to.equal('unavailable');
      tiny.keys = published;
    }
    expect(await answerTo(token)).to.equal('accepted');
  });

  it('when the issuer is down, keys that are fresh go on, and old ones do not', async () => {
    const token = await tiny.sign();
    const [fresh, old, cold] = [newVerifier(), newVerifier({ keyMaxAgeSeconds: 0 }), newVerifier()];
    expect([await fresh(token), await old(token)]).to.deep.equal(['accepted', 'accepted']);
    await tiny.close();
    expect(await fresh(token)).to.equal('accepted');
    expect(await old(token)).to.equal('unavailable');
    expect(await cold(token)).to.equal('unavailable');
    const verifier = createVerifier({ issuer: tiny.issuer, audience: projectsApi });
    const error: unknown = await verifier.verify(bearer(token)).catch((thrown: unknown) => thrown);
    expect(error).to.be.instanceOf(VerificationUnavailable).and.to.include({ status: 503 });
    expect(await newVerifier()('not.a.token')).to.match(/^401 /);
  });
});

describe('the verifier and the claims of an access token', () => {
  let tiny: TinyIssuer;
  before(async () => (tiny = await tinyIssuer()));
  after(() => tiny.close());

  const verify = async (claims: Record<string, unknown>, header: Record<string, unknown> = {}) =>
    createVerifier({ issuer: tiny.issuer, audience: projectsApi }).verify(bearer(await tiny.sign(claims, header)));

  it('wants each claim that it answers with, in its form', async () => {
    const names = ['iss', 'aud', 'sub', 'client_id', 'jti', 'iat', 'exp', 'tenant_id', 'tenant_slug', 'tenant_type'];
    for (const name of [...names, 'roles', 'entitlements']) {
      for (const value of [undefined, null, true, {}, [7], ''])
        expect(await refusalOf(verify({ [name]: value })), `${name} ${JSON.stringify(value)}`).to.equal(
          `401 invalid_token: ${name} of the access token is wrong here`,
        );
    }
    for (const scope of [['projects:read'], 7, null, ''])
      expect(await refusalOf(verify({ scope }))).to.match(/^401 invalid_token: scope /);
  });

  it('wants the type of an access token', async () => {
    for (const typ of ['at+jwt', 'application/at+jwt', 'AT+JWT'])
      expect(await refusalOf(verify({}, { typ })), typ).to.equal('accepted');
    for (const typ of [undefined, 'JWT', 'dpop+jwt', 'logout+jwt', ''])
      expect(await refusalOf(verify({}, { typ })), String(typ)).to.match(/^401 invalid_token: typ /);
  });

  it('a token without a scope has none; one for several audiences is good for each', async () => {
    expect(await verify({ scope: undefined })).to.have.deep.property('scopes', []);
    expect(await refusalOf(verify({ aud: ['https://api.example.com/other', projectsApi] }))).to.equal('accepted');
  });

  it('says who acts for the subject, and refuses what it does not understand of that', async () => {
    expect(await verify({})).not.to.have.property('act');
    const act = { sub: 'svc_1', act: { sub: 'svc_2' } };
    expect(await verify({ act: { ...act, iss: 'https://auth.example.com' } })).to.have.deep.property('act', act);
    for (const wrong of [null, 'svc_1', {}, { sub: '' }, { sub: 'svc_1', act: 'svc_2' }])
      expect(await refusalOf(verify({ act: wrong })), JSON.stringify(wrong)).to.match(/^401 invalid_token: /);
  });
});
