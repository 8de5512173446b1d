// The real process ends TLS itself, alone and with workers.
import { expect } from 'chai';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import * as client from 'openid-client';
import { makeCertificates, seedFor, type Certificates } from '../http/mtls-roads.js';
import { makeAuthority, type Authority } from '../support/authority.js';
import { projectsApi } from '../support/contract-seed.js';
import { fetchTrusting } from '../support/fetch-trusting.js';
import { startRedis, type RedisServer } from '../support/redis.js';
import { relyingParty } from '../support/relying-party.js';
import { freePort, killServerProcesses, startServerProcess, type ServerProcess } from '../support/server-process.js';
import { requireTool } from '../support/tools.js';

describe('a process that ends TLS itself', function () {
  this.timeout(120_000);
  let folder: string;
  let host: Authority;
  let made: Certificates;
  let redis: RedisServer | undefined;

  before(async function () {
    for (const tool of ['openssl', 'redis-server'] as const) if (!requireTool(tool)) return this.skip();
    host = makeAuthority();
    made = makeCertificates();
    redis = await startRedis();
    folder = mkdtempSync(join(tmpdir(), 'gatehouse-'));
    writeFileSync(join(folder, 'cert.pem'), host.host.cert);
    writeFileSync(join(folder, 'key.pem'), host.host.key);
    writeFileSync(join(folder, 'clients.pem'), made.authority);
    writeFileSync(join(folder, 'seed.json'), JSON.stringify(seedFor(made)));
  });
  afterEach(killServerProcesses);
  after(async () => {
    await redis?.stop();
    if (folder) rmSync(folder, { recursive: true });
  });

  async function start(environment: Record<string, string>): Promise<ServerProcess & { address: string }> {
    const port = String(await freePort());
    const address = `https://localhost:${port}`;
    const started = await startServerProcess({
      ...{ ISSUER: address, PORT: port, ALLOW_EMBEDDED: 'true', DATA_DIR: ':memory:' },
      ...{ MASTER_KEYS: Buffer.alloc(32, 7).toString('base64url'), COOKIE_KEYS: 'c'.repeat(40) },
      ...{ TLS_CERT: join(folder, 'cert.pem'), TLS_KEY: join(folder, 'key.pem') },
      ...{ TLS_CLIENT_CA: join(folder, 'clients.pem'), SEED_FILE: join(folder, 'seed.json') },
      ...environment,
    });
    return { ...started, address };
  }

  for (const workers of ['1', '2']) {
    it(`serves clients with certificates and people without, with WORKERS=${workers}`, async () => {
      const server = await start(workers === '1' ? {} : { WORKERS: workers, REDIS_URL: redis?.url ?? '' });
      const send = fetchTrusting(host.certificate, made.job);
      const { configuration } = await relyingParty(server.address, 'by-dn', client.TlsClientAuth(), send);
      // a connection for each, so that every worker has its turn
      for (let round = 0; round < 4; round++)
        expect((await client.clientCredentialsGrant(configuration, { resource: projectsApi })).access_token).to.be.a(
          'string',
        );
      const page = await fetchTrusting(host.certificate)(`${server.address}/health/ready`);
      expect(page.status, server.output()).to.equal(200);
      expect(await server.stop('SIGINT')).to.equal(0);
    });
  }

  it('does not start with a key of another certificate, and says so', async () => {
    writeFileSync(join(folder, 'other.pem'), made.job.key);
    const server = await start({ TLS_KEY: join(folder, 'other.pem') });
    expect(await server.exited).to.equal(1);
    expect(server.output()).to.contain('TLS_KEY is not the key of TLS_CERT').and.not.contain(folder);
  });
});
