import { expect } from 'chai';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createDataKeyStore } from '../../src/platform/crypto/data-key-store.js';
import { openKeyRing } from '../../src/platform/crypto/key-ring.js';
import { openSealing } from '../../src/platform/crypto/sealing.js';
import { openEmbeddedDatabase } from '../../src/platform/mongo/embedded/open-embedded-database.js';
import { openDatabase } from '../../src/platform/mongo/open-database.js';
import { inTransactionOf } from '../../src/platform/mongo/transactions.js';
import { signingKeysModule } from '../../src/signing-keys/index.js';
import { connectTo } from '../contracts/embedded-support.js';
import { authorizeUrl } from '../http/requests.js';
import { browser } from '../support/browser.js';
import { findCanaries, formsOf, type Canary, type Text } from '../support/canaries.js';
import { startMailServer, type MailServer } from '../support/mail-server.js';
import { recordAnswers, type RecordedAnswers } from '../support/recorded-answers.js';
import { killServerProcesses, startServerProcess, type ServerProcess } from '../support/server-process.js';
import { plant, runFlows, type Planted } from './canary-flows.js';

describe('sec-077 nothing secret or personal is readable', function () {
  this.timeout(120_000);
  let directory: string;
  let answers: RecordedAnswers;
  let planted: Planted;
  /** Letters say whose they are, and go out: none is to be left behind. */
  let mailServer: MailServer;

  beforeEach(async () => {
    directory = mkdtempSync(join(tmpdir(), 'gatehouse-'));
    answers = recordAnswers();
    planted = await plant();
    mailServer = await startMailServer();
  });
  afterEach(async () => {
    answers.stop();
    killServerProcesses();
    await mailServer.close();
    rmSync(directory, { recursive: true, force: true });
  });

  it('in DATA_DIR, also after a restart and a rewrite of the journal; in the log at its most talkative; in any answer', async () => {
    const data = join(directory, 'data');
    const seedFile = join(directory, 'seed.json');
    writeFileSync(seedFile, JSON.stringify(planted.seed));
    const smtp = { SMTP_URL: `smtp://127.0.0.1:${mailServer.port}`, MAIL_FROM: 'no-reply@id.example.com' };
    const environment = { DATA_DIR: data, LOG_LEVEL: 'trace', ...smtp };
    const first = await startServerProcess({
      ...{ ...environment, SEED_FILE: seedFile },
      ...{ ADMIN_EMAIL: planted.admin.email, ADMIN_PASSWORD: planted.admin.password },
    });
    const canaries = [...planted.canaries, ...(await runFlows(first.issuer, planted))];
    expect(await first.stop(), first.output()).to.equal(0);
    canaries.push(...cookiesIn(answers), ...(await keysOf(data)));
    expect(canaries.length).to.be.greaterThan(80);
    expectClean([...filesIn(data), ...outputOf(first, 'the first start'), ...answers.texts], canaries);

    const second = await startServerProcess({ ...environment, PORT: new URL(first.issuer).port });
    await signInAgain(second.issuer, planted);
    await rewriteJournal(data);
    expect(await second.stop(), second.output()).to.equal(0);
    expectClean(
      [...filesIn(data), ...outputOf(second, 'the second start'), ...answers.texts],
      [...canaries, ...cookiesIn(answers)],
    );
  });

  it('the search finds what is there, in every form', () => {
    const value = "canary's <name>+value@example.com";
    for (const [form, bytes] of formsOf(value)) {
      const text = { name: form, bytes: Buffer.concat([Buffer.from('\u0000before'), bytes, Buffer.from('after')]) };
      expect(findCanaries([text], [{ name: 'it', value }]), form).to.have.length(1);
    }
    for (const before of ['', 'a', 'ab', 'abc']) {
      const bytes = Buffer.from(Buffer.from(`${before}${value}after`).toString('base64url'));
      expect(findCanaries([{ name: 'base64url', bytes }], [{ name: 'it', value }]), before).to.have.length(1);
    }
    const key = Buffer.alloc(32, 7);
    const raw = { name: 'raw', bytes: Buffer.concat([Buffer.from('x'), key]) };
    expect(findCanaries([raw], [{ name: 'key', value: key.toString('base64url') }])).to.have.length(1);
    expect(findCanaries([{ name: 'other', bytes: Buffer.from('nothing') }], [{ name: 'it', value }])).to.have.length(0);
  });
});

function expectClean(texts: readonly Text[], canaries: readonly Canary[]): void {
  const all = Buffer.concat(texts.map(({ bytes }) => bytes)).toString('latin1');
  expect(all, 'the texts hold what may be read').to.contain('https://api.example.com/projects').and.contain('acme-ci');
  expect(findCanaries(texts, canaries)).to.deep.equal([]);
}

