import { expect } from 'chai';
import type { IncomingHttpHeaders, IncomingMessage } from 'node:http';
import { policy } from '../../../config/policy.js';
import { AppError } from '../../../src/kernel/errors.js';
import { requestPinner } from '../../../src/platform/http/edge.js';

interface Asked {
  url?: string;
  headers?: Record<string, string>;
  /** Replaces the Host lines as they came. */
  hosts?: string[];
  remoteAddress?: string;
  trustedProxies?: number;
  issuer?: string;
  httpVersion?: string;
}

const issuer = 'https://id.example.com';

/** What is left of the headers behind the edge; throws what the edge throws. */
function pinned(asked: Asked): IncomingHttpHeaders {
  const { url = '/', hosts = ['id.example.com'], remoteAddress = '192.0.2.10', trustedProxies = 0 } = asked;
  const { httpVersion = '1.1' } = asked;
  const headers: IncomingHttpHeaders = { ...asked.headers };
  if (hosts[0] !== undefined) headers.host = hosts[0];
  const rawHeaders = [...hosts.flatMap((host) => ['Host', host]), ...Object.entries(headers).flat().map(String)];
  const withoutHost = rawHeaders.filter(
    (_, index) => index < hosts.length * 2 || rawHeaders[index - (index % 2)] !== 'host',
  );
  const request = { url, httpVersion, headers, rawHeaders: withoutHost, socket: { remoteAddress } };
  const options = { issuer: asked.issuer ?? issuer, trustedProxies, limits: policy.limits };
  requestPinner(options)(request as unknown as IncomingMessage);
  return headers;
}

function refusal(asked: Asked): string {
  try {
    pinned(asked);
    return 'was taken';
  } catch (error) {
    if (!(error instanceof AppError)) throw error;
    return `${error.status} ${error.code}`;
  }
}

describe('what is believed about a request', () => {
  it('sec-021 the host is the issuer’s, in any case, and nothing else', () => {
    expect(pinned({ hosts: ['ID.Example.COM'] }).host).to.equal('id.example.com');
    for (const host of [
      'evil.example',
      'id.example.com.',
      'id.example.com:8443',
      'id.example.com.evil.example',
      'evil.example@id.example.com',
      'id.example.com, evil.example',
      'id.example.com/',
      ' id.example.com',
      'localhost',
      '127.0.0.1',
      '',
    ]) {
      expect(refusal({ hosts: [host] }), host).to.equal('421 request.misdirected');
    }
    expect(refusal({ hosts: [] }), 'no host').to.equal('400 request.no_host');
    expect(refusal({ hosts: [], httpVersion: '1.0' }), 'no host').to.equal('421 request.misdirected');
    expect(pinned({ issuer: 'http://localhost:3000', hosts: ['localhost:3000'] }).host).to.equal('localhost:3000');
    expect(refusal({ issuer: 'http://localhost:3000', hosts: ['localhost'] })).to.equal('421 request.misdirected');
  });

  it('sec-021 two hosts are refused, also the same one twice', () => {
    expect(refusal({ hosts: ['id.example.com', 'evil.example'] })).to.equal('400 request.bad_host');
    expect(refusal({ hosts: ['id.example.com', 'id.example.com'] })).to.equal('400 request.bad_host');
    expect(refusal({ url: '/health/live', hosts: ['a', 'b'] })).to.equal('400 request.bad_host');
  });

  it('a probe by address reaches the health endpoints alone', () => {
    expect(pinned({ url: '/health/live', hosts: ['10.0.0.7:3000'] }).host).to.equal('id.example.com');
    for (const url of ['/health', '/healthx', '/', '/oauth2/token?/health/', '/x/health/live']) {
      expect(refusal({ url, hosts: ['10.0.0.7:3000'] }), url).to.equal('421 request.misdirected');
    }
  });

  it('sec-078 a target that is no path is refused', () => {
    for (const url of ['', '*', 'http://id.example.com/', 'https://evil.example/', 'evil.example:443', '?x=1', '#']) {
      expect(refusal({ url }), url).to.equal('400 request.bad_target');
    }
  });

  it('sec-078 a path that two parsers would read in two ways is refused', () => {
    for (const url of [
      '//',
      '//evil.example/',
      '/a//b',
      '/\\evil.example',
      '/a\\b',
      '/a%2fb',
      '/a%2Fb',
      '/a%5cb',
      '/a%5Cb',
      '/%2e%2e/b',
      '/a/%2E/b',
      '/a%2e',
      '/a/../b',
      '/a/./b',
      '/a/..',
      '/a/.',
      '/..',
      '/a%00b',
      '/a;b',
      '/a;jsessionid=1/b',
    ]) {
      expect(refusal({ url }), url).to.equal('400 request.bad_path');
    }
    for (const url of [
      '/',
      '/a.b',
      '/.well-known/x',
      '/a..b',
      '/a/...',
      '/a?b=//c',
      '/a?b=%2f..%2f;',
      '/a%20b',
      '/a/b/',
    ]) {
      expect(refusal({ url }), url).to.equal('was taken');
    }
  });

  it('sec-051 an address beyond 8 KiB or 100 parameters is refused', () => {
    expect(refusal({ url: `/${'x'.repeat(8191)}` })).to.equal('was taken');
    expect(refusal({ url: `/${'x'.repeat(8192)}` })).to.equal('414 request.url_too_long');
    expect(refusal({ url: `/?${'x&'.repeat(99)}x` })).to.equal('was taken');
    expect(refusal({ url: `/?${'x&'.repeat(100)}x` })).to.equal('400 request.too_many_parameters');
  });

  it('sec-078 whatever a client writes about origin and target is taken out', () => {
    const claims = [
      ...['forwarded', 'via', 'x-forwarded-host', 'x-forwarded-port', 'x-forwarded-prefix', 'x-forwarded-uri'],
      ...['x-forwarded-server', 'x-forwarded-ssl', 'x-forwarded-scheme', 'x-forwarded-client-cert', 'x-forwarded-'],
      ...['x_forwarded_for', 'x_forwarded_proto', 'x-real-ip', 'x-client-ip', 'true-client-ip', 'cf-connecting-ip'],
      ...['x-original-uri', 'x-original-url', 'x-original-host', 'x-rewrite-url', 'x-http-method-override', 'x-host'],
      ...['x-url-scheme', 'front-end-https', 'x-ssl-cert', 'x-ssl-client-verify'],
    ];
    const headers = Object.fromEntries(claims.map((name) => [name, 'evil.example']));
    expect(pinned({ headers: { ...headers, 'x-forwarded-proto': 'gopher', accept: 'text/html' } })).to.deep.equal({
      accept: 'text/html',
      host: 'id.example.com',
      'x-forwarded-proto': 'https',
      'x-forwarded-for': '192.0.2.10',
    });
  });

  it('the scheme is the issuer’s', () => {
    const asked = {
      headers: { 'x-forwarded-proto': 'https' },
      issuer: 'http://localhost:3000',
      hosts: ['localhost:3000'],
    };
    expect(pinned(asked)['x-forwarded-proto']).to.equal('http');
  });
});

