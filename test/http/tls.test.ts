// TLS that the server ends itself: what it speaks, and that its limits are those of plain HTTP.
import { expect } from 'chai';
import { once } from 'node:events';
import { connect as connectPlain } from 'node:net';
import type { AddressInfo } from 'node:net';
import * as tls from 'node:tls';
import { policy } from '../../config/policy.js';
import { createHttpServer, drain, listen } from '../../src/platform/http/server.js';
import { tlsOptions } from '../../src/platform/http/tls-options.js';
import { makeAuthority, type Authority } from '../support/authority.js';
import { fetchTrusting } from '../support/fetch-trusting.js';
import { closeApps, startApp, type RunningApp, type StartOptions } from '../support/start-app.js';
import { requireTool } from '../support/tools.js';

const weakSuites = [
  ...['ECDHE-ECDSA-AES128-SHA', 'ECDHE-ECDSA-AES256-SHA384', 'ECDHE-ECDSA-AES128-SHA256', 'ECDHE-ECDSA-AES128-CCM8'],
  ...[
    'AES128-GCM-SHA256',
    'AES128-SHA',
    'NULL-SHA256',
    'ECDHE-ECDSA-NULL-SHA',
    'AECDH-AES128-SHA',
    'PSK-AES128-GCM-SHA256',
  ],
];
const goodSuites = ['ECDHE-ECDSA-AES128-GCM-SHA256', 'ECDHE-ECDSA-AES256-GCM-SHA384'];

