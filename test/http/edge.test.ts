import { expect } from 'chai';
import { ada, redirectUri, webSecret } from '../support/contract-seed.js';
import { closeApps, startApp } from '../support/start-app.js';
import { authorizeUrl, openSignIn, post, send, sendRaw } from './requests.js';

const poison: readonly (readonly [name: string, value: string])[] = [
  ['X-Forwarded-Host', 'evil.example'],
  ['X-Forwarded-Proto', 'gopher'],
  ['X-Forwarded-Port', '666'],
  ['X-Forwarded-Prefix', '/evil'],
  ['X-Forwarded-Server', 'evil.example'],
  ['X-Forwarded-For', '203.0.113.66'],
  ['X_Forwarded_Host', 'evil.example'],
  ['Forwarded', 'for=203.0.113.66;host=evil.example;proto=gopher'],
  ['X-Original-URL', '/evil'],
  ['X-Original-Host', 'evil.example'],
  ['X-Rewrite-URL', '/evil'],
  ['X-Host', 'evil.example'],
  ['X-HTTP-Method-Override', 'DELETE'],
  ['X-Real-IP', '203.0.113.66'],
  ['Via', '1.1 evil.example'],
  ['Origin', 'https://evil.example'],
  ['Referer', 'https://evil.example/'],
];

describe('what a client writes about itself', () => {
  let issuer: string;
  let host: string;
  beforeEach(async () => {
    issuer = (await startApp()).issuer;
    host = new URL(issuer).host;
  });
  afterEach(closeApps);

  it('sec-021 does not show in discovery, whatever the header', async () => {
    for (const path of ['/.well-known/openid-configuration', '/.well-known/oauth-authorization-server']) {
      const plain = (await send(issuer + path)).json;
      expect(plain['issuer']).to.equal(issuer);
      const urls = Object.entries(plain).filter(([name]) => /_endpoint$|_uri$/.test(name));
      expect(urls.length).to.be.greaterThan(5);
      for (const [name, url] of urls) expect(String(url).startsWith(`${issuer}/`), name).to.be.true;
      for (const [name, value] of poison) {
        expect((await send(issuer + path, { headers: { [name]: value } })).json, name).to.deep.equal(plain);
      }
      const all = await send(issuer + path, { headers: Object.fromEntries(poison) });
      expect(all.json, 'all at once').to.deep.equal(plain);
    }
  });

  it('sec-021 does not show in where the browser is sent, nor in a page', async () => {
    for (const [name, value] of [...poison, ['Forwarded', 'host="evil.example"'] as const]) {
      const headers = { [name]: value, Accept: 'text/html' };
      const begun = await send(authorizeUrl(issuer), { headers });
      expect(new URL(begun.location ?? '', issuer).origin, name).to.equal(issuer);
      const silent = await send(authorizeUrl(issuer, { prompt: 'none' }), { headers });
      expect(silent.location, name).to.match(/^http:\/\/localhost:3001\/callback\?/);
      expect(new URL(silent.location ?? '').searchParams.get('iss'), name).to.equal(issuer);
      for (const path of ['/', '/nothing', '/oauth2/authorize', '/oauth2/logout', '/sign-in/nothing']) {
        const { text, headers: answered } = await send(issuer + path, { headers });
        expect(text + JSON.stringify([...answered]), `${name} ${path}`).not.to.match(/evil|gopher|203\.0\.113/);
      }
    }
  });

  it('sec-033 no parameter and no Referer leads away from the server', async () => {
    const targets = [
      'https://evil.example',
      '//evil.example',
      '/\\evil.example',
      'https:evil.example',
      'javascript:alert(1)',
    ];
    const names = [
      'returnTo',
      'return_to',
      'next',
      'redirect',
      'redirect_to',
      'continue',
      'url',
      'rd',
      'target',
      'goto',
    ];
    for (const target of targets) {
      const query = new URLSearchParams(names.map((name) => [name, target])).toString();
      for (const path of ['/', '/sign-in/x', '/oauth2/logout', '/oauth2/logout/success', '/health/live', '/nothing']) {
        const answer = await send(`${issuer}${path}?${query}`, { headers: { Referer: target, Accept: 'text/html' } });
        expect(answer.location, `${path} ${target}`).to.equal(null);
        expect(answer.headers.get('refresh'), `${path} ${target}`).to.equal(null);
        expect(answer.text, `${path} ${target}`).not.to.match(/evil\.example|javascript:/);
      }
    }
  });

  it('sec-033 a path that is a foreign address is refused, never redirected', async () => {
    for (const path of [
      '//evil.example',
      '//evil.example/..',
      '/\\evil.example',
      '/%5cevil.example',
      '/%2f%2fevil.example',
      '/..//evil.example',
    ]) {
      const answer = await sendRaw(issuer, `GET ${path} HTTP/1.1\r\nHost: ${host}\r\nConnection: close\r\n\r\n`);
      expect(answer.status, path).to.equal(400);
      expect(answer.head, path).not.to.contain('location:');
    }
  });

  it('sec-033 every redirect of a sign-in stays at home until the registered address', async () => {
    const open = await openSignIn(issuer);
    const answer = await open.visitor.request(`/sign-in/${open.uid}/login?next=//evil.example`, {
      method: 'POST',
      headers: { 'Content-Type': 'application/x-www-form-urlencoded', Referer: `${issuer}//evil.example` },
      body: new URLSearchParams({ csrf: open.csrf, login: ada.email, password: ada.password }),
    });
    expect(answer.status).to.equal(303);
    expect(new URL(answer.headers.get('location') ?? '', issuer).origin).to.equal(issuer);
    const done = await open.visitor.get(answer.headers.get('location') ?? '');
    expect(done.url.startsWith(`${redirectUri}?`)).to.be.true;
  });
});

