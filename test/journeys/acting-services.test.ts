import { expect } from 'chai';
import { decodeJwt } from 'jose';
import * as client from 'openid-client';
import { ciKey, projectsApi, redirectUri } from '../support/contract-seed.js';
import { operator, tenantIdOf } from '../support/administered.js';
import { dropCaches } from '../support/drop-caches.js';
import { relyingParty, signIn, type RelyingParty, type Tokens } from '../support/relying-party.js';
import { closeApps, startApp, type RunningApp } from '../support/start-app.js';
import { consultant, seedWithTwoTenants, thirdPartySecret, tokenExchange } from '../support/two-tenants.js';

const typeOf = (name: string): string => `urn:ietf:params:oauth:token-type:${name}`;
const unusable = 'invalid_grant: grant request is invalid';
const helperKey = (clientId: string): string => `sk_the-key-of-${clientId}-which-is-long-enough`;
const helper = (clientId: string) => ({
  clientId,
  name: clientId,
  roles: ['viewer'],
  keys: [{ label: 'k', secret: helperKey(clientId) }],
});

const delegatingClient = {
  ...{ client_id: 'delegating', client_secret: thirdPartySecret, redirect_uris: [redirectUri], firstParty: true },
  grant_types: ['authorization_code' as const, 'refresh_token' as const, tokenExchange],
  resources: [projectsApi],
  actors: ['helper', 'other-helper', 'acme-ci'],
};
const seed = {
  ...seedWithTwoTenants,
  tenants: (seedWithTwoTenants.tenants ?? []).map((tenant) =>
    tenant.slug === 'globex' ? { ...tenant, serviceAccounts: ['helper', 'other-helper', 'idle'].map(helper) } : tenant,
  ),
  clients: [...(seedWithTwoTenants.clients ?? []), delegatingClient],
};
const refusalOf = (promise: Promise<unknown>): Promise<string> =>
  promise.then(
    () => 'no error',
    (error: { error?: string; error_description?: string }) => `${error.error}: ${error.error_description}`,
  );
const ofRefreshToken = { subject_token_type: typeOf('refresh_token') };

