// The server as docker-compose.yml runs it, behind the nginx of docker-compose.yml, without Docker.
import { expect } from 'chai';
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { connect, type ConnectionOptions } from 'node:tls';
import * as client from 'openid-client';
import { addressLimits } from '../../config/address-limits.js';
import { browser } from '../support/browser.js';
import { ada, contractSeed } from '../support/contract-seed.js';
import { freshDatabaseUri } from '../support/database.js';
import { serviceOf } from '../support/deployment.js';
import { fetchTrusting } from '../support/fetch-trusting.js';
import { freePorts, startNginx, type Nginx, type NginxOptions } from '../support/nginx.js';
import { startRedis, type RedisServer } from '../support/redis.js';
import { relyingParty, signIn } from '../support/relying-party.js';
import { killServerProcesses, startServerProcess } from '../support/server-process.js';
import { requireTool } from '../support/tools.js';
import { makeTrialSecrets } from '../support/trial-secrets.js';

describe('behind nginx with TLS', function () {
  this.timeout(180_000);
  let folder: string | undefined;
  let redis: RedisServer | undefined;
  let nginx: Nginx | undefined;
  let ports: Pick<NginxOptions, 'httpsPort' | 'httpPort' | 'serverPort'>;
  let issuer: string;
  let certificate: string;
  let send: typeof fetch;

  before(async function () {
    for (const tool of ['nginx', 'openssl', 'redis-server'] as const) if (!requireTool(tool)) return this.skip();
    folder = mkdtempSync(join(tmpdir(), 'gatehouse-'));
    chmodSync(folder, 0o755); // the workers of nginx are another user when its master is root
    certificate = makeTrialSecrets(folder)['tls_certificate'] ?? '';
    send = fetchTrusting(certificate);
    ports = await freePorts();
    issuer = `https://localhost:${ports.httpsPort}`;
    redis = await startRedis();
    await startServerProcess(await environmentOfCompose(folder, redis));
    nginx = await startNginx({ folder, ...ports });
  });
  after(async () => {
    await nginx?.stop();
    killServerProcesses();
    await redis?.stop();
    if (folder) rmSync(folder, { recursive: true });
  });

  /** As docker-compose.yml has it, with the addresses of this machine; the data folder is one that nobody can make. */
  async function environmentOfCompose(inFolder: string, { url }: RedisServer): Promise<Record<string, string>> {
    const seed = join(inFolder, 'seed.json');
    writeFileSync(seed, JSON.stringify(contractSeed));
    const composed = Object.entries(serviceOf('gatehouse').environment ?? {}).map(([name, value]) => [
      name,
      value.replace('/run/secrets', join(inFolder, 'secrets')),
    ]);
    return {
      ...(Object.fromEntries(composed) as Record<string, string>),
      ...{ ISSUER: issuer, PORT: String(ports.serverPort), REDIS_URL: url, MONGODB_URI: await freshDatabaseUri() },
      ...{ SEED_FILE: seed, WORKERS: '2', RATE_LIMIT_FACTOR: '1', DATA_DIR: '/proc/gatehouse' },
    };
  }

  it('its configuration passes nginx -t without a warning', () => {
    expect(nginx?.verdict)
      .to.contain('test is successful')
      .and.not.match(/\[(warn|emerg)\]/);
  });

  it('a person signs in, and the server keeps to the issuer', async () => {
    const party = await relyingParty(issuer, 'web', undefined, send);
    expect(party.configuration.serverMetadata()).to.include({
      issuer,
      token_endpoint: `${issuer}/oauth2/token`,
      authorization_endpoint: `${issuer}/oauth2/authorize`,
    });
    const begun = await party.begin();
    const { page, browser: visitor } = await signIn(issuer, begun.url, ada, browser(issuer, send));
    const tokens = await begun.finish(page.url);
    expect(tokens.claims()).to.include({ iss: issuer, tenant_slug: 'acme' });
    const renewed = await client.refreshTokenGrant(party.configuration, tokens.refresh_token ?? '');
    expect(renewed.access_token).to.be.a('string');
    const silent = await party.begin({ prompt: 'none' });
    expect((await visitor.get(silent.url)).url).to.contain('code=');
  });

  it('every cookie is Secure and has the prefix that its path allows', async () => {
    const party = await relyingParty(issuer, 'web', undefined, send);
    const lines: string[] = [];
    const watched: typeof fetch = async (...asked) => {
      const answer = await send(...asked);
      lines.push(...answer.headers.getSetCookie());
      return answer;
    };
    await signIn(issuer, (await party.begin()).url, ada, browser(issuer, watched));
    expect(lines.filter((line) => line.startsWith('__Host-'))).not.to.have.length(0);
    for (const line of lines) {
      expect(line)
        .to.match(/; secure/i)
        .and.match(/; httponly/i);
      expect(line).to.match(/; path=\/;/i.test(line) ? /^__Host-/ : /^__Secure-/);
      expect(line).not.to.match(/domain=/i);
    }
  });

  it('every answer has the headers of the server, once', async () => {
    const answer = await send(`${issuer}/.well-known/openid-configuration`);
    expect(answer.headers.get('strict-transport-security'))
      .to.match(/^max-age=\d+/)
      .and.not.contain(',');
    expect(answer.headers.get('x-request-id')).to.match(/^[\w-]+$/);
    expect(answer.headers.get('x-powered-by')).to.equal(null);
    expect(answer.headers.get('server')).to.equal('nginx'); // no version
  });

  it('sec-021 what a client claims about host and scheme does not count', async () => {
    const lies = {
      'X-Forwarded-Host': 'evil.example',
      'X-Forwarded-Proto': 'http',
      'X-Forwarded-For': '203.0.113.7',
      Forwarded: 'for=203.0.113.7;host=evil.example;proto=http',
    };
    const told = await send(`${issuer}/.well-known/openid-configuration`, { headers: lies });
    expect(await told.text()).not.to.match(/evil\.example|"http:/);
    const misdirected = await send(`${issuer}/.well-known/openid-configuration`, { headers: { Host: 'evil.example' } });
    expect(misdirected.status).to.equal(421);
    const redirected = await fetch(`http://127.0.0.1:${ports.httpPort}/oauth2/authorize?x=1`, {
      headers: { Host: 'evil.example' },
      redirect: 'manual',
    });
    expect(redirected.status).to.equal(308);
    expect(redirected.headers.get('location')).to.equal(`${issuer}/oauth2/authorize?x=1`);
  });

  it('bodies and addresses beyond the limits are refused', async () => {
    const form = { 'Content-Type': 'application/x-www-form-urlencoded' };
    const post = (body: string): Promise<Response> =>
      send(`${issuer}/oauth2/token`, { method: 'POST', headers: form, body });
    expect((await post(`a=${'x'.repeat(56 * 1024)}`)).status).to.equal(413);
    expect((await post('a=b')).status).to.equal(400);
    expect((await send(`${issuer}/health/live?${'x'.repeat(9000)}`)).status).to.equal(414);
  });

  it('old versions and ciphers without authentication are refused', async () => {
    const offer = (options: ConnectionOptions): Promise<string> =>
      new Promise((resolve) => {
        const socket = connect({ host: 'localhost', port: ports.httpsPort, ca: certificate, ...options });
        socket.once('error', () => resolve('refused'));
        socket.once('secureConnect', () => {
          resolve(`${socket.getProtocol()} ${socket.getCipher().name}`);
          socket.destroy();
        });
      });
    expect(await offer({})).to.match(/^TLSv1\.3 /);
    expect(await offer({ maxVersion: 'TLSv1.2' })).to.match(/^TLSv1\.2 ECDHE-ECDSA-.*(GCM|POLY1305)/);
    const old = { ciphers: 'DEFAULT@SECLEVEL=0' };
    expect(await offer({ ...old, minVersion: 'TLSv1', maxVersion: 'TLSv1.1' })).to.equal('refused');
    expect(await offer({ maxVersion: 'TLSv1.2', ciphers: 'ECDHE-ECDSA-AES128-SHA' })).to.equal('refused');
  });

  it('sec-049 limits go by the address that nginx saw, whatever a client says', async () => {
    const points = addressLimits.find(({ name }) => name === 'login')?.points ?? 0;
    const statuses: number[] = [];
    for (let sent = 0; sent <= points; sent++) {
      const headers = { 'X-Forwarded-For': `203.0.113.${sent}`, 'X-Real-IP': `203.0.113.${sent}` };
      statuses.push((await send(`${issuer}/sign-in/none/login`, { method: 'POST', headers })).status);
    }
    expect(statuses.at(-1)).to.equal(429);
    expect(statuses.filter((status) => status !== 429)).not.to.have.length(0);
  });
});