describe('requests that fetch cannot say', () => {
  let issuer: string;
  let host: string;
  beforeEach(async () => {
    issuer = (await startApp()).issuer;
    host = new URL(issuer).host;
  });
  afterEach(closeApps);

  it('sec-021 a foreign, a missing or a second host is refused', async () => {
    for (const [head, status] of [
      ['GET / HTTP/1.1\r\nHost: evil.example', 421],
      [`GET / HTTP/1.1\r\nHost: ${host}.evil.example`, 421],
      [`GET / HTTP/1.1\r\nHost: evil.example@${host}`, 421],
      ['GET / HTTP/1.1\r\nHost: localhost', 421],
      ['GET / HTTP/1.1\r\nHost:', 421],
      ['GET / HTTP/1.1', 400],
      ['GET / HTTP/1.0', 421],
      [`GET / HTTP/1.1\r\nHost: ${host}\r\nHost: evil.example`, 400],
      [`GET / HTTP/1.1\r\nHost: evil.example\r\nHost: ${host}`, 400],
      [`GET / HTTP/1.1\r\nHost: ${host}\r\nhost: ${host}`, 400],
      [`GET http://${host}/ HTTP/1.1\r\nHost: ${host}`, 400],
      [`GET http://evil.example/ HTTP/1.1\r\nHost: ${host}`, 400],
      [`GET / HTTP/1.1\r\nHost: ${host.toUpperCase()}`, 200],
      [`GET / HTTP/1.1\r\nHost: ${host}`, 200],
    ] as const) {
      const answer = await sendRaw(issuer, `${head}\r\nConnection: close\r\n\r\n`);
      expect(answer.status, head).to.equal(status);
      expect(answer.body + answer.head, head).not.to.contain('evil.example');
    }
  });

  it('sec-078 what two servers could read in two ways is refused', async () => {
    for (const head of [
      `POST /oauth2/token HTTP/1.1\r\nHost: ${host}\r\nContent-Length: 5\r\nTransfer-Encoding: chunked`,
      `POST /oauth2/token HTTP/1.1\r\nHost: ${host}\r\nContent-Length: 5\r\nContent-Length: 6`,
      `POST /oauth2/token HTTP/1.1\r\nHost: ${host}\r\nTransfer-Encoding: chunked, identity`,
      `GET / HTTP/1.1\r\nHost: ${host}\r\n Folded: x`,
      `GET / HTTP/1.1\r\nHost : ${host}`,
      `GET / HTTP/1.1\nHost: ${host}`,
      `GET /a b HTTP/1.1\r\nHost: ${host}`,
      `OPTIONS * HTTP/1.1\r\nHost: ${host}`,
      `GET /a/../b HTTP/1.1\r\nHost: ${host}`,
      `GET /%2e%2e/b HTTP/1.1\r\nHost: ${host}`,
      `GET /a;b HTTP/1.1\r\nHost: ${host}`,
    ]) {
      const answer = await sendRaw(issuer, `${head}\r\nConnection: close\r\n\r\n`);
      expect(answer.status, JSON.stringify(head)).to.equal(400);
    }
  });

  it('sec-051 headers beyond 16 KiB are refused', async () => {
    const head = `GET / HTTP/1.1\r\nHost: ${host}\r\nX-Long: ${'x'.repeat(17_000)}\r\nConnection: close\r\n\r\n`;
    expect((await sendRaw(issuer, head)).status).to.equal(431);
  });

  it('a percent sign that encodes nothing is an address like any other', async () => {
    for (const [path, status] of [
      ['/%', 404],
      ['/%zz', 404],
      ['/%ff', 404],
      ['/sign-in/%', 400],
      ['/sign-in/%E0%A4%A', 400],
      ['/oauth2/authorize?client_id=%', 400],
      ['/oauth2/authorize/%', 404],
    ] as const) {
      const answer = await sendRaw(issuer, `GET ${path} HTTP/1.1\r\nHost: ${host}\r\nConnection: close\r\n\r\n`);
      expect(answer.status, path).to.equal(status);
    }
  });
});

describe('an answer to another origin', () => {
  afterEach(closeApps);

  it('is readable only where it is public, or for the origins of the client, and never with credentials', async () => {
    const { issuer } = await startApp();
    for (const [origin, mayRead] of [
      ['http://localhost:3001', true],
      ['https://evil.example', false],
      ['null', false],
    ] as const) {
      const answer = await send(`${issuer}/oauth2/token`, {
        method: 'POST',
        headers: { Origin: origin, Authorization: `Basic ${Buffer.from(`web:${webSecret}`).toString('base64')}` },
        body: new URLSearchParams({ grant_type: 'refresh_token', refresh_token: 'x' }),
      });
      const allowed = answer.headers.get('access-control-allow-origin');
      expect(allowed, origin).to.equal(mayRead ? origin : null);
      expect(answer.headers.get('access-control-allow-credentials'), origin).to.equal(null);
      const page = await send(authorizeUrl(issuer), { headers: { Origin: origin } });
      expect(page.headers.get('access-control-allow-origin'), origin).to.equal(null);
    }
    expect((await post(issuer, 'token', {})).headers.get('access-control-allow-credentials')).to.equal(null);
  });
});
