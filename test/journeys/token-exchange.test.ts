import { expect } from 'chai';
import { decodeJwt } from 'jose';
import * as client from 'openid-client';
import { projectsApi, redirectUri } from '../support/contract-seed.js';
import { eventually } from '../support/eventually.js';
import { dropCaches } from '../support/drop-caches.js';
import { relyingParty, signIn, type RelyingParty, type Tokens } from '../support/relying-party.js';
import { closeApps, startApp, type RunningApp } from '../support/start-app.js';
import { consultant, seedWithTwoTenants, thirdPartySecret, tokenExchange } from '../support/two-tenants.js';

const typeOf = (name: string): string => `urn:ietf:params:oauth:token-type:${name}`;
const switching = {
  client_secret: thirdPartySecret,
  redirect_uris: [redirectUri],
  grant_types: ['authorization_code' as const, 'refresh_token' as const, tokenExchange],
  resources: [projectsApi],
};
const seed = {
  ...seedWithTwoTenants,
  tenants: [
    ...(seedWithTwoTenants.tenants ?? []),
    { slug: 'foreign', name: 'Foreign', type: 'team' as const },
    { slug: 'shut', name: 'Shut', type: 'team' as const },
  ],
  users: (seedWithTwoTenants.users ?? []).map((user) =>
    user.email === consultant.email
      ? { ...user, memberships: [...(user.memberships ?? []), { tenant: 'shut', roles: ['member'] }] }
      : user,
  ),
  clients: [
    ...(seedWithTwoTenants.clients ?? []),
    { ...switching, client_id: 'other-switcher', firstParty: true },
    { ...switching, client_id: 'acme-switcher', firstParty: true, tenant: 'acme' },
    { ...switching, client_id: 'third-switcher', client_name: 'Third Switcher' },
  ],
};

