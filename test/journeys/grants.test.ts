import { expect } from 'chai';
import { decodeJwt } from 'jose';
import * as client from 'openid-client';
import { mock } from 'node:test';
import { browser as newBrowser } from '../support/browser.js';
import { ada, ciKey, projectsApi } from '../support/contract-seed.js';
import { relyingParty, signIn } from '../support/relying-party.js';
import { closeApps, startApp } from '../support/start-app.js';
import { consultant, seedWithTwoTenants, thirdPartySecret } from '../support/two-tenants.js';

const errorOf = (promise: Promise<unknown>): Promise<string> =>
  promise.then(
    () => 'no error',
    (error: { error?: string }) => error.error ?? 'no code',
  );

describe('grants', () => {
  afterEach(async () => {
    mock.timers.reset();
    await closeApps();
  });

  it('parallel requests of one session with different scopes take nothing from each other', async () => {
    const { issuer } = await startApp();
    const party = await relyingParty(issuer);
    const first = await party.begin({ scope: 'openid' });
    const { browser, page } = await signIn(issuer, first.url);
    await first.finish(page.url);
    const scopes = ['openid profile', 'openid email', 'openid tenant', 'openid projects:read', 'openid projects:write'];
    const granted = await Promise.all(
      scopes.map(async (scope) => {
        const { url, finish } = await party.begin({ scope });
        return decodeJwt((await finish((await browser.get(url)).url)).access_token)['scope'];
      }),
    );
    expect(granted).to.deep.equal(scopes);
  });

  it('sec-032 without offline access ends with the session at the latest; with it outlives the session', async () => {
    const { issuer } = await startApp();
    const party = await relyingParty(issuer);
    const online = await party.begin({ scope: 'openid' });
    const { browser, page } = await signIn(issuer, online.url);
    const bound = await online.finish(page.url);
    const asked = await party.begin({ scope: 'openid offline_access', prompt: 'consent' });
    const lasting = await asked.finish(
      (await browser.submit(await browser.get(asked.url), { decision: 'accept' })).url,
    );

    const renew = (token: string | undefined): Promise<string> =>
      errorOf(client.refreshTokenGrant(party.configuration, token ?? ''));
    mock.timers.enable({ apis: ['Date'], now: Date.now() + (12 * 3600 + 60) * 1000 });
    expect(await renew(bound.refresh_token)).to.equal('invalid_grant');
    expect(await renew(lasting.refresh_token)).to.equal('no error');
    const silent = await party.begin({ prompt: 'none' });
    expect((await browser.get(silent.url)).url).to.contain('error=login_required');
  });

  it('sec-029 another person who signs in ends the session of the first, with its grants', async () => {
    const { issuer } = await startApp({ seed: seedWithTwoTenants });
    const party = await relyingParty(issuer);
    const first = await party.begin({ tenant: 'acme' });
    const { browser, page } = await signIn(issuer, first.url);
    const ofAda = await first.finish(page.url);
    const second = await party.begin({ tenant: 'acme', prompt: 'login' });
    const { page: between } = await signIn(issuer, second.url, consultant, browser);
    const onwards = await browser.submit(between, { logout: 'yes' });
    const ofOther = await second.finish(onwards.url);
    expect(ofOther.claims()?.sub).not.to.equal(ofAda.claims()?.sub);
    expect(await errorOf(client.refreshTokenGrant(party.configuration, ofAda.refresh_token ?? ''))).to.equal(
      'invalid_grant',
    );
  });

  it('a client that comes to belong to another tenant yields nothing in its former one', async () => {
    const { issuer, app } = await startApp({ seed: seedWithTwoTenants });
    const party = await relyingParty(issuer, 'globex-app', thirdPartySecret);
    const begun = await party.begin();
    const tokens = await begun.finish((await signIn(issuer, begun.url, consultant)).page.url);
    const moved = (seedWithTwoTenants.clients ?? []).filter(({ client_id: id }) => id === 'globex-app');
    await app.seeding.applySeed({ clients: moved.map((metadata) => ({ ...metadata, tenant: 'acme' })) });
    expect(await errorOf(client.refreshTokenGrant(party.configuration, tokens.refresh_token ?? ''))).to.equal(
      'invalid_grant',
    );
  });

  it('the `scope` of a client bounds what it is given, permissions included', async () => {
    const { issuer, app } = await startApp();
    const [web] = (await import('../support/contract-seed.js')).contractSeed.clients ?? [];
    if (!web) throw new Error('no client in the seed');
    const party = await relyingParty(issuer);
    const before = await party.begin({ scope: 'openid profile email projects:read projects:write' });
    const earlier = await before.finish((await signIn(issuer, before.url)).page.url);
    await app.seeding.applySeed({ clients: [{ ...web, scope: 'openid projects:read' }] });
    const { url, finish } = await party.begin({ scope: 'openid projects:read projects:write' });
    const tokens = await finish((await signIn(issuer, url)).page.url);
    expect(decodeJwt(tokens.access_token)['scope']).to.equal('openid projects:read');
    const wide = await client.tokenIntrospection(party.configuration, earlier.access_token);
    expect(wide.scope).to.equal('openid projects:read');
    const renewed = await client.refreshTokenGrant(party.configuration, earlier.refresh_token ?? '');
    expect(renewed.claims()).not.to.have.any.keys('email', 'name');
    const refused = await party.begin({ scope: 'openid email' });
    expect((await newBrowser(issuer).get(refused.url)).url).to.contain('error=invalid_scope');
  });

  it('every step leaves its event: sign-in, failure, grant, consent, reuse, sign-out', async () => {
    const { issuer, database } = await startApp({ seed: seedWithTwoTenants });
    const third = await relyingParty(issuer, 'third-party', thirdPartySecret);
    const begun = await third.begin({ scope: 'openid projects:read' });
    await signIn(issuer, begun.url, { ...ada, password: 'wrong password entirely' });
    const { browser, page } = await signIn(issuer, begun.url);
    const tokens = await begun.finish((await browser.submit(page, { decision: 'accept' })).url);
    await client.refreshTokenGrant(third.configuration, tokens.refresh_token ?? '');
    await errorOf(client.refreshTokenGrant(third.configuration, tokens.refresh_token ?? ''));
    const out = await browser.get(
      client.buildEndSessionUrl(third.configuration, { id_token_hint: tokens.id_token ?? '' }).href,
    );
    await browser.submit(out, { logout: 'yes' });

    const all = await database.collection('events').find({}).sort({ at: 1 }).toArray();
    const events = all.filter(
      ({ actor }) => !['seed', 'first_start'].includes((actor as { reason?: string }).reason ?? ''),
    );
    expect(events.map((event) => event['type'] as string)).to.deep.equal([
      'user.sign_in_failed',
      'user.password_accepted',
      'user.signed_in',
      'consent.granted',
      'grant.created',
      'grant.revoked',
      'session.ended',
    ]);
    const revoked = events.find((event) => event['type'] === 'grant.revoked');
    expect(revoked?.['data']).to.include({ reason: 'reuse' });
    expect(revoked?.['actor']).to.deep.equal({ kind: 'system', reason: 'protocol' });
  });

  it('sign-ins within one second are told apart, and a page left open does not set the session back', async () => {
    const { issuer, database } = await startApp({ seed: seedWithTwoTenants });
    const party = await relyingParty(issuer);
    const first = await party.begin({ tenant: 'acme' });
    const { browser } = await signIn(issuer, first.url);
    for (let count = 0; count < 3; count++) {
      const again = await party.begin({ tenant: 'acme', prompt: 'login' });
      await again.finish((await signIn(issuer, again.url, ada, browser)).page.url);
    }
    expect(await database.collection('events').countDocuments({ type: 'user.signed_in' })).to.equal(4);
  });

  it('sec-028 requests of other tabs cannot bring a former session identifier back', async () => {
    const { issuer } = await startApp({ seed: seedWithTwoTenants });
    const third = await relyingParty(issuer, 'third-party', thirdPartySecret);
    const web = await relyingParty(issuer);
    const silent = (await web.begin({ prompt: 'none', tenant: 'acme' })).url;
    const visit = async (url: string, cookie: string): Promise<{ location: string; cookies: string }> => {
      const answer = await fetch(new URL(url, issuer), {
        redirect: 'manual',
        headers: { Cookie: cookie, Accept: 'text/html' },
      });
      const cookies = answer.headers.getSetCookie().map((line) => line.split(';')[0] ?? '');
      const session = cookies.filter((pair) => /^sid(\.sig)?=/.test(pair)).join('; ');
      return { location: answer.headers.get('location') ?? '', cookies: session };
    };
    for (let round = 0; round < 8; round++) {
      const { browser } = await signIn(issuer, (await web.begin({ tenant: 'acme' })).url);
      const consent = await browser.get(
        (await third.begin({ scope: 'openid', tenant: 'acme', prompt: 'consent' })).url,
      );
      const csrf = /name="csrf" value="([^"]+)"/.exec(consent.html)?.[1] ?? '';
      const body = new URLSearchParams({ csrf, decision: 'accept' });
      const agreed = await browser.request(`${consent.url}/consent`, { method: 'POST', body });
      const all = [...browser.cookies.values()].map(({ name, value }) => `${name}=${value}`);
      const former = all.filter((pair) => pair.startsWith('sid')).join('; ');
      const [resumed, ...others] = await Promise.all([
        visit(agreed.headers.get('location') ?? '', all.join('; ')),
        ...Array.from({ length: 8 }, () => visit(silent, former)),
      ]);
      expect((await visit(silent, resumed.cookies)).location, 'the new identifier').to.contain('code=');
      const late = await visit(silent, former);
      expect(late.location, 'the former identifier').to.contain('error=login_required');
      expect(late.cookies, 'of a request that comes late').to.equal('');
      for (const other of others) expect(['', former]).to.include(other.cookies);
    }
  });

  it('who never got the new session identifier can sign in again at once', async () => {
    const { issuer } = await startApp({ seed: seedWithTwoTenants });
    const third = await relyingParty(issuer, 'third-party', thirdPartySecret);
    const web = await relyingParty(issuer);
    const { browser } = await signIn(issuer, (await web.begin({ tenant: 'acme' })).url);
    const consent = await browser.get((await third.begin({ scope: 'openid', tenant: 'acme', prompt: 'consent' })).url);
    const csrf = /name="csrf" value="([^"]+)"/.exec(consent.html)?.[1] ?? '';
    const body = new URLSearchParams({ csrf, decision: 'accept' });
    const agreed = await browser.request(`${consent.url}/consent`, { method: 'POST', body });
    const cookie = [...browser.cookies.values()].map(({ name, value }) => `${name}=${value}`).join('; ');
    const lost = await fetch(new URL(agreed.headers.get('location') ?? '', issuer), {
      redirect: 'manual',
      headers: { Cookie: cookie, Accept: 'text/html' },
    });
    expect(lost.headers.get('location'), 'answered, and the answer lost').to.contain('code=');
    const again = await web.begin({ tenant: 'acme' });
    expect((await signIn(issuer, again.url, undefined, browser)).page.url).to.contain('code=');
    const silent = await web.begin({ tenant: 'acme', prompt: 'none' });
    expect((await browser.get(silent.url)).url).to.contain('code=');
  });

  it('a refresh that cannot be served leaves the refresh token alone', async () => {
    const { issuer, app } = await startApp();
    const [web] = (await import('../support/contract-seed.js')).contractSeed.clients ?? [];
    if (!web) throw new Error('no client in the seed');
    const party = await relyingParty(issuer);
    const begun = await party.begin({ scope: 'openid projects:read' });
    const tokens = await begun.finish((await signIn(issuer, begun.url)).page.url);
    await app.seeding.applySeed({ clients: [{ ...web, resources: [] }] });
    expect(await errorOf(client.refreshTokenGrant(party.configuration, tokens.refresh_token ?? ''))).to.equal(
      'invalid_target',
    );
    await app.seeding.applySeed({ clients: [web] });
    expect(await errorOf(client.refreshTokenGrant(party.configuration, tokens.refresh_token ?? ''))).to.equal(
      'no error',
    );
  });

  it('a service token tells at introspection whose it is', async () => {
    const { issuer } = await startApp();
    const { configuration } = await relyingParty(issuer, 'acme-ci', ciKey);
    const tokens = await client.clientCredentialsGrant(configuration, { resource: projectsApi });
    expect(await client.tokenIntrospection(configuration, tokens.access_token)).to.include({
      active: true,
      sub: 'acme-ci',
    });
  });
});
