import { expect } from 'chai';
import { closeApps, startApp, type RunningApp } from '../../support/start-app.js';
import { seedWithTwoTenants } from '../../support/two-tenants.js';
import { endpoints, stylePath, type Endpoint } from '../endpoints.js';
import { authorizeUrl } from '../requests.js';
import { sendBytes, sendRequest, type RawAnswer, type WrittenRequest } from './raw.js';
import { expectCommonHeaders, expectSound, expectSoundCookie } from './sound.js';

/** What proxies and frameworks are known to believe. */
const poison: readonly string[] = [
  'X-Forwarded-Host: evil.example',
  'X-Forwarded-Host: evil.example, evil2.example',
  'X-FORWARDED-HOST: evil.example:666',
  'x-forwarded-proto: gopher',
  'X-Forwarded-Protocol: gopher',
  'X-Forwarded-Scheme: gopher',
  'X-Forwarded-Ssl: on',
  'X-Forwarded-Port: 666',
  'X-Forwarded-Prefix: /evil',
  'X-Forwarded-Path: /evil',
  'X-Forwarded-Uri: /evil',
  'X-Forwarded-Server: evil.example',
  'X-Forwarded-By: evil.example',
  'X-Forwarded-For: 203.0.113.66, evil.example',
  'X-Forwarded-User: admin@evil.example',
  'X-Forwarded-Email: admin@evil.example',
  'X-Forwarded-Access-Token: evil',
  'X-Forwarded-Client-Cert: Hash=evil',
  'X_Forwarded_For: 203.0.113.66',
  'X_Forwarded_Host: evil.example',
  'Forwarded: for=203.0.113.66;host=evil.example;proto=gopher',
  'Forwarded: for="[evil]";host="evil.example"',
  'X-Real-IP: 203.0.113.66',
  'X-Client-IP: 203.0.113.66',
  'X-Cluster-Client-IP: 203.0.113.66',
  'True-Client-IP: 203.0.113.66',
  'CF-Connecting-IP: 203.0.113.66',
  'Fastly-Client-IP: 203.0.113.66',
  'X-Original-URL: /evil',
  'X-Original-URI: /evil',
  'X-Original-Host: evil.example',
  'X-Rewrite-URL: /evil',
  'X-Host: evil.example',
  'X-HTTP-Host-Override: evil.example',
  'Proxy-Host: evil.example',
  'Base-Url: http://evil.example',
  'Request-Uri: /evil',
  'X-HTTP-Method-Override: DELETE',
  'X-HTTP-Method: DELETE',
  'X-Method-Override: DELETE',
  'X-Url-Scheme: gopher',
  'Front-End-Https: on',
  'X-SSL-Cert: evil',
  'X-SSL-Client-Cert: evil',
  'X-SSL-Client-Verify: SUCCESS',
  'X-Client-Cert: evil',
  'SSL-Client-Cert: evil',
  'X-Authenticated-User: admin',
  'X-Remote-User: admin',
  'Remote-User: admin',
  'X-User-Id: admin',
  'Via: 1.1 evil.example',
  'Referer: https://evil.example/',
  'User-Agent: kube-probe/1.30 evil.example',
  'X-Request-Id: evil',
  'Traceparent: 00-evil',
];

/** What differs from answer to answer anyway. */
function settled({ head, text }: RawAnswer): string {
  const wobbling = /[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}|[\w+/-]{40,}|nonce-[\w+/]{22}==|[A-Z]{4}-[A-Z]{4}/g;
  const whenever = /(date|expires|x-request-id|dpop-nonce)[:=][^\r\n;]*/gi;
  return `${head}\n${text}`.replace(whenever, '').replace(wobbling, '').toLowerCase();
}