describe('the address of a client', () => {
  const addresses: readonly [proxies: number, header: string | null, address: string][] = [
    [0, null, '192.0.2.10'],
    [0, '198.51.100.1', '192.0.2.10'],
    [1, null, '192.0.2.10'],
    [1, '', '192.0.2.10'],
    [1, '198.51.100.1', '198.51.100.1'],
    [1, '203.0.113.9, 198.51.100.1', '198.51.100.1'],
    [1, '203.0.113.9,198.51.100.1', '198.51.100.1'],
    [1, '198.51.100.1,', '192.0.2.10'],
    [1, ',', '192.0.2.10'],
    [1, 'junk', '192.0.2.10'],
    [1, '203.0.113.9, junk', '192.0.2.10'],
    [1, 'unknown', '192.0.2.10'],
    [1, '198.51.100.256', '192.0.2.10'],
    [1, '198.51.100.1:4711', '192.0.2.10'],
    [1, '0x7f.1', '192.0.2.10'],
    [1, '127.0.0.1\r\nx: y', '192.0.2.10'],
    [1, 'evil.example', '192.0.2.10'],
    [1, '::ffff:198.51.100.1', '198.51.100.1'],
    [1, '::FFFF:198.51.100.1', '198.51.100.1'],
    [1, '2001:db8::1', '2001:db8::1'],
    [1, '203.0.113.9, 2001:db8::1', '2001:db8::1'],
    [2, '198.51.100.1', '192.0.2.10'],
    [2, '198.51.100.1, 10.0.0.1', '198.51.100.1'],
    [2, '203.0.113.9, 198.51.100.1, 10.0.0.1', '198.51.100.1'],
    [2, '203.0.113.9, junk, 10.0.0.1', '192.0.2.10'],
    [3, '203.0.113.9, 198.51.100.1, 10.0.0.1', '203.0.113.9'],
  ];
  for (const [proxies, header, address] of addresses) {
    it(`sec-049 is ${address} behind ${proxies} proxies that wrote ${JSON.stringify(header)}`, () => {
      const headers: Record<string, string> = header === null ? {} : { 'x-forwarded-for': header };
      expect(pinned({ headers, trustedProxies: proxies })['x-forwarded-for']).to.equal(address);
    });
  }

  it('is the IPv4 address of a socket that speaks IPv6', () => {
    expect(pinned({ remoteAddress: '::ffff:192.0.2.10' })['x-forwarded-for']).to.equal('192.0.2.10');
    expect(pinned({ remoteAddress: '::1' })['x-forwarded-for']).to.equal('::1');
  });
});
