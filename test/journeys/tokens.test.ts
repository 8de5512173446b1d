import { expect } from 'chai';
import { decodeJwt } from 'jose';
import * as client from 'openid-client';
import { ciKey, projectsApi, webSecret } from '../support/contract-seed.js';
import { relyingParty, signIn, type RelyingParty, type Tokens } from '../support/relying-party.js';
import { closeApps, startApp, type RunningApp } from '../support/start-app.js';
import { seedWithTwoTenants } from '../support/two-tenants.js';
import { dropCaches } from '../support/drop-caches.js';

describe('tokens after sign-in', () => {
  let running: RunningApp;
  let party: RelyingParty;

  beforeEach(async () => {
    running = await startApp({ seed: seedWithTwoTenants });
    party = await relyingParty(running.issuer);
  });
  afterEach(closeApps);

  async function tokensOfAda(scope = 'openid tenant projects:read projects:write'): Promise<Tokens> {
    const { url, finish } = await party.begin({ scope });
    return finish((await signIn(running.issuer, url)).page.url);
  }

  const refresh = (tokens: { refresh_token?: string }): Promise<Tokens> =>
    client.refreshTokenGrant(party.configuration, tokens.refresh_token ?? '');
  const introspect = async (token: string, as = 'web'): Promise<client.IntrospectionResponse> =>
    client.tokenIntrospection((await relyingParty(running.issuer, as, webSecret)).configuration, token);
  const codeOf = (promise: Promise<unknown>): Promise<string> =>
    promise.then(
      () => 'no error',
      (error: { error?: string }) => error.error ?? 'no code',
    );

  it('a refresh token rotates; using the former one again ends the whole family', async () => {
    const first = await tokensOfAda();
    const second = await refresh(first);
    expect(second.refresh_token).to.be.a('string').and.not.equal(first.refresh_token);
    expect(await codeOf(refresh(first))).to.equal('invalid_grant');
    expect(await codeOf(refresh(second))).to.equal('invalid_grant');
    expect(await introspect(second.access_token)).to.deep.equal({ active: false });
  });

  it('a code works once; using it again ends what it gave', async () => {
    const { url, finish } = await party.begin();
    const { page } = await signIn(running.issuer, url);
    const tokens = await finish(page.url);
    expect(await codeOf(finish(page.url))).to.equal('invalid_grant');
    expect(await codeOf(refresh(tokens))).to.equal('invalid_grant');
  });

  it('a narrower role shows at the next refresh and at introspection, a removed membership ends both', async () => {
    const tokens = await tokensOfAda();
    expect(decodeJwt(tokens.access_token)['scope']).to.equal('openid tenant projects:read projects:write');
    const memberships = running.database.collection('memberships');
    const { sub } = tokens.claims() ?? {};

    await memberships.updateOne({ userId: sub ?? '' }, { $set: { roles: ['viewer'] } });
    await dropCaches(running);
    expect((await introspect(tokens.access_token)).scope).to.equal('openid tenant projects:read');
    const narrower = await refresh(tokens);
    expect(decodeJwt(narrower.access_token)).to.include({ scope: 'openid tenant projects:read' });
    expect(decodeJwt(narrower.access_token)['roles']).to.deep.equal(['viewer']);

    await memberships.deleteOne({ userId: sub ?? '' });
    await dropCaches(running);
    expect(await introspect(narrower.access_token)).to.deep.equal({ active: false });
    expect(await codeOf(refresh(narrower))).to.equal('invalid_grant');
    const info = await fetch(`${running.issuer}/oauth2/userinfo`, {
      headers: { Authorization: `Bearer ${narrower.access_token}` },
    });
    expect(info.status).to.equal(401);
  });

  it('introspection is for the client itself and for those that the resource names', async () => {
    const tokens = await tokensOfAda();
    expect(await introspect(tokens.access_token)).to.include({
      active: true,
      client_id: 'web',
      tenant_slug: 'acme',
      aud: projectsApi,
    });
    expect(await introspect(tokens.access_token, 'rs')).to.include({ active: true, sub: tokens.claims()?.sub });
    expect(await introspect(tokens.refresh_token ?? '', 'rs')).to.deep.equal({ active: false });
    expect(await introspect(tokens.refresh_token ?? '')).to.include({ active: true });
  });

  it('a revoked JWT access token is inactive and refused at userinfo; a revoked refresh token ends the grant', async () => {
    const tokens = await tokensOfAda();
    await client.tokenRevocation(party.configuration, tokens.access_token);
    expect(await introspect(tokens.access_token)).to.deep.equal({ active: false });
    const info = await fetch(`${running.issuer}/oauth2/userinfo`, {
      headers: { Authorization: `Bearer ${tokens.access_token}` },
    });
    expect(info.status).to.equal(401);
    const renewed = await refresh(tokens);
    await client.tokenRevocation(party.configuration, renewed.refresh_token ?? '');
    expect(await codeOf(refresh(renewed))).to.equal('invalid_grant');
    expect(await introspect(renewed.access_token)).to.deep.equal({ active: false });
  });

  it('sign-out asks, ends the session and its grants, and leaves offline access alone', async () => {
    const online = await party.begin({ scope: 'openid' });
    const { browser, page } = await signIn(running.issuer, online.url);
    const tokens = await online.finish(page.url);
    const offline = await party.begin({ scope: 'openid offline_access', prompt: 'consent' });
    const consent = await browser.get(offline.url);
    const lasting = await offline.finish((await browser.submit(consent, { decision: 'accept' })).url);

    const signOut = client.buildEndSessionUrl(party.configuration, {
      id_token_hint: tokens.id_token ?? '',
      post_logout_redirect_uri: 'http://localhost:3001/',
      state: 'bye',
    });
    const confirm = await browser.get(signOut.href);
    expect(confirm.status).to.equal(200);
    expect(await introspect(tokens.access_token)).to.include({ active: true });
    const out = await browser.submit(confirm, { logout: 'yes' });
    expect(out.url).to.equal('http://localhost:3001/?state=bye');

    expect(await codeOf(refresh(tokens))).to.equal('invalid_grant');
    expect(await introspect(tokens.access_token)).to.deep.equal({ active: false });
    expect(await refresh(lasting)).to.have.property('access_token');
    const again = await party.begin({ prompt: 'none' });
    expect((await browser.get(again.url)).url).to.contain('error=login_required');
  });

  it('who chooses to stay signed in is told so, and stays', async () => {
    const begun = await party.begin({ scope: 'openid' });
    const { browser, page } = await signIn(running.issuer, begun.url);
    const tokens = await begun.finish(page.url);
    const confirm = await browser.get(`${running.issuer}/oauth2/logout?client_id=web`);
    const stayed = await browser.submit(confirm, { xsrf: /name="xsrf" value="([^"]+)"/.exec(confirm.html)?.[1] ?? '' });
    expect(stayed.html).to.contain('You are still signed in');
    expect(await introspect(tokens.access_token)).to.include({ active: true });
    const silent = await party.begin({ prompt: 'none' });
    expect((await browser.get(silent.url)).url).to.contain('code=');
    const out = await browser.submit(await browser.get(`${running.issuer}/oauth2/logout`), { logout: 'yes' });
    expect(out.html).to.contain('You are signed out');
  });

  it('a third-party client asks once, and remembers the answer beyond the session', async () => {
    const third = await relyingParty(running.issuer, 'third-party', 'another-s3cret-another-s3cret-xxxx');
    const begun = await third.begin({ scope: 'openid email projects:read' });
    const { browser, page } = await signIn(running.issuer, begun.url);
    expect(page.html).to.contain('Third Party').and.to.contain('Projects API').and.to.contain('projects:read');
    const tokens = await begun.finish((await browser.submit(page, { decision: 'accept' })).url);
    expect(decodeJwt(tokens.access_token)['scope']).to.equal('openid email projects:read');

    const later = await third.begin({ scope: 'openid email projects:read' });
    expect((await signIn(running.issuer, later.url)).page.url).to.contain('code=');
    const more = await third.begin({ scope: 'openid email projects:read projects:write' });
    const wider = await signIn(running.issuer, more.url);
    expect((await wider.browser.submit(wider.page, { decision: 'deny' })).url).to.contain('error=access_denied');
  });
});

