import { expect } from 'chai';
import { decodeJwt, decodeProtectedHeader } from 'jose';
import * as client from 'openid-client';
import { contractSeed, projectsApi } from '../support/contract-seed.js';
import { relyingParty, signIn } from '../support/relying-party.js';
import { closeApps, startApp } from '../support/start-app.js';
import { consultant, seedWithTwoTenants, thirdPartySecret } from '../support/two-tenants.js';

describe('signing in with a standard client', () => {
  afterEach(closeApps);

  it('a person with one tenant gets tokens that carry it', async () => {
    const { issuer } = await startApp();
    const party = await relyingParty(issuer);
    const { url, finish } = await party.begin({ scope: 'openid profile email tenant projects:read' });

    const { page } = await signIn(issuer, url);
    expect(page.url).to.match(/^http:\/\/localhost:3001\/callback\?/);
    const tokens = await finish(page.url);

    const claims = tokens.claims();
    expect(claims).to.include({ name: 'Ada Lovelace', email: 'ada@example.com', email_verified: true });
    expect(claims).to.include({ tenant_slug: 'acme', tenant_type: 'enterprise', acr: 'aal1' });
    expect(claims?.['roles']).to.deep.equal(['owner']);
    expect(claims?.['entitlements']).to.include('connections');
    expect(claims?.['amr']).to.deep.equal(['pwd']);
    expect(claims?.auth_time).to.be.a('number');
    const access = decodeJwt(tokens.access_token);
    expect(decodeProtectedHeader(tokens.access_token)).to.include({ typ: 'at+jwt', alg: 'ES256' });
    expect(access).to.include({ iss: issuer, aud: projectsApi, client_id: 'web', tenant_slug: 'acme', acr: 'aal1' });
    expect(access.sub).to.equal(claims?.sub);
    expect(access['amr']).to.deep.equal(['pwd']);
    expect(access['auth_time']).to.equal(claims?.auth_time);
    expect(access['scope']).to.equal('openid profile email tenant projects:read');
  });

  it('userinfo answers to the JWT access token of an API, and to an opaque one', async () => {
    const { issuer } = await startApp({ seed: seedWithTwoTenants });
    for (const [clientId, secret] of [
      ['web', undefined],
      ['plain', thirdPartySecret],
    ] as const) {
      const party = await relyingParty(issuer, clientId, secret);
      const { url, finish } = await party.begin();
      const tokens = await finish((await signIn(issuer, url)).page.url);
      expect(tokens.access_token.split('.')).to.have.length(clientId === 'web' ? 3 : 1);
      const info = await client.fetchUserInfo(party.configuration, tokens.access_token, tokens.claims()?.sub ?? '');
      expect(info).to.include({ email: 'ada@example.com', name: 'Ada Lovelace', tenant_slug: 'acme' });
    }
  });

  it('userinfo answers to the opaque access token of an API too, and introspection still tells its audience', async () => {
    const opaqueApi = 'https://api.example.com/opaque';
    const { issuer, app } = await startApp();
    const [web] = contractSeed.clients ?? [];
    if (!web) throw new Error('no client in the seed');
    await app.seeding.applySeed({
      resources: [
        { identifier: opaqueApi, name: 'Opaque', permissions: ['things:read'], accessToken: { format: 'opaque' } },
      ],
      clients: [{ ...web, resources: [opaqueApi] }],
    });
    const party = await relyingParty(issuer);
    const { url, finish } = await party.begin({ scope: 'openid email things:read' });
    const tokens = await finish((await signIn(issuer, url)).page.url);
    expect(tokens.access_token).not.to.contain('.');
    const info = await client.fetchUserInfo(party.configuration, tokens.access_token, tokens.claims()?.sub ?? '');
    expect(info.email).to.equal('ada@example.com');
    expect(await client.tokenIntrospection(party.configuration, tokens.access_token)).to.include({
      active: true,
      aud: opaqueApi,
    });
  });

  it('a person with several tenants picks one', async () => {
    const { issuer } = await startApp({ seed: seedWithTwoTenants });
    const party = await relyingParty(issuer);
    const { url, finish } = await party.begin();
    const { browser, page } = await signIn(issuer, url, consultant);
    expect(page.status).to.equal(200);
    expect(page.html).to.match(/<button[^>]*name="tenant"[^>]*value="acme"[^>]*>\s*(<[^>]*>\s*)*Acme Inc/);

    const back = await browser.submit(page, { tenant: 'globex' });
    const tokens = await finish(back.url);
    expect(tokens.claims()).to.include({ tenant_slug: 'globex' });
    expect(tokens.claims()?.['roles']).to.deep.equal(['member']);
  });

  it('the parameter `tenant` picks by slug or id, without a page', async () => {
    const { issuer, database } = await startApp({ seed: seedWithTwoTenants });
    const party = await relyingParty(issuer);
    const globex = await database.collection<{ _id: string; slugs: string[] }>('tenants').findOne({ slugs: 'globex' });
    for (const tenant of ['globex', globex?._id ?? '']) {
      const { url, finish } = await party.begin({ tenant });
      const tokens = await finish((await signIn(issuer, url, consultant)).page.url);
      expect(tokens.claims()).to.include({ tenant_slug: 'globex', tenant_id: globex?._id });
    }
  });

  it('foreign, unknown and suspended tenants are refused in the same words', async () => {
    const { issuer, database, app } = await startApp({ seed: seedWithTwoTenants });
    await database.collection('tenants').updateOne({ slugs: 'globex' }, { $set: { status: 'suspended' } });
    await app.seeding.applySeed({ tenants: [{ slug: 'initech', name: 'Initech', type: 'team' }] });
    const party = await relyingParty(issuer);
    const answers = new Set<string>();
    for (const tenant of ['globex', 'initech', 'nobody', `ten_${'0'.repeat(32)}`]) {
      const { url } = await party.begin({ tenant, state: 'same' });
      answers.add((await signIn(issuer, url, consultant)).page.url);
    }
    expect([...answers]).to.have.length(1);
    expect([...answers][0]).to.contain('error=access_denied');
  });

  it('switching to another tenant needs no new login, and both sets of tokens live on', async () => {
    const { issuer } = await startApp({ seed: seedWithTwoTenants });
    const party = await relyingParty(issuer);
    const first = await party.begin({ tenant: 'acme' });
    const { browser, page } = await signIn(issuer, first.url, consultant);
    const inAcme = await first.finish(page.url);
    const second = await party.begin({ tenant: 'globex' });
    const inGlobex = await second.finish((await browser.get(second.url)).url);
    expect(inGlobex.claims()).to.include({ tenant_slug: 'globex' });

    for (const [tokens, slug] of [
      [inAcme, 'acme'],
      [inGlobex, 'globex'],
    ] as const) {
      const renewed = await client.refreshTokenGrant(party.configuration, tokens.refresh_token ?? '');
      expect(decodeJwt(renewed.access_token)).to.include({ tenant_slug: slug });
    }
  });

  it('prompt=select_tenant shows the picker although a tenant is known', async () => {
    const { issuer } = await startApp({ seed: seedWithTwoTenants });
    const party = await relyingParty(issuer);
    const { url, finish } = await party.begin({ tenant: 'acme', prompt: 'select_tenant' });
    const { browser, page } = await signIn(issuer, url, consultant);
    const tokens = await finish((await browser.submit(page, { tenant: 'globex' })).url);
    expect(tokens.claims()).to.include({ tenant_slug: 'globex' });
  });

  it('a client of one tenant yields that tenant alone', async () => {
    const { issuer } = await startApp({ seed: seedWithTwoTenants });
    const party = await relyingParty(issuer, 'globex-app', thirdPartySecret);
    const own = await party.begin();
    const tokens = await own.finish((await signIn(issuer, own.url, consultant)).page.url);
    expect(tokens.claims()).to.include({ tenant_slug: 'globex' });
    const foreign = await party.begin({ tenant: 'acme' });
    expect((await signIn(issuer, foreign.url, consultant)).page.url).to.contain('error=access_denied');
  });

  it('who is signed in but has no place in the tenant may come as somebody else', async () => {
    const { issuer } = await startApp({ seed: seedWithTwoTenants });
    const party = await relyingParty(issuer);
    const first = await party.begin({ tenant: 'acme' });
    const { browser } = await signIn(issuer, first.url);
    const foreign = await party.begin({ tenant: 'globex' });
    const page = await browser.get(foreign.url);
    expect(page.html).to.contain('id="password"');
    const between = await browser.submit(page, { login: consultant.email, password: consultant.password });
    const tokens = await foreign.finish((await browser.submit(between, { logout: 'yes' })).url);
    expect(tokens.claims()).to.include({ tenant_slug: 'globex' });
  });

  it('prompt=none answers without a page: login, choice of tenant, or the code', async () => {
    const { issuer } = await startApp({ seed: seedWithTwoTenants });
    const party = await relyingParty(issuer);
    const begun = await party.begin({ tenant: 'acme' });
    const silent = async (parameters: Record<string, string>): Promise<string> => {
      const { url } = await party.begin({ prompt: 'none', ...parameters });
      return (await visitor.get(url)).url;
    };
    const { browser: visitor } = await signIn(issuer, begun.url, consultant);
    expect(await silent({ tenant: 'globex' })).to.contain('code=');
    expect(await silent({})).to.contain('error=interaction_required');
    expect(await silent({ tenant: 'nobody' })).to.contain('error=access_denied');
    visitor.cookies.clear();
    expect(await silent({ tenant: 'acme' })).to.contain('error=login_required');
  });

  it('a pushed authorization request works, once', async () => {
    const { issuer } = await startApp();
    const party = await relyingParty(issuer);
    const { url: direct, finish } = await party.begin({ scope: 'openid projects:read' });
    const pushed = await client.buildAuthorizationUrlWithPAR(party.configuration, new URL(direct).searchParams);
    const { browser, page } = await signIn(issuer, pushed.href);
    expect((await finish(page.url)).claims()).to.have.property('sub');
    const again = await browser.get(pushed.href);
    expect(again.status).to.equal(400);
  });
});
