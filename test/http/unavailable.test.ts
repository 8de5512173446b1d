import { expect } from 'chai';
import { browser } from '../support/browser.js';
import { ada, ciKey, projectsApi, webSecret } from '../support/contract-seed.js';
import { closeApps, startApp, type RunningApp } from '../support/start-app.js';
import { seedWithTwoTenants } from '../support/two-tenants.js';
import { authorizeUrl, openSignIn, post, send, submitByHand, tokensOf, type Answer } from './requests.js';

describe('without its database the server', () => {
  let running: RunningApp;
  beforeEach(async () => {
    running = await startApp({ seed: seedWithTwoTenants });
  });
  afterEach(closeApps);

  it('sec-062 answers 503 with Retry-After wherever it would need it, never a success that is none, and says why in its log', async () => {
    const { issuer, database, logLines } = running;
    const tokens = await tokensOf(issuer);
    const page = await openSignIn(issuer);
    await send(`${issuer}/oauth2/jwks`);
    const visitor = browser(issuer);
    await visitor.get('/device');
    await database.connection.getClient().close();
    logLines.length = 0;

    const web = ['web', webSecret] as const;
    const login = async (): Promise<Pick<Answer, 'status' | 'headers' | 'text'>> => {
      const { html, ...answer } = await submitByHand(page, 'login', { login: ada.email, password: ada.password });
      return { ...answer, text: html };
    };
    const answers = {
      login: await login(),
      token: await post(issuer, 'token', { grant_type: 'client_credentials', resource: projectsApi }, [
        'acme-ci',
        ciKey,
      ]),
      refresh: await post(issuer, 'token', { grant_type: 'refresh_token', refresh_token: tokens.refresh_token }, web),
      revoke: await post(issuer, 'revoke', { token: tokens.refresh_token }, web),
      introspect: await post(issuer, 'introspect', { token: tokens.access_token }, web),
      device: await post(issuer, 'device_authorization', { client_id: 'television' }),
      devicePage: await send(`${issuer}/device`),
      deviceForm: await send(`${issuer}/device`, {
        method: 'POST',
        headers: { Cookie: visitor.cookieHeader('/device') },
      }),
      ready: await send(`${issuer}/health/ready`),
    };
    for (const [name, { status, headers, text }] of Object.entries(answers)) {
      expect(status, `${name} ${text}`).to.equal(503);
      expect(headers.get('retry-after'), name).to.match(/^\d+$/);
      expect(text, name).not.to.match(/Mongo|stack|node_modules/);
    }
    // a client that was known a moment ago is told at its redirect URI (RFC 6749 §4.1.2.1)
    const asked = await send(authorizeUrl(issuer), { headers: { Accept: 'text/html' } });
    expect(asked.location ?? asked.status).to.satisfy(
      (told: string | number) => told === 503 || String(told).includes('error=temporarily_unavailable'),
    );
    expect(logLines.filter((line) => line.includes('"level":50')).length).to.be.at.least(5);
    expect(logLines.join('')).to.contain('Mongo');
    expect((await send(`${issuer}/health/live`)).status).to.equal(200);
    expect((await send(`${issuer}/oauth2/jwks`)).status).to.equal(200);
  });
});