describe('TLS of the server itself', () => {
  let host: Authority;
  const closing: (() => Promise<unknown>)[] = [];

  before(function () {
    if (requireTool('openssl') === undefined) return this.skip();
    host = makeAuthority();
  });
  afterEach(async () => {
    for (const close of closing.splice(0)) await close();
    await closeApps();
  });

  const ownTls = () => ({ certificates: host.host.cert, key: host.host.key, clientAuthorities: null });
  const start = (options: StartOptions = {}): Promise<RunningApp> => startApp({ tls: ownTls(), ...options });

  /** The protocol and the suite of a handshake with these options, or `refused`. */
  async function handshake(port: number, options: tls.ConnectionOptions): Promise<string> {
    const socket = tls.connect({ host: '127.0.0.1', port, ca: host.certificate, servername: 'localhost', ...options });
    const outcome = await Promise.race([
      once(socket, 'secureConnect').then(() => `${socket.getProtocol()} ${socket.getCipher().name}`),
      once(socket, 'error').then(() => 'refused'),
    ]).catch(() => 'refused');
    socket.destroy();
    return outcome;
  }

  const only = (version: tls.SecureVersion, ciphers = 'ALL:@SECLEVEL=0'): tls.ConnectionOptions => ({
    ...{ minVersion: version, maxVersion: version, ciphers },
  });

  /** A server that takes whatever is asked for: what is refused elsewhere is then refused by the other side. */
  async function laxServer(): Promise<number> {
    const { cert, key } = host.host;
    const server = tls.createServer({ cert, key, minVersion: 'TLSv1', ciphers: 'ALL:eNULL:@SECLEVEL=0' });
    server.on('tlsClientError', () => undefined);
    closing.push(async () => new Promise((resolve) => server.close(resolve)));
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    return (server.address() as AddressInfo).port;
  }

  it('sec-080 speaks TLS 1.2 and 1.3, and nothing older', async () => {
    const { port } = await start();
    const lax = await laxServer();
    expect(await handshake(port, only('TLSv1.3', 'TLS_AES_128_GCM_SHA256'))).to.match(/^TLSv1.3 /);
    expect(await handshake(port, only('TLSv1.2', 'DEFAULT'))).to.match(/^TLSv1.2 ECDHE-ECDSA-AES\d+-GCM/);
    for (const version of ['TLSv1', 'TLSv1.1'] as const) {
      expect(await handshake(lax, only(version))).to.match(new RegExp(`^${version} `));
      expect(await handshake(port, only(version))).to.equal('refused');
    }
  });

  it('sec-080 takes suites with forward secrecy and AEAD alone', async () => {
    const { port } = await start();
    const lax = await laxServer();
    const of = (suite: string): tls.ConnectionOptions => only('TLSv1.2', `${suite}:@SECLEVEL=0`);
    for (const suite of goodSuites) expect(await handshake(port, of(suite))).to.equal(`TLSv1.2 ${suite}`);
    let shown = 0;
    for (const suite of weakSuites) {
      expect(await handshake(port, of(suite)), suite).to.equal('refused');
      if ((await handshake(lax, of(suite))) !== 'refused') shown++;
    }
    expect(shown, 'suites that this machine could have agreed on').to.be.greaterThan(3);
  });

  it('sec-080 does not negotiate anew within a connection', () => {
    const { minVersion, secureOptions = 0 } = tlsOptions(ownTls(), 1000);
    expect(minVersion).to.equal('TLSv1.2');
    expect(secureOptions).to.not.equal(0);
  });

  it('sends HSTS, and cookies that are for https alone', async () => {
    const { issuer } = await start();
    const answer = await fetchTrusting(host.certificate)(
      `${issuer}/oauth2/authorize?client_id=web&response_type=code&scope=openid&redirect_uri=http://localhost:3001/callback`,
    );
    expect(answer.headers.get('strict-transport-security')).to.match(/max-age=\d{8}/);
    for (const cookie of answer.headers.getSetCookie()) expect(cookie).to.match(/; secure/i);
  });

  it('a handshake that does not come to an end is ended in time', async () => {
    const { port } = await start({ policy: { ...policy, limits: { ...policy.limits, headersTimeoutMs: 400 } } });
    const socket = connectPlain(port, '127.0.0.1');
    socket.on('error', () => undefined);
    await once(socket, 'connect');
    const since = performance.now();
    await once(socket, 'close');
    expect(performance.now() - since).to.be.within(300, 3000);
  });

  it('what is no TLS is not answered, and does no harm', async () => {
    const { port, issuer, logLines } = await start();
    const socket = connectPlain(port, '127.0.0.1');
    let received = '';
    socket.on('data', (chunk: Buffer) => (received += chunk.toString('latin1')));
    socket.on('error', () => undefined);
    socket.write('GET / HTTP/1.1\r\nHost: localhost\r\n\r\n');
    await once(socket, 'close');
    expect(received).not.to.contain('HTTP/');
    expect((await fetchTrusting(host.certificate)(`${issuer}/health/live`)).status).to.equal(200);
    expect(logLines.join('')).not.to.match(/"level":(50|60)/);
  });

  /** What comes back for this text on a connection with TLS. */
  async function told(port: number, text: string): Promise<string> {
    const socket = tls.connect({ host: '127.0.0.1', port, ca: host.certificate, servername: 'localhost' });
    let received = '';
    socket.on('data', (chunk: Buffer) => (received += chunk.toString()));
    socket.on('error', () => undefined);
    await once(socket, 'secureConnect');
    socket.write(text);
    await once(socket, 'close');
    return received;
  }

  it('headers that are too long, or too slow, are answered as without TLS', async () => {
    const limits = { ...policy.limits, headersTimeoutMs: 400, requestTimeoutMs: 800 };
    const { port } = await start({ policy: { ...policy, limits } });
    const long = `GET / HTTP/1.1\r\nHost: localhost\r\nX: ${'x'.repeat(20_000)}\r\n\r\n`;
    expect(await told(port, long)).to.match(/^HTTP\/1\.1 431 /);
    expect(await told(port, 'GET / HTTP/1.1\r\nHost: lo')).to.match(/^HTTP\/1\.1 408 /);
    expect(await told(port, 'nonsense\r\n\r\n')).to.match(/^HTTP\/1\.1 400 /);
    expect(await told(port, 'CONNECT a.b:1 HTTP/1.1\r\nHost: localhost\r\n\r\n')).to.match(/^HTTP\/1\.1 405 /);
  });

  it('connections past the limit are closed, also those on which TLS has not begun', async () => {
    const server = createHttpServer(
      (_req, res) => res.end('ok'),
      { ...policy.limits, connections: 2 },
      { tls: ownTls() },
    );
    const port = await listen(server, 0, '127.0.0.1');
    const waiting = [connectPlain(port, '127.0.0.1'), connectPlain(port, '127.0.0.1')];
    closing.push(() => drain(server, 0));
    for (const socket of waiting) {
      socket.on('error', () => undefined);
      await once(socket, 'connect');
    }
    expect(await handshake(port, {})).to.equal('refused');
    const closed = once(waiting[0]!, 'close');
    waiting[0]!.destroy();
    await closed;
    const gone = performance.now() + 2000;
    let outcome = 'refused';
    while (outcome === 'refused' && performance.now() < gone) outcome = await handshake(port, {});
    expect(outcome).to.match(/^TLSv1.3/);
  });

  it('closing ends connections on which TLS has not begun', async () => {
    const server = createHttpServer((_req, res) => res.end('ok'), policy.limits, { tls: ownTls() });
    const socket = connectPlain(await listen(server, 0, '127.0.0.1'), '127.0.0.1');
    socket.on('error', () => undefined);
    await Promise.all([once(server, 'connection'), once(socket, 'connect')]);
    await Promise.all([drain(server, 50), once(socket, 'close')]);
  });
});
