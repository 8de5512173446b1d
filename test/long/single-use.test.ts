import { expect } from 'chai';
import { fork, type ChildProcess } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import type { ParsedMail } from 'mailparser';
import { fileURLToPath } from 'node:url';
import { openRecords } from '../contracts/one-time-records.js';
import { openDatabase, type Database } from '../../src/platform/mongo/open-database.js';
import { describeSingleUse, singleUseSeed, type OpenedPair } from '../contracts/single-use.js';
import { accountSeed, describeAccountSingleUse, type OpenedAccounts } from '../contracts/single-use-account.js';
import { freshDatabaseUri } from '../support/database.js';
import { eventually } from '../support/eventually.js';
import { startMailServer, type MailServer } from '../support/mail-server.js';
import { killServerProcesses } from '../support/server-process.js';
import { startTwoProcesses, type ProcessPair } from '../support/two-processes.js';

const rounds = 50;

describe('single use, over two server processes', function () {
  let opened: OpenedPair;
  let pair: ProcessPair;
  let database: Database;

  before(async () => {
    const { seed, key } = await singleUseSeed();
    pair = await startTwoProcesses(seed);
    database = await openDatabase(pair.databaseUri);
    opened = { key, pair, forgetConsents: () => database.collection('consents').deleteMany({}) };
  });
  after(async () => {
    killServerProcesses();
    await database.close();
  });

  describeSingleUse({ uses: rounds, endings: 200 }, () => opened);

  it('none of the two has logged an error', () => {
    for (const { output } of pair.processes) expect(output()).not.to.match(/"level":[56]0/);
  });
});

describe('single use of what people have, over two server processes', function () {
  const peopleRounds = 10; // each of them signs in and sets up what is raced for
  let opened: OpenedAccounts;
  let pair: ProcessPair;
  let mailServer: MailServer;

  before(async () => {
    mailServer = await startMailServer();
    const settings = { SMTP_URL: `smtp://127.0.0.1:${mailServer.port}`, MAIL_FROM: 'no-reply@id.example.com' };
    pair = await startTwoProcesses(accountSeed(peopleRounds), settings);
    const { mails } = mailServer;
    const isTo = (address: string, text: RegExp) => (mail: ParsedMail) =>
      [mail.to ?? []].flat().some(({ text: to }) => to.includes(address)) && text.test(mail.text ?? '');
    opened = {
      pair,
      async mailTo(address, text) {
        await eventually(() => expect(mails.some(isTo(address, text)), address).to.equal(true), 20_000);
        return mails.findLast(isTo(address, text))?.text ?? '';
      },
    };
  });
  after(async () => {
    killServerProcesses();
    await mailServer.close();
  });

  describeAccountSingleUse(peopleRounds, () => opened);

  it('none of the two has logged an error', () => {
    for (const { output } of pair.processes) expect(output()).not.to.match(/"level":[56]0/);
  });
});

/** No page takes a one-time record yet, so two processes of their own race for them. */
describe('one-time records, over two processes', () => {
  const processes: ChildProcess[] = [];
  afterEach(() => {
    for (const child of processes.splice(0)) child.kill('SIGKILL');
  });

  it(`sec-008 a value is taken once in each of ${rounds} rounds of 50`, async () => {
    const uri = await freshDatabaseUri();
    const key = randomBytes(32);
    const { records, database } = await openRecords(uri, key);
    const program = fileURLToPath(new URL('./one-time-process.ts', import.meta.url));
    for (let index = 0; index < 2; index++) {
      processes.push(fork(program, [uri, key.toString('base64url')], { execArgv: ['--import', 'tsx'] }));
    }
    for (const child of processes) await once(child, 'message');
    for (let round = 0; round < rounds; round++) {
      const value = `state-${round}`;
      await records.put(value, { binding: ['browser'], text: `text-${round}`, ttlSeconds: 60 });
      const answers = processes.map((child) => once(child, 'message') as Promise<[(string | null)[]]>);
      for (const child of processes) child.send({ value, binding: ['browser'], count: 25 });
      const taken = (await Promise.all(answers)).flatMap(([texts]) => texts);
      expect(taken).to.have.length(50);
      expect(taken.filter((text) => text !== null)).to.deep.equal([`text-${round}`]);
    }
    await database.close();
  });
});
