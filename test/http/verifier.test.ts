// What an API is told about the tokens of the real server. Proofs and keys have files of their own beside this one.
import { expect } from 'chai';
import { decodeJwt, exportJWK, SignJWT } from 'jose';
import * as client from 'openid-client';
import { AccessRefused, createVerifier, type Verifier } from '../../src/verifier/index.js';
import { ciKey, projectsApi } from '../support/contract-seed.js';
import { mutationsOf } from '../support/mutated-jws.js';
import { refusalOf } from '../support/refusal-of.js';
import { relyingParty, signIn, type Tokens } from '../support/relying-party.js';
import { closeApps, startApp, type RunningApp } from '../support/start-app.js';
import { consultant, seedWithTwoTenants } from '../support/two-tenants.js';
import { newKeyPair } from '../support/key-pair.js';

const otherApi = 'https://api.example.com/other';
const rsaApi = 'https://api.example.com/rsa';
const [projects] = seedWithTwoTenants.resources ?? [];
const seed = {
  ...seedWithTwoTenants,
  resources: [
    projects!,
    { ...projects!, identifier: otherApi },
    {
      ...projects!,
      identifier: rsaApi,
      accessToken: { format: 'jwt' as const, alg: 'RS256' as const, ttlSeconds: 60 },
    },
  ],
};