/** Every file but the one that is the place of the server's own keys. */
function filesIn(directory: string): Text[] {
  const paths = readdirSync(directory, { recursive: true, encoding: 'utf8' }).filter((path) =>
    statSync(join(directory, path)).isFile(),
  );
  expect(paths).to.include.members(['secrets.json', join('database', 'journal')]);
  return paths
    .filter((path) => path !== 'secrets.json')
    .map((path) => ({ name: `file ${path}`, bytes: readFileSync(join(directory, path)) }));
}

function outputOf(server: ServerProcess, of: string): Text[] {
  expect(server.output()).to.contain('"msg":"request"').and.contain('"msg":"listening"');
  return [{ name: `output of ${of}`, bytes: Buffer.from(server.output()) }];
}

/** The value of a cookie belongs into `Set-Cookie`; that of an interaction is also the address of its pages. */
function cookiesIn({ cookies }: RecordedAnswers): Canary[] {
  expect([...cookies.keys()]).to.include.members(['sid', 'sid.sig', 'interaction', 'interaction.sig', 'resume']);
  const canaries: Canary[] = [];
  for (const [name, values] of cookies) {
    const isAddress = name === 'interaction' || name === 'resume';
    const allowed = isAddress ? / (set-cookie|location|redirect)$|\/sign-in\/.* body$/ : / set-cookie$/;
    for (const value of values) if (value.length >= 16) canaries.push({ name: `cookie ${name}`, value, allowed });
  }
  return canaries;
}

/** The keys in `secrets.json` and the keys that they seal, down to the private halves of the signing keys. */
async function keysOf(data: string): Promise<Canary[]> {
  const { masterKey, cookieKey } = JSON.parse(readFileSync(join(data, 'secrets.json'), 'utf8')) as {
    masterKey: string;
    cookieKey: string;
  };
  const server = await openEmbeddedDatabase({ directory: join(data, 'database') });
  const database = await openDatabase(server.uri);
  try {
    const master = Buffer.from(masterKey, 'base64url');
    const store = createDataKeyStore(database);
    const { sealing } = await openKeyRing([master], store);
    const rows = await database.collection<{ _id: string; sealed: string }>('data_keys').find({}).toArray();
    const kid = (JSON.parse(Buffer.from(rows[0]!.sealed.split('.')[0]!, 'base64url').toString()) as { kid: string })
      .kid;
    const masterSealing = await openSealing([{ kid, bytes: master }]);
    const dataKeys = await Promise.all(rows.map(({ _id, sealed }) => masterSealing.open(sealed, `data-key:${_id}`)));
    const signingKeys = await signingKeysModule({
      ...{ database, sealing, inTransaction: inTransactionOf(database), now: () => new Date() },
      recordEvent: async () => undefined,
    }).openSigningKeys();
    expect([dataKeys.length, signingKeys.length]).to.deep.equal([2, 2]);
    return [
      { name: 'master key', value: masterKey },
      { name: 'cookie key', value: cookieKey },
      ...dataKeys.map((value) => ({ name: 'data key', value })),
      ...signingKeys.flatMap(({ alg, d, p, q, dp, dq, qi }) =>
        [d, p, q, dp, dq, qi].flatMap((value) => (value === undefined ? [] : { name: `private ${alg} key`, value })),
      ),
    ];
  } finally {
    await database.close();
    await server.close();
  }
}

async function signInAgain(issuer: string, { person }: Planted): Promise<void> {
  const visitor = browser(issuer);
  const login = await visitor.get(authorizeUrl(issuer, { tenant: 'acme', login_hint: person.email }));
  const { url } = await visitor.submit(login, { login: person.email, password: person.password });
  expect(url).to.contain('code=');
}

/** Writes so much beside the server that the journal is due to be rewritten from what is live, and waits for that. */
async function rewriteJournal(data: string): Promise<void> {
  const directory = join(data, 'database');
  const beside = await openEmbeddedDatabase({ directory });
  const client = await connectTo(beside.uri);
  const filler = client.db('filler').collection<{ _id: number; text: string }>('filler');
  const journal = join(directory, 'journal');
  const before = statSync(journal).ino;
  for (let _id = 0; statSync(journal).ino === before; _id++) {
    expect(_id, 'rewritten by now').to.be.lessThan(200);
    await filler.insertOne({ _id, text: 'x'.repeat(200_000) });
    if (_id > 0) await filler.deleteOne({ _id: _id - 1 });
  }
  await client.close();
  await beside.close();
  expect(existsSync(`${journal}.new`)).to.equal(false);
}
