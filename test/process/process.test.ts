import { expect } from 'chai';
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { once } from 'node:events';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import * as client from 'openid-client';
import { ada } from '../support/contract-seed.js';
import { relyingParty, signIn } from '../support/relying-party.js';
import { freePort, killServerProcesses, startServerProcess } from '../support/server-process.js';

describe('the server process', function () {
  this.timeout(60_000);
  let directory: string;

  beforeEach(() => {
    directory = mkdtempSync(join(tmpdir(), 'gatehouse-'));
  });
  afterEach(() => {
    killServerProcesses();
    rmSync(directory, { recursive: true, force: true });
  });

  const port = (issuer: string): string => new URL(issuer).port;

  it('a first start prints how to get in; what it made survives a restart', async () => {
    const first = await startServerProcess({ DATA_DIR: directory });
    const password = /Password \(shown this once\): (\S+)/.exec(first.output())?.[1] ?? '';
    expect(password).to.have.length.greaterThan(15);

    const administrator = { email: 'admin@example.com', password };
    const party = await relyingParty(first.issuer, 'demo', null);
    const asAdministrator = await party.begin();
    const entered = await asAdministrator.finish(
      (await signIn(first.issuer, asAdministrator.url, administrator)).page.url,
    );
    expect(entered.claims()).to.include({ tenant_slug: 'platform' });
    const begun = await party.begin({ tenant: 'acme' });
    const { browser, page } = await signIn(first.issuer, begun.url, ada);
    const tokens = await begun.finish(page.url);
    expect(await first.stop()).to.equal(0);

    const second = await startServerProcess({ DATA_DIR: directory, PORT: port(first.issuer) });
    expect(second.output()).not.to.contain('Password');
    const renewed = await client.refreshTokenGrant(party.configuration, tokens.refresh_token ?? '');
    expect(renewed.access_token).to.be.a('string');
    const silent = await party.begin({ tenant: 'acme', prompt: 'none' });
    expect((await browser.get(silent.url)).url).to.contain('code=');
    expect(await second.stop()).to.equal(0);
    expect(statSync(join(directory, 'secrets.json')).mode & 0o777).to.equal(0o600);
  });

  it('SIGTERM: not ready first, then what runs is finished, then the end with 0', async () => {
    const server = await startServerProcess({ DATA_DIR: ':memory:' });
    expect((await fetch(`${server.issuer}/health/ready`)).status).to.equal(200);
    const socket = connect(Number(port(server.issuer)), '127.0.0.1');
    await once(socket, 'connect');
    const body = 'grant_type=client_credentials';
    const head = `POST /oauth2/token HTTP/1.1\r\nHost: localhost:${port(server.issuer)}\r\nContent-Type: application/x-www-form-urlencoded\r\nContent-Length: ${body.length}\r\nConnection: close\r\n\r\n`;
    socket.write(head + body.slice(0, 5));

    const ended = server.stop('SIGTERM');
    while (!server.output().includes('draining')) await fetch(`${server.issuer}/health/live`);
    expect((await fetch(`${server.issuer}/health/ready`)).status).to.equal(503);
    const live = await fetch(`${server.issuer}/health/live`);
    expect(live.status).to.equal(200);
    expect(live.headers.get('connection'), 'nobody comes again on it').to.equal('close');
    while (await answers(server.issuer));
    socket.write(body.slice(5));
    const [answer] = (await once(socket, 'data')) as [Buffer];
    expect(answer.toString()).to.match(/^HTTP\/1.1 400 .*invalid_request/s);
    expect(await ended).to.equal(0);
  });

  it('a configuration that cannot be used stops the start and lists every problem', async () => {
    const server = await startServerProcess({
      ISSUER: 'http://example.com',
      LOG_LEVEL: 'loud',
      WORKERS: '3',
      DATA_DIR: ':memory:',
    });
    expect(await server.exited).to.equal(1);
    expect(server.output())
      .to.contain('ISSUER must be https')
      .and.to.contain('LOG_LEVEL')
      .and.to.contain('WORKERS above 1 needs REDIS_URL');
  });

  it('a bad seed file stops the start with the line; a good one is applied at every start', async () => {
    const seed = join(directory, 'seed.yaml');
    writeFileSync(seed, 'tenants:\n  - slug: acme\n    name: Acme Inc\n    type: huge\n');
    const refused = await startServerProcess({ DATA_DIR: directory, SEED_FILE: seed });
    expect(await refused.exited).to.equal(1);
    expect(refused.output()).to.contain('seed.yaml:4 tenants[0].type');
    writeFileSync(seed, 'tenants:\n  - slug: acme\n    name: Acme Inc\n    type: team\n');
    const accepted = await startServerProcess({ DATA_DIR: directory, SEED_FILE: seed });
    expect(await accepted.stop()).to.equal(0);
  });

  it('a port in use, and a database that does not answer, are said in one line', async () => {
    const first = await startServerProcess({ DATA_DIR: ':memory:' });
    const second = await startServerProcess({ DATA_DIR: ':memory:', PORT: port(first.issuer) });
    expect(await second.exited).to.equal(1);
    expect(second.output())
      .to.contain(`Port ${port(first.issuer)} is in use`)
      .and.not.to.contain('    at ');
    const unreachable = `mongodb://127.0.0.1:${await freePort()}/`;
    const third = await startServerProcess({ DATA_DIR: directory, MONGODB_URI: unreachable });
    expect(await third.exited).to.equal(1);
    expect(third.output()).to.contain('The database cannot be reached').and.not.to.contain('    at ');
    expect(await first.stop()).to.equal(0);
  });

  it('`npm run seed` works beside a running server on the same embedded database', async () => {
    const server = await startServerProcess({ DATA_DIR: directory });
    const seed = join(directory, 'seed.yaml');
    writeFileSync(
      seed,
      `users:\n  - email: new@example.com\n    password: a password of a new person\n    memberships: [{ tenant: acme, roles: [member] }]\n`,
    );
    const run = (): string => {
      const { status, stdout, stderr } = spawnSync(process.execPath, ['--import', 'tsx', 'scripts/seed.ts', seed], {
        env: { PATH: process.env['PATH'], DATA_DIR: directory, ISSUER: server.issuer },
        encoding: 'utf8',
      });
      expect(status, stderr).to.equal(0);
      return stdout;
    };
    expect(run()).to.contain('3 created, 0 updated, 0 unchanged');
    expect(run()).to.contain('0 created, 0 updated, 3 unchanged');
    const party = await relyingParty(server.issuer, 'demo', null);
    const { url } = await party.begin();
    const { page } = await signIn(server.issuer, url, {
      email: 'new@example.com',
      password: 'a password of a new person',
    });
    expect(page.url).to.contain('code=');
    await server.stop();
  });

  async function answers(issuer: string): Promise<boolean> {
    return fetch(`${issuer}/health/live`).then(
      () => true,
      () => false,
    );
  }
});
