import { appendFile, mkdtemp, readFile, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { openEmbeddedDatabase } from '../../src/platform/mongo/embedded/open-embedded-database.js';
import { connectTo, type Row } from '../contracts/embedded-support.js';

const ROUNDS = 20;
const TORN_BYTES = 200;

/** Inserts, counters and transfers between two accounts, under a kill at a random moment, twenty times over. */
describe('embedded database: twenty crashes', function () {
  this.timeout(180_000);
  let directory: string;

  before(async () => {
    directory = await mkdtemp(join(tmpdir(), 'embedded-crash-'));
  });
  after(() => rm(directory, { recursive: true, force: true }));

  it('loses no acknowledged write and shows no half of a transaction', async () => {
    const acknowledged = new Set<number>();
    let increments = 0;
    let next = 0;
    for (let round = 0; round <= ROUNDS; round++) {
      let tell: (reason: string) => void;
      const exited = new Promise<string>((resolve) => (tell = resolve));
      const database = await openEmbeddedDatabase({ directory, onExit: (reason) => tell(reason) });
      const client = await connectTo(database.uri, { retryWrites: false, serverSelectionTimeoutMS: 300 });
      const rows = client.db('test').collection<Row>('rows');
      const accounts = client.db('test').collection<Row>('accounts');
      if (round === 0)
        await accounts.insertMany([
          { _id: 'a', n: 1000 },
          { _id: 'b', n: 1000 },
          { _id: 'counter', n: 0 },
        ]);

      const found = new Set<unknown>((await rows.find().toArray()).map(({ _id }) => _id));
      expect([...acknowledged].filter((id) => !found.has(id))).to.deep.equal([]);
      const [a, b, counter] = (await accounts.find().sort({ _id: 1 }).toArray()).map(({ n }) => Number(n));
      expect(a! + b!).to.equal(2000);
      expect(counter).to.be.at.least(increments);
      if (round === ROUNDS) {
        await client.close();
        await database.close();
        break;
      }

      const endAt = Date.now() + 100 + Math.random() * 400;
      const pid = await ownerPid(directory);
      const work = [
        ...Array.from({ length: 8 }, () => async () => {
          const _id = next++;
          await rows.insertOne({ _id, text: 'x'.repeat(_id % 300) });
          acknowledged.add(_id);
        }),
        async () => {
          await accounts.updateOne({ _id: 'counter' }, { $inc: { n: 1 } });
          increments++;
        },
        () =>
          client.withSession((session) =>
            session.withTransaction(async () => {
              await accounts.updateOne({ _id: 'a' }, { $inc: { n: -1 } }, { session });
              await accounts.updateOne({ _id: 'b' }, { $inc: { n: 1 } }, { session });
            }),
          ),
      ];
      const workers = work.map(async (step) => {
        while (Date.now() < endAt) await step();
      });
      void Promise.race(workers.map((worker) => worker.catch(() => undefined))).then(() =>
        process.kill(pid, 'SIGKILL'),
      );
      await Promise.allSettled(workers);
      expect(await exited).to.match(/ended unexpectedly/);
      await client.close();
      await database.close();
      if (round % 2 === 1) await tearTail(directory);
    }
    expect(acknowledged.size).to.be.greaterThan(1000);
  });
});

/** The beginning of a frame, as a machine that lost power in the middle of a write leaves it. */
async function tearTail(directory: string): Promise<void> {
  const path = join(directory, 'journal');
  const journal = await readFile(path);
  const lastFrame = journal.lastIndexOf('EJF2', undefined, 'latin1');
  const frame = journal.subarray(lastFrame);
  await appendFile(path, frame.subarray(0, Math.min(TORN_BYTES, frame.length - 1)));
}

async function ownerPid(directory: string): Promise<number> {
  const name = (await readdir(directory)).find((each) => /^owner\.\d+\.json$/.test(each))!;
  return (JSON.parse(await readFile(join(directory, name), 'utf8')) as { pid: number }).pid;
}
