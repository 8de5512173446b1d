import { expect } from 'chai';
import { ownFiles } from './hostile/sound.js';
import { createServer, request as nodeRequest } from 'node:http';
import { drain, listen } from '../../src/platform/http/server.js';
import { closeApps, startApp } from '../support/start-app.js';
import { authorizeUrl, openSignIn, post, send, submitByHand } from './requests.js';

type HeaderSource = Pick<Headers, 'get'>;

/** What every answer says, pages and documents alike. */
const everywhere: Readonly<Record<string, string>> = {
  'x-content-type-options': 'nosniff',
  'x-frame-options': 'DENY',
  'referrer-policy': 'same-origin',
  'cross-origin-opener-policy': 'same-origin',
  'cross-origin-resource-policy': 'same-origin',
  'origin-agent-cluster': '?1',
  'permissions-policy':
    'publickey-credentials-get=(self), publickey-credentials-create=(self), camera=(), microphone=(), geolocation=(), payment=()',
};

function directivesOf(headers: HeaderSource): Record<string, string> {
  const directives = (headers.get('content-security-policy') ?? '').split(';').map((directive) => directive.trim());
  return Object.fromEntries(directives.map((directive) => directive.split(/ (.*)/).slice(0, 2) as [string, string]));
}

function expectCommon(headers: HeaderSource, why: string): void {
  for (const [name, value] of Object.entries(everywhere)) expect(headers.get(name), `${why} ${name}`).to.equal(value);
  for (const name of ['server', 'x-powered-by', 'strict-transport-security', 'refresh']) {
    expect(headers.get(name), `${why} ${name}`).to.equal(null);
  }
}

function expectPagePolicy(headers: HeaderSource, why: string, formTargets = "'self' https:"): void {
  const { 'script-src': script, ...others } = directivesOf(headers);
  expect(script, why).to.match(/^'nonce-[\w+/]{22}==' 'strict-dynamic'( 'sha256-[\w+/]{43}=')?$/);
  expect(others, why).to.deep.equal({
    'default-src': "'none'",
    'style-src': "'self'",
    'img-src': "'self' data:",
    'font-src': "'self'",
    'connect-src': "'self'",
    'form-action': formTargets,
    'frame-ancestors': "'none'",
    'base-uri': "'none'",
  });
}

