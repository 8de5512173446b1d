import { expect } from 'chai';
import { base64url } from 'jose';
import type { Page } from 'playwright-core';
import { loadedWith, useChromium } from '../support/chromium.js';
import { ada, projectsApi } from '../support/contract-seed.js';
import { closeApps, startApp } from '../support/start-app.js';
import { seedDemo, startDemo, type DemoProcess } from './demo-process.js';

describe('the demo', function () {
  this.timeout(60_000);
  const { visit } = useChromium();
  let demo: DemoProcess | undefined;

  afterEach(async () => {
    await demo?.close();
    demo = undefined;
  });
  afterEach(closeApps);

  it('signs in, shows the claims, calls the API, refreshes, switches the tenant and signs out', async () => {
    const server = await startApp({ seed: {} });
    demo = await startDemo(server.issuer);
    await seedDemo(server, demo.address);
    const home = `${demo.address}/`;
    const { page, complaints, inspect } = await visit();

    await page.goto(home);
    await inspect('demo-signed-out');
    await page.click('#sign-in');
    await signIn(page);
    await page.click('button[name=tenant][value=acme]');
    await page.waitForURL(home);
    await inspect('demo-signed-in');
    const first = await claimsOn(page);
    expect(first['id-token']).to.include({ iss: server.issuer, aud: 'demo', email: ada.email, tenant_slug: 'acme' });
    expect(first['access-token']).to.include({ aud: projectsApi, client_id: 'demo', roles: '["editor"]' });
    expect(first['userinfo']).to.include({ sub: first['id-token']?.['sub'], name: 'Ada Lovelace' });

    await page.click('#call-api');
    await page.waitForSelector('#api-answer');
    await inspect('demo-api-answer');
    expect(await page.innerText('#api-status')).to.equal('200');
    expect(await page.innerText('#api-answer'))
      .to.contain('"slug": "acme"')
      .and.to.contain('Website of acme');

    await page.click('#refresh');
    await page.getByRole('status').waitFor();
    const second = await claimsOn(page);
    expect(second['access-token']?.['jti']).to.be.a('string').and.not.to.equal(first['access-token']?.['jti']);
    expect(second['access-token']?.['sub']).to.equal(first['access-token']?.['sub']);

    await page.click('#switch-tenant');
    await page.click('button[name=tenant][value=ada]');
    await page.waitForURL(home);
    expect((await claimsOn(page))['access-token']).to.include({ tenant_slug: 'ada', tenant_type: 'personal' });

    await page.click('#sign-out');
    await page.waitForSelector('#logout-confirm');
    await inspect('sign-out');
    await page.click('#logout-confirm');
    await page.waitForURL(home);
    expect(await page.getByRole('status').innerText()).to.equal('You are signed out of this app.');
    expect(await page.locator('#sign-in').count()).to.equal(1);

    // signed out there too: the next sign-in asks for the password
    await page.click('#sign-in');
    await page.waitForSelector('#password');
    expect(complaints).to.deep.equal([]);
  });

  it('goes straight to the tenant that is named, and says so when that is refused', async () => {
    const server = await startApp({ seed: {} });
    demo = await startDemo(server.issuer);
    await seedDemo(server, demo.address);
    const { page, complaints, inspect } = await visit();

    await page.goto(demo.address);
    await page.fill('#tenant', 'ada');
    await page.click('#sign-in');
    await signIn(page);
    await page.waitForURL(`${demo.address}/`);
    expect(await page.innerText('#tenant-slug')).to.equal('ada');

    await page.click('#sign-out');
    await page.click('#logout-confirm');
    await page.waitForURL(`${demo.address}/`);
    await page.fill('#tenant', 'nobody');
    await page.click('#sign-in');
    await signIn(page);
    expect(await page.getByRole('alert').innerText()).to.contain('access_denied');
    await inspect('demo-refused');
    expect(complaints).to.deep.equal([loadedWith(400, 'Bad Request')]);
  });

  it('signs out where the session at the server has ended already', async () => {
    const server = await startApp({ seed: {} });
    demo = await startDemo(server.issuer);
    await seedDemo(server, demo.address);
    const { page, complaints } = await visit();
    await page.goto(demo.address);
    await page.fill('#tenant', 'acme');
    await page.click('#sign-in');
    await signIn(page);
    await page.waitForURL(`${demo.address}/`);
    await page.context().clearCookies({ name: 'sid' });

    await page.click('#sign-out');
    await page.click('button');
    await page.waitForURL(`${demo.address}/`);
    expect(await page.locator('#sign-in').count()).to.equal(1);
    expect(complaints).to.deep.equal([]);
  });

  it('says what to do when the server is not running', async () => {
    const server = await startApp({ seed: {} });
    demo = await startDemo(server.issuer);
    await server.close();
    const { page, complaints, inspect } = await visit();
    await page.goto(demo.address);
    await page.click('#sign-in');
    expect(await page.getByRole('alert').innerText()).to.contain(server.issuer);
    expect(await page.innerText('main')).to.contain('npm start');
    await inspect('demo-unreachable');
    expect(complaints).to.deep.equal([loadedWith(503, 'Service Unavailable')]);
  });

  it('has an API that says why it refuses', async () => {
    const server = await startApp({ seed: {} });
    demo = await startDemo(server.issuer);
    await seedDemo(server, demo.address);
    const key = 'acme-ci:sk_demo-key-for-localhost-only-0000';
    const ask = async (scope: string): Promise<string> => {
      const answer = await fetch(`${server.issuer}/oauth2/token`, {
        method: 'POST',
        headers: { Authorization: `Basic ${Buffer.from(key).toString('base64')}` },
        body: new URLSearchParams({ grant_type: 'client_credentials', resource: projectsApi, scope }),
      });
      return ((await answer.json()) as { access_token: string }).access_token;
    };
    const call = async (headers: Record<string, string>): Promise<[number, string | null, unknown]> => {
      const answer = await fetch(`${demo?.address}/api/projects`, { headers });
      return [answer.status, answer.headers.get('www-authenticate'), await answer.json()];
    };

    const [none, noneChallenge] = await call({});
    expect([none, noneChallenge]).to.deep.equal([401, 'Bearer, DPoP algs="ES256 EdDSA RS256 PS256"']);
    const [bad, badChallenge] = await call({ Authorization: 'Bearer not.a.token' });
    expect(bad).to.equal(401);
    expect(badChallenge).to.contain('error="invalid_token"');
    const [poor, poorChallenge, { reason }] = (await call({
      Authorization: `Bearer ${await ask('projects:write')}`,
    })) as [number, string, { reason: string }];
    expect(poor).to.equal(403);
    expect(poorChallenge).to.contain('error="insufficient_scope"');
    expect(reason).to.contain('projects:read');
    const [good, , body] = await call({ Authorization: `Bearer ${await ask('projects:read')}` });
    expect(good).to.equal(200);
    expect(body).to.have.nested.property('tenant.slug', 'acme');
  });

  it('has an API that refuses nobody while the keys cannot be had', async () => {
    const server = await startApp({ seed: {} });
    demo = await startDemo(server.issuer);
    await server.close();
    const token = [{ alg: 'ES256', typ: 'at+jwt' }, {}, {}].map((part) => base64url.encode(JSON.stringify(part)));
    const headers = { Authorization: `Bearer ${token.join('.')}` };
    const answer = await fetch(`${demo.address}/api/projects`, { headers });
    expect(answer.status).to.equal(503);
    expect(await answer.json()).to.have.property('error', 'temporarily_unavailable');
  });
});

async function signIn(page: Page): Promise<void> {
  await page.fill('#login', ada.email);
  await page.fill('#password', ada.password);
  await page.click('#submit');
}

/** The tables of the page: section → claim → value. */
async function claimsOn(page: Page): Promise<Record<string, Record<string, string>>> {
  const tables: Record<string, Record<string, string>> = {};
  for (const section of ['id-token', 'access-token', 'userinfo']) {
    const names = await page.locator(`#${section} th code`).allInnerTexts();
    const values = await page.locator(`#${section} td .value`).allInnerTexts();
    tables[section] = Object.fromEntries(names.map((name, index) => [name, values[index] ?? '']));
  }
  return tables;
}
