import { expect } from 'chai';
import { randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { freshDatabaseUri } from '../support/database.js';
import { redirectUri } from '../support/contract-seed.js';
import { relyingParty, signIn } from '../support/relying-party.js';
import { freePort, killServerProcesses, startServerProcess } from '../support/server-process.js';
import { sendToPair } from '../support/server-pair.js';

describe('F18 two processes that make the first start of one database', function () {
  this.timeout(60_000);
  let directory: string;

  beforeEach(() => {
    directory = mkdtempSync(join(tmpdir(), 'gatehouse-'));
  });
  afterEach(() => {
    killServerProcesses();
    rmSync(directory, { recursive: true, force: true });
  });

  it('show one password, which works, and sign with the same keys', async () => {
    const seedFile = join(directory, 'seed.json');
    const app = {
      client_id: 'app',
      token_endpoint_auth_method: 'none',
      redirect_uris: [redirectUri],
      firstParty: true,
    };
    writeFileSync(seedFile, JSON.stringify({ clients: [app] }));
    const databaseUri = await freshDatabaseUri();
    const ports = [await freePort(), await freePort()] as const;
    const issuer = `http://localhost:${ports[0]}`;
    const environment = {
      ...{ ISSUER: issuer, MONGODB_URI: databaseUri, DATA_DIR: directory, SEED_FILE: seedFile },
      MASTER_KEYS: randomBytes(32).toString('base64url'),
      COOKIE_KEYS: randomBytes(32).toString('base64url'),
    };
    const servers = await Promise.all(ports.map((port) => startServerProcess({ ...environment, PORT: String(port) })));
    const passwords = servers.flatMap(({ output }) => /Password \(shown this once\): (\S+)/.exec(output())?.[1] ?? []);
    expect(passwords, servers.map(({ output }) => output()).join('\n')).to.have.length(1);

    const [one, other] = await Promise.all(
      [0, 1].map((which) => sendToPair({ issuer, databaseUri, ports }, which, { path: '/oauth2/jwks' })),
    );
    expect(one?.json['keys']).to.have.length(2);
    expect(other?.json).to.deep.equal(one?.json);
    const { url } = await (await relyingParty(issuer, 'app', null)).begin();
    const administrator = { email: 'admin@example.com', password: passwords[0] ?? '' };
    expect((await signIn(issuer, url, administrator)).page.url).to.contain('code=');
  });
});