describe('headers of every answer', () => {
  let issuer: string;
  beforeEach(async () => {
    issuer = (await startApp()).issuer;
  });
  afterEach(closeApps);

  const asBrowser = { headers: { Accept: 'text/html' } };

  it('sec-036 a page cannot be framed and runs no script but its own, errors included', async () => {
    const nonces = new Set<string>();
    const paths = [
      '/',
      '/nothing',
      '/sign-in/nothing',
      '/oauth2/authorize',
      '/oauth2/authorize/nothing',
      '/oauth2/token',
    ]
      .concat([
        '/oauth2/userinfo',
        '/oauth2/logout',
        '/oauth2/logout/success',
        '/oauth2/nothing',
        '/.well-known/nothing',
      ])
      .concat(['/oauth2/logout?client_id=nobody', '/oauth2/authorize?client_id=nobody']);
    for (const path of paths) {
      const { headers } = await send(issuer + path, asBrowser);
      expect(headers.get('content-type'), path).to.equal('text/html; charset=utf-8');
      expectCommon(headers, path);
      expectPagePolicy(headers, path);
      expect(headers.get('cache-control'), path).to.equal('no-store');
      nonces.add(directivesOf(headers)['script-src'] ?? '');
    }
    expect(nonces.size, 'a nonce serves one answer').to.equal(paths.length);
  });

  it('sec-036 the pages of a sign-in too, whose forms may end at the app that asked', async () => {
    const open = await openSignIn(issuer);
    const pages = [
      open.page,
      await submitByHand(open, 'login', { login: 'nobody@example.com', password: 'wrong password here' }),
    ];
    for (const page of pages) {
      expectCommon(page.headers, page.url);
      expectPagePolicy(page.headers, page.url, "'self' https: http://localhost:3001");
      expect(page.headers.get('cache-control')).to.equal('no-store');
      expect(page.html.replace(ownFiles, '')).not.to.match(/<script|<style|\son\w+=|\sstyle=|javascript:/i);
    }
    for (const [members, headers] of [
      [{ extra: '1' }, {}],
      [{}, { Origin: 'https://evil.example' }],
      [{ password: 'x'.repeat(60_000) }, {}],
    ] as [Record<string, string>, Record<string, string>][]) {
      const page = await submitByHand(open, 'login', members, headers);
      expectCommon(page.headers, String(page.status));
      expectPagePolicy(page.headers, String(page.status));
    }
  });

  it('sec-037 a document is not stored, unless it is public', async () => {
    const none = { 'default-src': "'none'", 'frame-ancestors': "'none'" };
    for (const [path, caching] of [
      ['/.well-known/openid-configuration', 'public, max-age=300'],
      ['/.well-known/oauth-authorization-server', 'public, max-age=300'],
      ['/oauth2/jwks', 'public, max-age=300'],
      ['/health/live', 'no-store'],
      ['/health/ready', 'no-store'],
      ['/favicon.ico', 'public, max-age=86400'],
    ] as const) {
      const { headers } = await send(issuer + path);
      expectCommon(headers, path);
      expect(headers.get('cache-control'), path).to.equal(caching);
      expect(directivesOf(headers), path).to.deep.equal(none);
    }
    for (const endpoint of ['token', 'introspect', 'revoke', 'par', 'userinfo'] as const) {
      const { headers } = await post(issuer, endpoint, { a: 'b' });
      expectCommon(headers, endpoint);
      expect(headers.get('cache-control'), endpoint).to.equal('no-store');
      expect(directivesOf(headers), endpoint).to.deep.equal(none);
    }
    const redirect = await send(authorizeUrl(issuer));
    expect(redirect.status).to.equal(303);
    expectCommon(redirect.headers, 'redirect');
    expect(redirect.headers.get('cache-control')).to.equal('no-store');
  });

  it('the stylesheet is kept for ever under a name of its content, and no other name has one', async () => {
    const { text } = await send(`${issuer}/`, asBrowser);
    const path = /href="(\/assets\/style-[0-9a-f]{16}\.css)"/.exec(text)?.[1] ?? '/none';
    const style = await send(issuer + path);
    expect(style.status).to.equal(200);
    expect(style.headers.get('content-type')).to.equal('text/css; charset=utf-8');
    expect(style.headers.get('cache-control')).to.equal('public, max-age=31536000, immutable');
    expectCommon(style.headers, path);
    for (const other of ['/assets/style.css', '/assets/', `${path}x`, path.replace(/[0-9a-f]\./, 'g.')]) {
      expect((await send(issuer + other)).status, other).to.equal(404);
    }
  });

  it('cookies on plain http are kept from scripts and other sites, each on its own path', async () => {
    const { headers } = await send(authorizeUrl(issuer));
    const cookies = headers.getSetCookie();
    expect(cookies.map((cookie) => cookie.split('=')[0])).to.have.members([
      'interaction',
      'interaction.sig',
      'resume',
      'resume.sig',
    ]);
    for (const cookie of cookies) {
      expect(cookie).to.match(/; path=\/(sign-in|oauth2\/authorize)\/[\w-]{40,};/);
      expect(cookie)
        .to.match(/; samesite=lax/i)
        .and.match(/; httponly/i);
      expect(cookie).not.to.match(/; (domain=|secure)/i);
    }
  });
});

describe('headers under an https issuer', () => {
  afterEach(closeApps);

  const host = 'id.example.com';

  interface HttpsAnswer {
    status: number;
    headers: HeaderSource;
    cookies: string[];
  }

  /** Asks the application, reached by plain http as from a proxy, under the name of its issuer. */
  function ask(port: number, path: string): Promise<HttpsAnswer> {
    return new Promise((resolve, reject) => {
      const options = { port, host: '127.0.0.1', path, headers: { Host: host, Accept: 'text/html' } };
      const request = nodeRequest(options, (response) => {
        response.resume();
        const get = (name: string): string | null => response.headers[name]?.toString() ?? null;
        const cookies = response.headers['set-cookie'] ?? [];
        response.on('end', () => resolve({ status: response.statusCode ?? 0, headers: { get }, cookies }));
      });
      request.on('error', reject).end();
    });
  }

  it('sec-080 demand https from then on, and bind the cookies to it', async () => {
    const { app } = await startApp({ issuer: `https://${host}` });
    const server = createServer(app.listener);
    const port = await listen(server, 0, '127.0.0.1');
    try {
      for (const path of [
        '/',
        '/nothing',
        '/health/live',
        '/oauth2/jwks',
        '/.well-known/openid-configuration',
        '/oauth2/token',
      ]) {
        const { headers } = await ask(port, path);
        const policy = headers.get('strict-transport-security');
        expect(policy, path).to.equal('max-age=63072000; includeSubDomains');
      }
      const { pathname, search } = new URL(authorizeUrl(`https://${host}`));
      const begun = await ask(port, pathname + search);
      expect(begun.status).to.equal(303);
      expect(new URL(begun.headers.get('location') ?? '', `https://${host}`).origin).to.equal(`https://${host}`);
      expect(begun.cookies.map((cookie) => cookie.split('=')[0])).to.have.members([
        ...['__Secure-interaction', '__Secure-interaction.sig', '__Secure-resume', '__Secure-resume.sig'],
      ]);
      for (const cookie of begun.cookies)
        expect(cookie)
          .to.match(/; secure/i)
          .and.match(/; httponly/i);
      expect((await ask(port, '/oauth2/token')).status).to.equal(405);
    } finally {
      await drain(server, 0);
    }
  });
});
