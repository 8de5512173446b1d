import { expect } from 'chai';
import { randomBytes } from 'node:crypto';
import type { OneTimeRecords } from '../../src/platform/mongo/one-time-records.js';
import { ensureOneTimeIndexes } from '../../src/platform/mongo/one-time-records.js';
import type { Database } from '../../src/platform/mongo/open-database.js';
import { freshDatabaseUri } from '../support/database.js';
import { openRecords } from './one-time-records.js';

const browser = ['cookie-of-the-browser', 'connection-1', 'ten_1'];

describe('one-time records, over two connections', () => {
  let first: OneTimeRecords;
  let second: OneTimeRecords;
  let databases: Database[];
  let now: Date;

  beforeEach(async () => {
    const uri = await freshDatabaseUri();
    const key = randomBytes(32);
    now = new Date();
    const opened = [await openRecords(uri, key, () => now), await openRecords(uri, key, () => now)] as const;
    [first, second] = [opened[0].records, opened[1].records];
    databases = opened.map(({ database }) => database);
    await ensureOneTimeIndexes(opened[0].database, 'one_time_test');
  });
  afterEach(async () => {
    for (const database of databases) await database.close();
  });

  const put = (value: string, text = 'verifier and nonce'): Promise<void> =>
    first.put(value, { binding: browser, text, ttlSeconds: 600 });

  it('sec-008 of 50 parallel takings of one value one gets it', async () => {
    for (let round = 0; round < 5; round++) {
      await put(`state-${round}`, `text-${round}`);
      const taken = await Promise.all(
        Array.from({ length: 50 }, (_, index) => (index % 2 ? first : second).take(`state-${round}`, browser)),
      );
      expect(taken.filter((text) => text !== null)).to.deep.equal([`text-${round}`]);
    }
  });

  it('sec-061 of 50 parallel claims of one value one is granted', async () => {
    const claims = await Promise.all(
      Array.from({ length: 50 }, (_, index) => (index % 2 ? first : second).claim('jti', 60)),
    );
    expect(claims.filter(Boolean)).to.have.length(1);
    expect(await second.claim('another', 60)).to.equal(true);
  });

  it('sec-008 another browser, connection or tenant gets nothing, and takes nothing away', async () => {
    await put('state');
    const others = [[], ['another-cookie', ...browser.slice(1)], [...browser.slice(0, 2), 'ten_2'], [...browser, '']];
    for (const other of [...others, [browser.join('\0')]]) {
      expect(await second.take('state', other), other.join(' ')).to.equal(null);
    }
    expect(await second.take('another-state', browser)).to.equal(null);
    expect(await second.take('state', browser)).to.equal('verifier and nonce');
    expect(await first.take('state', browser)).to.equal(null);
  });

  it('sec-008 after its time it is gone, whatever the TTL monitor does', async () => {
    await put('state');
    now = new Date(now.getTime() + 600_000);
    expect(await first.take('state', browser)).to.equal(null);
  });

  it('a value is put once, and a claimed one cannot be taken', async () => {
    await put('state');
    expect(
      await put('state').then(
        () => 'twice',
        () => 'refused',
      ),
    ).to.equal('refused');
    await first.claim('jti', 60);
    expect(await first.take('jti', [])).to.equal(null);
  });

  it('sec-077 neither value, binding nor text is stored readable', async () => {
    await put('the-state', 'the-text');
    const rows = await databases[0]!.collection('one_time_test').find({}).toArray();
    expect(rows).to.have.length(1);
    const stored = JSON.stringify(rows);
    for (const secret of ['the-state', 'the-text', ...browser]) expect(stored).not.to.contain(secret);
    expect(Buffer.from(stored, 'base64url').toString('latin1')).not.to.contain('the-text');
  });
});