describe('headers that claim to know where a request came from', function () {
  this.timeout(120_000);
  afterEach(closeApps);

  /** Right in its parameters, and by nobody: no request that is used up by being granted. */
  function requestOf(running: RunningApp, { method, path }: Endpoint): WrittenRequest {
    const { host } = new URL(running.issuer);
    const real = path.replace(':uid', 'x'.repeat(43)).replace('/assets/:style', stylePath(running));
    const query = new URL(authorizeUrl(running.issuer)).search.slice(1);
    const parameters = path === '/oauth2/authorize' ? query : 'client_id=web';
    if (method === 'POST') return { host, method, target: real, body: parameters };
    return { host, method, target: `${real}?${parameters}` };
  }

  for (const [name, options] of [
    ['over http', {}],
    ['over https', { issuer: 'https://id.example.com' }],
    ['over https behind two proxies', { issuer: 'https://id.example.com', trustedProxies: 2 }],
  ] as const) {
    it(`sec-021 sec-078 change nothing in any answer, ${name}`, async () => {
      const running = await startApp({ seed: seedWithTwoTenants, ...options });
      const { protocol } = new URL(running.issuer);
      for (const endpoint of endpoints) {
        const request = requestOf(running, endpoint);
        const why = `${name} ${request.method} ${request.target}`;
        const asked = (more: readonly string[]): Promise<RawAnswer> =>
          sendRequest(running.port, { ...request, headers: ['Accept: text/html', ...more] });
        await asked([]); // a document is made at its first request
        const plain = await asked([]);
        const poisoned = await asked(poison);
        expect(settled(poisoned), why).to.equal(settled(plain));
        expect(poisoned.head + poisoned.text, why).not.to.match(/evil|gopher|203\.0\.113|:666/);
        for (const cookie of poisoned.headers.getSetCookie()) expectSoundCookie(cookie, why, protocol === 'https:');
        const location = poisoned.headers.get('location') ?? '';
        expect(new URL(location, running.issuer).origin, why).to.be.oneOf([running.issuer, 'http://localhost:3001']);
      }
    });
  }

  it('sec-021 a host that is not the issuer’s, in any dress, gets no page and no address', async () => {
    const running = await startApp({ issuer: 'https://id.example.com' });
    for (const [lines, status] of [
      [['Host: evil.example'], 421],
      [['Host: id.example.com.evil.example'], 421],
      [['Host: evil.example#id.example.com'], 421],
      [['Host: id.example.com:80'], 421],
      [['Host: id.example.com:8443'], 421],
      [['Host: id.example.com.'], 421],
      [['Host: id.example.com@evil.example'], 421],
      [['Host: "id.example.com"'], 421],
      [['Host: id.example.com, evil.example'], 421],
      [['Host: http://id.example.com'], 421],
      [['Host: '], 421],
      [['Host: localhost'], 421],
      [['Host: id.example.com', 'Host: evil.example'], 400],
      [['Host: evil.example', 'Host: id.example.com'], 400],
      [['HOST: id.example.com', 'host: id.example.com'], 400],
      [['X-Forwarded-Host: id.example.com', 'Host: evil.example'], 421],
      [['Host: ID.EXAMPLE.COM'], 200],
      [['Host: id.example.com:443'], 200],
    ] as [string[], number][]) {
      for (const path of ['/', '/.well-known/openid-configuration', '/health/live']) {
        const all = [`GET ${path} HTTP/1.1`, ...lines, 'Connection: close'].join('\r\n');
        const answer = await sendBytes(running.port, `${all}\r\n\r\n`);
        const probe = path === '/health/live' && status === 421; // an orchestrator comes by address
        expect(answer.status, all).to.equal(probe ? 200 : status);
        const caching = path.startsWith('/.well') && status === 200 ? { caching: 'public, max-age=300' } : {};
        expectSound(answer, all, { https: true, ...caching });
        expect(answer.head + answer.text, all).not.to.contain('evil');
      }
    }
  });

  it('sec-080 under https the cookies of a whole sign-in carry their prefixes, set and cleared', async () => {
    const running = await startApp({ issuer: 'https://id.example.com' });
    const { pathname, search } = new URL(authorizeUrl(running.issuer));
    const cookies = new Map<string, string>();
    const asked = async (method: string, path: string, body = ''): Promise<RawAnswer> => {
      const cookie = [...cookies].map(([name, value]) => `${name}=${value}`).join('; ');
      const headers = [`Cookie: ${cookie}`];
      const answer = await sendRequest(running.port, { host: 'id.example.com', method, target: path, headers, body });
      expectCommonHeaders(answer.headers, path, { https: true });
      for (const line of answer.headers.getSetCookie()) {
        expectSoundCookie(line, path, true);
        const [name = '', value = ''] = (line.split(';')[0] ?? '').split('=');
        cookies.set(name, value);
      }
      return answer;
    };
    const begun = await asked('GET', pathname + search);
    const page = await asked('GET', begun.headers.get('location') ?? '');
    const csrf = /name="csrf" value="([^"]+)"/.exec(page.text)?.[1] ?? '';
    const members = { csrf, login: 'ada@example.com', password: 'correct horse battery' };
    const submitted = await asked(
      'POST',
      `${begun.headers.get('location')}/login`,
      new URLSearchParams(members).toString(),
    );
    const resume = submitted.headers.get('location') ?? '';
    expect(resume).to.match(/^https:\/\/id\.example\.com\/oauth2\/authorize\//);
    const done = await asked('GET', new URL(resume).pathname);
    expect(done.headers.get('location')).to.match(/^http:\/\/localhost:3001\/callback\?code=/);
    const question = await asked('GET', '/oauth2/logout');
    const xsrf = /name="xsrf" value="([^"]+)"/.exec(question.text)?.[1] ?? '';
    await asked('POST', '/oauth2/logout/confirm', `xsrf=${xsrf}&logout=yes`);
    expect(cookies.get('__Host-sid'), 'cleared').to.equal('');
    expect([...cookies.keys()].filter((name) => !name.startsWith('__'))).to.deep.equal([]);
    expect([...cookies.keys()]).to.include.members([
      '__Host-sid',
      '__Host-browser',
      '__Secure-interaction',
      '__Secure-resume',
    ]);
    // a cookie of another key is cleared by one that the browser takes
    cookies.set('__Host-sid.sig', 'of-another-key');
    cookies.set('__Host-sid', 'planted');
    await asked('GET', pathname + search);
  });
});