describe('service tokens', () => {
  afterEach(closeApps);
  const request = { resource: projectsApi, scope: 'projects:read' };

  for (const [name, authentication] of [
    ['client_secret_basic', client.ClientSecretBasic(ciKey)],
    ['client_secret_post', client.ClientSecretPost(ciKey)],
  ] as const) {
    it(`a service account gets a JWT for an API with its key by ${name}`, async () => {
      const { issuer } = await startApp();
      const configuration = await client.discovery(new URL(issuer), 'acme-ci', undefined, authentication, {
        execute: [client.allowInsecureRequests],
      });
      const tokens = await client.clientCredentialsGrant(configuration, request);
      const claims = decodeJwt(tokens.access_token);
      expect(claims).to.include({
        sub: 'acme-ci',
        client_id: 'acme-ci',
        aud: projectsApi,
        scope: 'projects:read',
        tenant_slug: 'acme',
      });
      expect(claims['roles']).to.deep.equal(['editor']);
      expect(await client.tokenIntrospection(configuration, tokens.access_token)).to.include({ active: true });
      await client.tokenRevocation(configuration, tokens.access_token);
      expect(await client.tokenIntrospection(configuration, tokens.access_token)).to.deep.equal({ active: false });
    });
  }

  it('without a scope it gets what its roles allow; without a resource an opaque token', async () => {
    const { issuer } = await startApp();
    const { configuration } = await relyingParty(issuer, 'acme-ci', ciKey);
    const all = await client.clientCredentialsGrant(configuration, { resource: projectsApi });
    expect(all.scope).to.equal('projects:read projects:write');
    const opaque = await client.clientCredentialsGrant(configuration);
    expect(opaque.access_token.split('.')).to.have.length(1);
    expect(await client.tokenIntrospection(configuration, opaque.access_token)).to.include({
      active: true,
      tenant_slug: 'acme',
    });
  });
});