describe('a service that acts for a person (RFC 8693)', () => {
  let app: RunningApp;
  let delegating: RelyingParty;
  beforeEach(async () => {
    app = await startApp({ seed });
    delegating = await relyingParty(app.issuer, 'delegating', thirdPartySecret);
  });

  afterEach(closeApps);

  async function tokensOf(by = delegating): Promise<Tokens> {
    const { url, finish } = await by.begin({ scope: 'openid tenant projects:read projects:write', tenant: 'acme' });
    return finish((await signIn(app.issuer, url, consultant)).page.url);
  }

  function exchange(parameters: Record<string, string>, by = delegating): Promise<client.TokenEndpointResponse> {
    const named = { subject_token_type: typeOf('access_token'), tenant: 'globex' };
    return client.genericGrantRequest(by.configuration, tokenExchange, { ...named, ...parameters });
  }

  async function serviceToken(
    clientId = 'helper',
    secret = helperKey(clientId),
    options?: client.DPoPOptions,
  ): Promise<string> {
    const { configuration } = await relyingParty(app.issuer, clientId, secret);
    const granted = await client.clientCredentialsGrant(configuration, { resource: projectsApi }, options);
    return granted.access_token;
  }
  const acting = (subject: string, actorToken: string, more: Record<string, string> = {}, by = delegating) =>
    exchange(
      { subject_token: subject, actor_token: actorToken, actor_token_type: typeOf('access_token'), ...more },
      by,
    );
  async function introspect(token: string): Promise<client.IntrospectionResponse> {
    return client.tokenIntrospection(delegating.configuration, token);
  }

  /** By which API key a service got its token stands beside its name: the token ends with the key. */
  async function keyIdOf(clientId: string): Promise<string> {
    const account = await app.database.collection<{ _id: string }>('service_accounts').findOne({ clientId });
    const key = await app.database.collection<{ _id: string }>('api_keys').findOne({ serviceAccountId: account?._id });
    return key?._id ?? '';
  }

  it('the token says so, in a chain, also at introspection, and ends with the service', async () => {
    const { access_token: subject } = await tokensOf();
    const first = await acting(subject, await serviceToken());
    expect(decodeJwt(first.access_token)).to.deep.include({
      act: { sub: 'helper', key_id: await keyIdOf('helper') },
      tenant_slug: 'globex',
    });
    const second = await acting(first.access_token, await serviceToken('other-helper'));
    const before = { sub: 'helper', key_id: await keyIdOf('helper') };
    const chain = { sub: 'other-helper', key_id: await keyIdOf('other-helper'), act: before };
    expect(decodeJwt(second.access_token)['act']).to.deep.equal(chain);
    expect((await introspect(second.access_token))['act']).to.deep.equal(chain);

    await app.database
      .collection('service_accounts')
      .updateOne({ clientId: 'other-helper' }, { $set: { status: 'disabled' } });
    await dropCaches(app);
    expect(await introspect(second.access_token)).to.deep.equal({ active: false });
    expect((await introspect(first.access_token)).active).to.equal(true);
  });

  it('sec-063 what a service holds is exchanged by a service alone, of the target tenant, and not after its end', async () => {
    const { access_token: subject } = await tokensOf();
    const { access_token: held } = await acting(subject, await serviceToken());
    for (const tenant of ['acme', 'globex'])
      expect(await refusalOf(exchange({ subject_token: held, tenant }))).to.match(/^invalid_request/);
    expect(await refusalOf(acting(held, await serviceToken(), { tenant: 'acme' }))).to.equal(unusable);
    const userinfo = (): Promise<number> =>
      fetch(`${app.issuer}/oauth2/userinfo`, { headers: { Authorization: `Bearer ${held}` } }).then(
        ({ status }) => status,
      );
    expect(await userinfo()).to.equal(200);

    const tenantId = await tenantIdOf(app, 'globex');
    const serviceAccount = { tenantId, clientId: 'helper' };
    await app.app.administration.endTokensOf(operator, { serviceAccount });
    expect(await introspect(held)).to.deep.equal({ active: false });
    expect(await userinfo()).to.equal(401);
    expect(await refusalOf(acting(held, await serviceToken('other-helper')))).to.equal(unusable);
  });

  it('sec-063 a service that may not, is of another tenant, was revoked, or is none is refused in the same words', async () => {
    const { access_token: subject } = await tokensOf();
    const revoked = await serviceToken();
    const { configuration } = await relyingParty(app.issuer, 'helper', helperKey('helper'));
    await client.tokenRevocation(configuration, revoked);
    const refused = new Set<string>();
    for (const actorToken of [
      await serviceToken('idle'),
      await serviceToken('acme-ci', ciKey),
      revoked,
      subject,
      'nonsense',
      `${(await serviceToken()).slice(0, -3)}xxx`,
    ])
      refused.add(await refusalOf(acting(subject, actorToken)));
    expect([...refused]).to.deep.equal([unusable]);
    const party = await relyingParty(app.issuer, 'switcher', thirdPartySecret);
    const own = await tokensOf(party);
    expect(await refusalOf(acting(own.access_token, await serviceToken(), {}, party))).to.equal(unusable);
  });

  it('token and type come together, and there is no refresh token', async () => {
    const { access_token: subject, refresh_token: refreshToken = '' } = await tokensOf();
    const actorToken = await serviceToken();
    for (const more of [
      { actor_token_type: '' },
      { actor_token: '' },
      { actor_token_type: typeOf('id_token') },
      { subject_token: refreshToken, ...ofRefreshToken, requested_token_type: typeOf('refresh_token') },
    ])
      expect(await refusalOf(acting(subject, actorToken, more)), JSON.stringify(more)).to.match(/^invalid_request/);
  });

  it('a bound token of the service needs its key', async () => {
    const { access_token: subject } = await tokensOf();
    const { configuration } = await relyingParty(app.issuer, 'helper', helperKey('helper'));
    const DPoP = client.getDPoPHandle(configuration, await client.randomDPoPKeyPair());
    const bound = await serviceToken('helper', helperKey('helper'), { DPoP });
    expect(await refusalOf(acting(subject, bound))).to.equal(unusable);
  });
});