describe('switching tenants by token exchange (RFC 8693)', () => {
  let app: RunningApp;
  let party: RelyingParty;

  beforeEach(async () => {
    app = await startApp({ seed });
    await app.database.collection('tenants').updateOne({ slugs: 'shut' }, { $set: { status: 'suspended' } });
    party = await relyingParty(app.issuer, 'switcher', thirdPartySecret);
  });
  afterEach(closeApps);

  async function tokensOf(by = party, options?: client.AuthorizationCodeGrantOptions): Promise<Tokens> {
    const begun = await by.begin({ scope: 'openid tenant projects:read projects:write', tenant: 'acme' });
    const visit = await signIn(app.issuer, begun.url, consultant);
    const consented = visit.page.url.startsWith(redirectUri)
      ? visit.page
      : await visit.browser.submit(visit.page, { decision: 'accept' });
    return begun.finish(consented.url, options);
  }

  function switchTo(
    subject: string | undefined,
    parameters: Record<string, string> = {},
    options?: client.DPoPOptions,
    by = party,
  ): Promise<client.TokenEndpointResponse> {
    const named = { subject_token: subject ?? '', subject_token_type: typeOf('access_token'), tenant: 'globex' };
    return client.genericGrantRequest(by.configuration, tokenExchange, { ...named, ...parameters }, options);
  }

  const refusalOf = (promise: Promise<unknown>): Promise<string> =>
    promise.then(
      () => 'no error',
      (error: { error?: string; error_description?: string }) => `${error.error}: ${error.error_description}`,
    );
  const ofRefreshToken = { subject_token_type: typeOf('refresh_token') };

  it('sec-015 sec-063 gives a narrower token of the other tenant, and both live side by side', async () => {
    expect(party.configuration.serverMetadata().grant_types_supported).to.include(tokenExchange);
    const tokens = await tokensOf();
    for (const [subject, type] of [
      [tokens.access_token, 'access_token'],
      [tokens.access_token, 'jwt'],
      [tokens.refresh_token, 'refresh_token'],
    ] as const) {
      const answer = await switchTo(subject, { subject_token_type: typeOf(type) });
      expect(answer).to.include({ token_type: 'bearer', issued_token_type: typeOf('access_token') });
      expect(answer).not.to.have.any.keys('refresh_token', 'id_token');
      const [before, after] = [decodeJwt(tokens.access_token), decodeJwt(answer.access_token)];
      expect(after).to.include({ sub: before.sub, aud: projectsApi, tenant_slug: 'globex' });
      expect(after['auth_time'], type).to.equal(before['auth_time']);
      expect(before['scope']).to.contain('projects:write');
      expect(after['scope']).not.to.contain('projects:write');
      for (const token of [tokens.access_token, answer.access_token])
        expect((await client.tokenIntrospection(party.configuration, token)).active).to.equal(true);
    }
    expect(await app.database.collection('events').countDocuments({ type: 'token.exchanged' })).to.equal(3);
    const renewed = await client.refreshTokenGrant(party.configuration, tokens.refresh_token ?? '');
    expect(decodeJwt(renewed.access_token)['tenant_slug']).to.equal('acme');
  });

  it('sec-056 a refresh token that was asked for refreshes in its tenant until the membership is removed', async () => {
    const tokens = await tokensOf();
    const answer = await switchTo(tokens.refresh_token, {
      ...ofRefreshToken,
      requested_token_type: typeOf('refresh_token'),
    });
    const renewed = await client.refreshTokenGrant(party.configuration, answer.refresh_token ?? '');
    expect(decodeJwt(renewed.access_token)['tenant_slug']).to.equal('globex');
    const globex = decodeJwt(renewed.access_token)['tenant_id'];
    await app.database.collection('memberships').deleteMany({ tenantId: globex });
    await dropCaches(app);
    expect(await refusalOf(client.refreshTokenGrant(party.configuration, renewed.refresh_token ?? ''))).to.match(
      /^invalid_grant/,
    );
  });

  it('sec-012 sec-017 unknown, foreign and suspended tenants are refused in the same words', async () => {
    const { access_token: token } = await tokensOf();
    const answers = [];
    for (const tenant of ['nowhere', 'foreign', 'shut', 'ten_nothing', '$ne', '../acme'])
      answers.push(await refusalOf(switchTo(token, { tenant })));
    expect(new Set(answers)).to.deep.equal(new Set(['invalid_target: tenant is not open to this person and client']));
  });

  it('sec-015 a client of one tenant yields that one alone; a third party needs a consent there', async () => {
    const owned = await relyingParty(app.issuer, 'acme-switcher', thirdPartySecret);
    const { access_token: ofAcme } = await tokensOf(owned);
    expect(await refusalOf(switchTo(ofAcme, {}, undefined, owned))).to.match(/^invalid_target/);
    const third = await relyingParty(app.issuer, 'third-switcher', thirdPartySecret);
    const { access_token: ofThird } = await tokensOf(third);
    expect(await refusalOf(switchTo(ofThird, {}, undefined, third))).to.match(/^invalid_grant/);
  });

  it('sec-057 sec-063 sec-064 whatever else is wrong is refused, and never by a failure', async () => {
    const tokens = await tokensOf();
    const subject = tokens.access_token;
    const other = await relyingParty(app.issuer, 'other-switcher', thirdPartySecret);
    const cases: [string, string | undefined, Record<string, string>, RelyingParty?][] = [
      ['invalid_grant', subject, {}, other],
      ['invalid_grant', tokens.refresh_token, ofRefreshToken, other],
      ['invalid_grant', tokens.id_token, {}],
      ['invalid_grant', `${subject}x`, {}],
      ['invalid_grant', 'junk', {}],
      ['invalid_grant', tokens.refresh_token, {}],
      ['invalid_grant', subject, ofRefreshToken],
      ['invalid_request', tokens.id_token, { subject_token_type: typeOf('id_token') }],
      ['invalid_request', subject, { requested_token_type: typeOf('saml2') }],
      ['invalid_request', subject, { requested_token_type: typeOf('refresh_token') }],
      ['invalid_request', subject, { actor_token: subject }],
      ['invalid_request', subject, { tenant: '' }],
      ['invalid_request', '', {}],
      ['invalid_scope', subject, { scope: 'openid email' }],
      ['invalid_scope', subject, { scope: 'projects:write' }],
      ['invalid_target', subject, { resource: 'https://api.example.com/other' }],
      ['invalid_target', subject, { audience: 'https://api.example.com/other' }],
      ['invalid_request', subject, { requested_token_type: typeOf('jwt') }],
    ];
    for (const [error, token, parameters, by] of cases)
      expect(await refusalOf(switchTo(token, parameters, undefined, by)), JSON.stringify(parameters)).to.match(
        new RegExp(`^${error}:`),
      );
    await client.tokenRevocation(party.configuration, subject);
    expect(await refusalOf(switchTo(subject))).to.match(/^invalid_grant/);
  });

  it('sec-056 ends with the session, and a subject whose grant was revoked is refused', async () => {
    const tokens = await tokensOf();
    const { access_token: switched } = await switchTo(tokens.access_token);
    await client.tokenRevocation(party.configuration, tokens.refresh_token ?? '');
    expect(await refusalOf(switchTo(tokens.access_token))).to.match(/^invalid_grant/);
    const begun = await party.begin({ scope: 'openid projects:read', tenant: 'acme' });
    const { browser, page } = await signIn(app.issuer, begun.url, consultant);
    const { access_token: live, id_token: hint } = await begun.finish(page.url);
    const again = await switchTo(live);
    const out = client.buildEndSessionUrl(party.configuration, { id_token_hint: hint ?? '' });
    await browser.submit(await browser.get(out.href), { logout: 'yes' });
    expect((await client.tokenIntrospection(party.configuration, again.access_token)).active).to.equal(false);
    expect((await client.tokenIntrospection(party.configuration, switched)).active).to.equal(false);
    expect(await refusalOf(switchTo(live))).to.match(/^invalid_grant/);
  });

  describe('what came of an exchange ends with what it came of', () => {
    const stateOf = async (token: string | undefined): Promise<boolean> =>
      (await client.tokenIntrospection(party.configuration, token ?? '')).active;
    const refresh = (token: string | undefined): Promise<client.TokenEndpointResponse> =>
      client.refreshTokenGrant(party.configuration, token ?? '');
    const switchForGood = (token: string | undefined): Promise<client.TokenEndpointResponse> =>
      switchTo(token, { ...ofRefreshToken, requested_token_type: typeOf('refresh_token') });

    async function expectEnded({ access_token, refresh_token }: client.TokenEndpointResponse): Promise<void> {
      expect(await stateOf(access_token)).to.equal(false);
      expect(await stateOf(refresh_token)).to.equal(false);
      expect(await refusalOf(refresh(refresh_token))).to.match(/^invalid_grant/);
    }

    it('sec-056 when its grant is revoked, however long the chain, and nothing else does', async () => {
      const [tokens, others] = [await tokensOf(), await tokensOf()];
      const first = await switchForGood(tokens.refresh_token);
      const back = await switchTo(first.refresh_token, {
        ...{ ...ofRefreshToken, requested_token_type: typeOf('refresh_token'), tenant: 'acme' },
      });
      const other = await switchForGood(others.refresh_token);
      await client.tokenRevocation(party.configuration, tokens.refresh_token ?? '');
      for (const ended of [first, back]) await expectEnded(ended);
      expect(await stateOf(other.access_token)).to.equal(true);
      expect(await stateOf(others.access_token)).to.equal(true);
    });

    it('however often it goes back and forth there is one grant for each tenant beside the first', async () => {
      let { refresh_token: token } = await tokensOf();
      for (const tenant of ['globex', 'acme', 'globex', 'acme', 'globex', 'acme']) {
        const parameters = { ...ofRefreshToken, requested_token_type: typeOf('refresh_token'), tenant };
        ({ refresh_token: token } = await switchTo(token, parameters));
      }
      expect(await app.database.collection('oidc_grants').countDocuments({ clientId: 'switcher' })).to.equal(3);
    });

    it('sec-063 an access token does not renew itself: what it gives lives no longer than it does', async () => {
      const { access_token: subject } = await tokensOf();
      const { iat = 0, exp } = decodeJwt(subject);
      await eventually(async () => {
        const given = decodeJwt((await switchTo(subject)).access_token);
        expect(given.iat).to.be.greaterThan(iat);
        expect(given.exp).to.equal(exp);
      }, 5000);
    });

    it('sec-056 a reuse ends the family from its beginning', async () => {
      const tokens = await tokensOf();
      const switched = await switchForGood(tokens.refresh_token);
      await refresh(switched.refresh_token);
      expect(await refusalOf(refresh(switched.refresh_token))).to.match(/^invalid_grant/);
      await expectEnded(switched);
      expect(await stateOf(tokens.access_token)).to.equal(false);
    });

    it('sec-056 not the other way round: the subject goes on', async () => {
      const tokens = await tokensOf();
      const switched = await switchForGood(tokens.refresh_token);
      await client.tokenRevocation(party.configuration, switched.refresh_token ?? '');
      await expectEnded(switched);
      expect((await refresh(tokens.refresh_token)).access_token).to.be.a('string');
    });

    for (const [how, again] of [
      ['at a refresh', refresh],
      ['as the subject of an exchange', switchForGood],
    ] as const) {
      it(`sec-056 when a refresh token comes a second time, ${how}`, async () => {
        const tokens = await tokensOf();
        const switched = await switchForGood(tokens.refresh_token);
        const renewed = await refresh(tokens.refresh_token);
        expect(await refusalOf(again(tokens.refresh_token))).to.match(/^invalid_grant/);
        for (const ended of [switched, renewed]) await expectEnded(ended);
      });
    }

    it('sec-056 also when both happen at once, twenty times', async () => {
      for (let round = 0; round < 20; round++) {
        const tokens = await tokensOf();
        const [, ...switched] = await Promise.allSettled([
          client.tokenRevocation(party.configuration, tokens.refresh_token ?? ''),
          ...Array.from({ length: 4 }, () => switchForGood(tokens.refresh_token)),
        ]);
        for (const one of switched) {
          if (one.status === 'fulfilled') await expectEnded(one.value);
          else expect((one.reason as { error?: string }).error).to.equal('invalid_grant');
        }
        expect(await refusalOf(switchForGood(tokens.refresh_token))).to.match(/^invalid_grant/);
      }
    }).timeout(60_000);

    it('with offline access it outlives the session, and can be made after that', async () => {
      const begun = await party.begin({
        scope: 'openid offline_access projects:read',
        tenant: 'acme',
        prompt: 'consent',
      });
      const visit = await signIn(app.issuer, begun.url, consultant);
      const agreed = visit.page.url.startsWith(redirectUri)
        ? visit.page
        : await visit.browser.submit(visit.page, { decision: 'accept' });
      const tokens = await begun.finish(agreed.url);
      const before = await switchForGood(tokens.refresh_token);
      const out = client.buildEndSessionUrl(party.configuration, { id_token_hint: tokens.id_token ?? '' });
      await visit.browser.submit(await visit.browser.get(out.href), { logout: 'yes' });
      const after = await switchForGood(tokens.refresh_token);
      for (const one of [before, after]) expect((await refresh(one.refresh_token)).access_token).to.be.a('string');
    });
  });

  it('sec-063 a bound subject needs its key, and what it gives is bound to it', async () => {
    const DPoP = client.getDPoPHandle(party.configuration, await client.randomDPoPKeyPair('ES256'));
    const other = client.getDPoPHandle(party.configuration, await client.randomDPoPKeyPair('ES256'));
    const { access_token: subject } = await tokensOf(party, { DPoP });
    const answer = await switchTo(subject, {}, { DPoP });
    expect(answer.token_type).to.equal('dpop');
    expect(decodeJwt(answer.access_token)['cnf']).to.deep.equal(decodeJwt(subject)['cnf']);
    expect(await refusalOf(switchTo(subject))).to.match(/^invalid_grant/);
    expect(await refusalOf(switchTo(subject, {}, { DPoP: other }))).to.match(/^invalid_grant/);
  });
});
