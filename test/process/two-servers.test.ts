// The example of examples/two-servers, as it stands there: two real processes, of which one is the provider of the other.
import { expect } from 'chai';
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseEnv } from 'node:util';
import { createRemoteJWKSet, decodeJwt, jwtVerify } from 'jose';
import { browser } from '../support/browser.js';
import { fetchTrusting } from '../support/fetch-trusting.js';
import { relyingParty, signIn } from '../support/relying-party.js';
import { freePort, killServerProcesses, startServerProcess } from '../support/server-process.js';
import { requireTool } from '../support/tools.js';

const example = 'examples/two-servers';
const person = { email: 'grace@example.com', password: 'a compiler is born here' };

describe('the example with two servers', function () {
  this.timeout(120_000);
  let folder: string;
  let asInExample: (text: string) => string;
  let readme: string;

  before(async function () {
    if (!requireTool('openssl')) return this.skip();
    folder = mkdtempSync(join(tmpdir(), 'gatehouse-'));
    const ports = { '4001': String(await freePort()), '4002': String(await freePort()) };
    // another place and other ports, so that it runs beside one that somebody has started by hand; all else is as it is
    asInExample = (text) =>
      text
        .replaceAll(/\.data\/two-servers|examples\/two-servers/g, folder)
        .replaceAll(/\b(?:4001|4002)\b/g, (port) => ports[port as keyof typeof ports]);
    for (const name of readdirSync(example))
      writeFileSync(join(folder, name), asInExample(readFileSync(join(example, name), 'utf8')));
    readme = readFileSync(join(folder, 'README.md'), 'utf8');
  });
  afterEach(killServerProcesses);
  after(() => {
    if (folder) rmSync(folder, { recursive: true });
  });

  /** Blocks of commands, in their order. */
  const commands = (): string[] => [...readme.matchAll(/```sh\n([\s\S]*?)```/g)].map(([, block = '']) => block.trim());

  it('signs somebody of the provider in to an app of the main server', async () => {
    const [prepare = '', ...starts] = commands();
    execFileSync('sh', ['-ec', prepare], { stdio: 'ignore' });
    const started = starts.flatMap((block) => /^\(set -a; \. (\S+\.env); npm start\)$/.exec(block)?.[1] ?? []);
    expect(started.map((file) => file.slice(folder.length))).to.deep.equal(['/provider.env', '/main.env']);
    const [provider, main] = started.map((file) => parseEnv(readFileSync(file, 'utf8')) as Record<string, string>);
    if (!provider || !main) throw new Error('the example starts two servers');
    for (const environment of [provider, main]) {
      const server = await startServerProcess(environment);
      expect(server.output()).to.contain(`is ready at ${environment['ISSUER']}`);
    }

    const issuer = main['ISSUER'] ?? '';
    expect(starts.at(-1)).to.equal(`npm run demo -- --issuer ${issuer}`);
    const { begin } = await relyingParty(issuer, 'demo', null);
    const { url, finish } = await begin();
    const visitor = browser(issuer);
    const login = await visitor.get(url);
    const [, connection = ''] = /value="(con_[0-9a-f]{32})"/.exec(login.html) ?? [];
    const away = await visitor.submit(login, { connection });
    expect(away.url.startsWith(`${provider['ISSUER']}/oauth2/authorize?`), away.html).to.equal(true);

    const send = fetchTrusting(readFileSync(provider['TLS_CERT'] ?? '', 'utf8'));
    const atProvider = browser(provider['ISSUER'] ?? '', send);
    const { page: back } = await signIn(provider['ISSUER'] ?? '', away.url, person, atProvider);
    const tokens = await finish((await visitor.get(back.url)).url);

    const keys = createRemoteJWKSet(new URL(`${issuer}/oauth2/jwks`));
    const { payload } = await jwtVerify(tokens.id_token ?? '', keys, { issuer, audience: 'demo' });
    expect(payload).to.deep.include({ email: person.email, email_verified: true, name: 'Grace Hopper', amr: ['fed'] });
    expect(decodeJwt(tokens.id_token ?? '').sub).to.match(/^usr_/);
  });
});
