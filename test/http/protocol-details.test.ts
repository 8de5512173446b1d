import { expect } from 'chai';
import { decodeJwt } from 'jose';
import { ciKey, projectsApi, webSecret } from '../support/contract-seed.js';
import { closeApps, startApp } from '../support/start-app.js';
import { seedWithTwoTenants } from '../support/two-tenants.js';
import { authorizeUrl, post, send, sendRaw, tokensOf } from './requests.js';

const web = ['web', webSecret] as const;
const ci = ['acme-ci', ciKey] as const;
const service = { grant_type: 'client_credentials' };

describe('details of the protocol', () => {
  let issuer: string;
  before(async () => {
    ({ issuer } = await startApp({ seed: seedWithTwoTenants }));
  });
  after(closeApps);

  it('an authorization request may be posted (OpenID Connect Core §3.1.2.1): it goes on as GET, which brings cookies', async () => {
    const body = new URL(authorizeUrl(issuer)).searchParams;
    const answer = await send(`${issuer}/oauth2/authorize`, { method: 'POST', body, headers: { Accept: 'text/html' } });
    expect(answer.status, answer.text).to.equal(303);
    const onwards = await send(new URL(answer.location ?? '', issuer).href, { headers: { Accept: 'text/html' } });
    expect(onwards.location).to.match(/\/sign-in\//);
  });

  it('a sign-out may be posted (RP-Initiated Logout §2)', async () => {
    const answer = await send(`${issuer}/oauth2/logout`, {
      method: 'POST',
      body: new URLSearchParams({ client_id: 'web' }),
    });
    expect([answer.status, answer.location]).to.deep.equal([303, '/oauth2/logout?client_id=web']);
  });

  it('a post that is no form, or too large to go on, is refused as a page', async () => {
    for (const [status, init] of [
      [415, { body: 'x' }],
      [413, { body: new URLSearchParams({ login_hint: 'x'.repeat(9000) }) }],
      [413, { body: new URLSearchParams({ state: 'x'.repeat(60_000) }) }],
    ] as const) {
      const answer = await send(`${issuer}/oauth2/authorize`, {
        method: 'POST',
        headers: { Accept: 'text/html' },
        ...init,
      });
      expect([answer.status, answer.headers.get('content-type')]).to.deep.equal([status, 'text/html; charset=utf-8']);
    }
  });

  it('a method that a page does not have is 405 with Allow', async () => {
    for (const [method, path, allow] of [
      ['POST', '/', 'HEAD, GET'],
      ['DELETE', '/health/live', 'HEAD, GET'],
      ['PUT', '/sign-in/x/login', 'POST'],
      ['POST', '/favicon.ico', 'HEAD, GET'],
    ] as const) {
      const answer = await send(issuer + path, { method });
      expect([answer.status, answer.headers.get('allow')], `${method} ${path}`).to.deep.equal([405, allow]);
    }
  });

  it('a document is the same the first and the second time', async () => {
    for (const path of ['/oauth2/jwks', '/.well-known/openid-configuration']) {
      const [first, second] = [await send(issuer + path), await send(issuer + path)];
      for (const name of ['content-type', 'cache-control', 'access-control-allow-origin', 'vary'])
        expect(second.headers.get(name), `${path} ${name}`).to.equal(first.headers.get(name));
      expect(second.text).to.equal(first.text);
    }
  });

  it('sec-037 a public document is the same for all, whoever asks first', async () => {
    const fresh = await startApp();
    for (const path of ['/oauth2/jwks', '/.well-known/openid-configuration']) {
      for (const origin of ['https://evil.example', 'https://spa.example']) {
        const { headers } = await send(fresh.issuer + path, { headers: { Origin: origin } });
        expect(headers.get('access-control-allow-origin')).to.equal('*');
        expect(headers.get('vary')).to.equal(null);
      }
    }
  });

  it('a refresh that asks for a resource that is refused ends nothing', async () => {
    const { refresh_token: token = '' } = await tokensOf(issuer);
    const refreshing = { grant_type: 'refresh_token', refresh_token: token };
    const wrong = await post(issuer, 'token', { ...refreshing, resource: 'https://api.example.com/unknown' }, web);
    expect(wrong.json['error']).to.equal('invalid_target');
    expect((await post(issuer, 'token', refreshing, web)).status).to.equal(200);
  });

  it('introspection of a service token tells its subject, and that of a JWT its jti', async () => {
    const token = String((await post(issuer, 'token', { ...service, resource: projectsApi }, ci)).json['access_token']);
    const { json } = await post(issuer, 'introspect', { token }, ci);
    expect(json['jti']).to.equal(decodeJwt(token).jti);
    expect(json['sub']).to.equal('acme-ci');
  });

  it('a service token is not granted OpenID scopes', async () => {
    for (const scope of ['openid', 'profile', 'email', 'tenant', 'offline_access']) {
      const { status, text } = await post(issuer, 'token', { ...service, scope }, ci);
      expect(status, `${scope} ${text}`).to.equal(400);
    }
  });

  it('a browser that goes away in the middle leaves nothing on the terminal', async () => {
    const original = console.error;
    let written = '';
    console.error = (...parts: unknown[]) => void (written += parts.map(String).join(' '));
    try {
      await sendRaw(
        issuer,
        `GET /%2e%2e/b HTTP/1.1\r\nHost: ${new URL(issuer).host}\r\nConnection: close\r\n\r\nx=1\r\n`,
      );
    } finally {
      console.error = original;
    }
    expect(written).to.equal('');
  });

  it('CORS never answers the origin null, not even for apps with a scheme of their own', async () => {
    const answer = await send(`${issuer}/oauth2/token`, {
      method: 'OPTIONS',
      headers: { Origin: 'null', 'Access-Control-Request-Method': 'POST' },
    });
    expect(answer.headers.get('access-control-allow-origin')).not.to.equal('*');
    const posted = await fetch(`${issuer}/oauth2/token`, {
      method: 'POST',
      headers: { Origin: 'null' },
      body: new URLSearchParams({ ...service, client_id: 'native' }),
    });
    expect(posted.headers.get('access-control-allow-origin')).to.not.equal('*');
  });
});