describe('the verifier and the tokens of the server', () => {
  let app: RunningApp;
  let verifier: Verifier;

  beforeEach(async () => {
    app = await startApp({ seed });
    verifier = createVerifier({ issuer: app.issuer, audience: projectsApi });
  });
  afterEach(closeApps);

  const bearer = (token: string | undefined) => ({
    ...{ method: 'GET', url: 'http://localhost:4000/projects', authorization: `Bearer ${token}` },
  });

  async function serviceToken(parameters: Record<string, string> = {}): Promise<string> {
    const { configuration } = await relyingParty(app.issuer, 'acme-ci', ciKey);
    const asked = { resource: projectsApi, scope: 'projects:read', ...parameters };
    return (await client.clientCredentialsGrant(configuration, asked)).access_token;
  }

  async function personalTokens(tenant = 'acme'): Promise<Tokens> {
    const party = await relyingParty(app.issuer);
    const begun = await party.begin({ scope: 'openid tenant projects:read', tenant });
    return begun.finish((await signIn(app.issuer, begun.url, consultant)).page.url);
  }

  it('the token of a person says who, where and with which rights', async () => {
    const { access_token: token } = await personalTokens();
    const raw = decodeJwt(token);
    const claims = await verifier.verify(bearer(token), { scope: ['projects:read'], tenant: String(raw['tenant_id']) });
    expect(claims).to.deep.equal({
      subject: raw.sub,
      clientId: 'web',
      tokenId: raw.jti,
      tenant: { id: raw['tenant_id'], slug: 'acme', type: 'enterprise' },
      roles: ['editor'],
      entitlements: raw['entitlements'],
      scopes: ['openid', 'tenant', 'projects:read'],
      issuedAt: new Date((raw.iat ?? 0) * 1000),
      expiresAt: new Date((raw.exp ?? 0) * 1000),
    });
  });

  it('the token of a service does too, signed with either algorithm', async () => {
    expect(await verifier.verify(bearer(await serviceToken()))).to.include({ subject: 'acme-ci', clientId: 'acme-ci' });
    const rsa = createVerifier({ issuer: app.issuer, audience: rsaApi });
    const token = await serviceToken({ resource: rsaApi });
    expect(await rsa.verify(bearer(token))).to.include({ subject: 'acme-ci' });
  });

  it('what is no access token for this API is refused', async () => {
    const tokens = await personalTokens();
    const { configuration } = await relyingParty(app.issuer, 'acme-ci', ciKey);
    const opaque = (await client.clientCredentialsGrant(configuration)).access_token;
    const invalid = /^401 invalid_token: /;
    expect(await refusalOf(verifier.verify(bearer(tokens.id_token)))).to.match(invalid);
    expect(await refusalOf(verifier.verify(bearer(tokens.refresh_token)))).to.match(invalid);
    expect(await refusalOf(verifier.verify(bearer(opaque)))).to.match(invalid);
    expect(await refusalOf(verifier.verify(bearer(await serviceToken({ resource: otherApi }))))).to.equal(
      '401 invalid_token: aud of the access token is wrong here',
    );
    const ofIdToken = createVerifier({ issuer: app.issuer, audience: 'web' });
    expect(await refusalOf(ofIdToken.verify(bearer(tokens.id_token)))).to.equal(
      '401 invalid_token: typ of the access token is wrong here',
    );
  });

  it('a token of another server is refused', async () => {
    const other = await startApp({ seed });
    const { configuration } = await relyingParty(other.issuer, 'acme-ci', ciKey);
    const { access_token: token } = await client.clientCredentialsGrant(configuration, { resource: projectsApi });
    expect(await refusalOf(verifier.verify(bearer(token)))).to.match(/^401 invalid_token: /);
  });

  it('a token of another tenant is refused, and so is a tenant that got lost', async () => {
    const [acme, globex] = [await personalTokens('acme'), await personalTokens('globex')];
    const tenant = String(decodeJwt(acme.access_token)['tenant_id']);
    const refused = '403 insufficient_scope: the token counts in another tenant';
    expect(await refusalOf(verifier.verify(bearer(acme.access_token), { tenant }))).to.equal('accepted');
    expect(await refusalOf(verifier.verify(bearer(globex.access_token), { tenant }))).to.equal(refused);
    expect(await refusalOf(verifier.verify(bearer(acme.access_token), { tenant: 'acme' }))).to.equal(refused);
    const lost = { tenant: undefined } as unknown as { tenant: string };
    expect(await refusalOf(verifier.verify(bearer(acme.access_token), lost))).to.equal(refused);
  });

  it('every scope is needed', async () => {
    const token = bearer(await serviceToken());
    expect(await refusalOf(verifier.verify(token, { scope: ['projects:read'] }))).to.equal('accepted');
    for (const scope of [['projects:write'], ['projects:read', 'projects:write'], ['projects'], ['']])
      expect(await refusalOf(verifier.verify(token, { scope })), scope.join()).to.match(/^403 insufficient_scope: /);
  });

  it('a token is good until it expires, give or take the tolerance', async () => {
    const token = await serviceToken();
    const { iat = 0, exp = 0 } = decodeJwt(token);
    const at = (seconds: number): Promise<string> => {
      const now = () => new Date(seconds * 1000);
      const dated = createVerifier({ issuer: app.issuer, audience: projectsApi, clockToleranceSeconds: 2, now });
      return refusalOf(dated.verify(bearer(token)));
    };
    expect(await at(exp + 1)).to.equal('accepted');
    expect(await at(exp + 2)).to.equal('401 invalid_token: the access token has expired');
    expect(await at(iat - 2)).to.equal('accepted');
    expect(await at(iat - 3)).to.equal('401 invalid_token: iat of the access token is wrong here');
  });

  it('no change of a good token passes, alg none and the public key as a secret included', async () => {
    const token = await serviceToken();
    const { keys } = (await (await fetch(`${app.issuer}/oauth2/jwks`)).json()) as { keys: { alg: string }[] };
    const stranger = await newKeyPair('ES256');
    const mutations = await mutationsOf(token, {
      publicKey: keys.find(({ alg }) => alg === 'ES256')!,
      strangerKey: await exportJWK(stranger.publicKey),
      signAsStranger: (header, claims) =>
        new SignJWT(claims).setProtectedHeader(header as { alg: string }).sign(stranger.privateKey),
    });
    const whys = mutations.map(({ why }) => why);
    expect(whys).to.include.members(['alg "none"', 'HS256 with the public key as PEM']);
    for (const { why, token: changed, respelt } of mutations) {
      const answer = await refusalOf(verifier.verify(bearer(changed)));
      // a text that decodes to the same bytes is as good as the token that it is made of
      if (!respelt || answer !== 'accepted') expect(answer, why).to.match(/^401 (?:invalid_token|null): /);
    }
  });

  it('a header that is missing, doubled or malformed is refused', async () => {
    const token = await serviceToken();
    const answerTo = (authorization: string | string[] | undefined): Promise<string> =>
      refusalOf(verifier.verify({ method: 'GET', url: 'http://localhost:4000/', authorization }));
    const none = [undefined, '', [], 'Basic YTpi', token, `Bearer:${token}`, ` Bearer ${token}`, `Bearer\t${token}`];
    for (const one of none) expect(await answerTo(one), String(one)).to.equal('401 null: an access token is needed');
    const malformed = ['Bearer', 'Bearer ', `Bearer ${token} x`, `Bearer ${token}, Bearer ${token}`];
    const doubled = [`Bearer ${token}`, 'Basic YTpi'].map((other) => [other, `Bearer ${token}`]);
    for (const one of [...malformed, ...doubled])
      expect(await answerTo(one), String(one)).to.match(/^401 invalid_token: /);
    for (const good of [`bearer ${token}`, `BEARER   ${token}`, [`Bearer ${token}`]])
      expect(await answerTo(good), String(good)).to.equal('accepted');
  });

  it('the challenge is ready to be sent, and nothing of the token is in an error', async () => {
    const token = await serviceToken();
    const errorOf = async (authorization: string | undefined, scope: string[] = []): Promise<AccessRefused> => {
      const request = { ...bearer(token), authorization };
      const error: unknown = await verifier.verify(request, { scope }).catch((thrown: unknown) => thrown);
      if (!(error instanceof AccessRefused)) throw new Error('no refusal');
      return error;
    };
    const dpop = 'DPoP algs="ES256 EdDSA RS256 PS256"';
    expect((await errorOf(undefined)).wwwAuthenticate).to.equal(`Bearer, ${dpop}`);
    expect((await errorOf('Bearer x')).wwwAuthenticate).to.equal(
      `Bearer error="invalid_token", error_description="this is no access token of the issuer", ${dpop}`,
    );
    expect((await errorOf(`Bearer ${token}`, ['a', 'b'])).wwwAuthenticate).to.equal(
      `Bearer error="insufficient_scope", error_description="the token does not have every scope needed", scope="a b", ${dpop}`,
    );
    expect((await errorOf(`DPoP ${token}`)).wwwAuthenticate).to.equal(
      `Bearer, DPoP error="invalid_token", error_description="the token is not bound to a key: wrong scheme", ${dpop.slice(5)}`,
    );
    const late = () => new Date(Date.now() + 3_600_000);
    const after = createVerifier({ issuer: app.issuer, audience: projectsApi, now: late });
    const expired = await after.verify(bearer(token)).catch((error: unknown) => error as AccessRefused);
    expect(expired).to.be.instanceOf(AccessRefused).and.not.to.have.property('cause');
  });

  it('is not made without an issuer that can be trusted and an audience', () => {
    const audience = projectsApi;
    for (const issuer of ['', 'gatehouse', 'http://auth.example.com', 'ftp://localhost'])
      expect(() => createVerifier({ issuer, audience }), issuer).to.throw(TypeError, 'issuer');
    for (const missing of ['', undefined] as string[])
      expect(() => createVerifier({ issuer: app.issuer, audience: missing })).to.throw(TypeError, 'audience');
  });
});
