import { statSync } from 'node:fs';
import { appendFile, mkdtemp, readFile, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import {
  openEmbeddedDatabase,
  type EmbeddedDatabase,
} from '../../src/platform/mongo/embedded/open-embedded-database.js';
import { connectTo, type MongoClient, type Row } from '../contracts/embedded-support.js';

const ROUNDS = 20;
/** So often a round goes on until the journal has been rewritten. */
const REWRITE_EVERY = 5;
const INSERTS_A_ROUND = 50;

/** What a client was told has happened. */
interface Acknowledged {
  inserted: Set<number>;
  removed: Set<number>;
  taken: Set<number>;
  increments: number;
  transfers: number;
}

/** Writes of every kind under a kill at a random moment, twenty times over. */
describe('embedded database: twenty crashes', function () {
  this.timeout(600_000);
  let directory: string;

  before(async () => {
    directory = await mkdtemp(join(tmpdir(), 'embedded-crash-'));
  });
  after(async () => {
    await close();
    await rm(directory, { recursive: true, force: true });
  });

  let database: EmbeddedDatabase;
  let client: MongoClient;
  let exited: Promise<string>;

  async function open(): Promise<void> {
    let tell: (reason: string) => void;
    exited = new Promise<string>((resolve) => (tell = resolve));
    database = await openEmbeddedDatabase({ directory, onExit: (reason) => tell(reason) });
    client = await connectTo(database.uri, { retryWrites: false, serverSelectionTimeoutMS: 300 });
  }

  async function close(): Promise<void> {
    await client.close();
    await database.close();
  }

  it('loses no acknowledged write and shows no half of a transaction', async () => {
    const acknowledged: Acknowledged = {
      inserted: new Set(),
      removed: new Set(),
      taken: new Set(),
      increments: 0,
      transfers: 0,
    };
    let next = 0;
    const ids = () => next++;
    let interrupted = 0;
    const journal = join(directory, 'journal');
    const fileOf = (): number => statSync(journal).ino; // another one after each rewrite
    const files = new Set<number>();
    for (let round = 0; round < ROUNDS; round++) {
      await open();
      if (round === 0) await prepare(client);
      await check(client, acknowledged);

      const pid = await ownerPid(directory);
      const before = fileOf();
      files.add(before);
      const target = acknowledged.inserted.size + INSERTS_A_ROUND;
      const mayEnd = (): boolean => round % REWRITE_EVERY > 0 || fileOf() !== before;
      killWhen(() => acknowledged.inserted.size >= target && mayEnd(), pid);
      // Each goes on until the server is gone.
      const ends = await Promise.allSettled(workers(client, acknowledged, ids).map(untilItFails));
      interrupted += ends.length;
      expect(await exited).to.match(/ended unexpectedly/);
      await close();
      await tear(directory, TEARS[round % TEARS.length]!);
    }
    await open();
    await check(client, acknowledged);
    const { inserted, removed, taken, increments, transfers } = acknowledged;
    console.log(
      `      acknowledged: ${inserted.size} inserts, ${removed.size} removals, ${taken.size} takings, ` +
        `${increments} increments, ${transfers} transactions; interrupted: ${interrupted} writers`,
    );
    expect(files.size, 'rewritten files').to.be.greaterThan(1);
    for (const count of [inserted.size, removed.size, taken.size, increments, transfers]) {
      expect(count).to.be.greaterThan(ROUNDS);
    }
  });
});

const collectionOf = (client: MongoClient) => client.db('test').collection<Row>('rows');

async function prepare(client: MongoClient): Promise<void> {
  await collectionOf(client).insertMany([
    { _id: 'a', n: 1000 },
    { _id: 'b', n: 1000 },
    { _id: 'counter', n: 0 },
    { _id: 'large', n: 0 },
  ]);
}

async function check(client: MongoClient, acknowledged: Acknowledged): Promise<void> {
  const rows = new Map((await collectionOf(client).find().toArray()).map((row) => [row._id, row]));
  const lost = (ids: Set<number>, isThere: (id: number) => boolean) => [...ids].filter((id) => !isThere(id));
  expect(lost(acknowledged.inserted, (id) => rows.has(id))).to.deep.equal([]);
  expect(lost(acknowledged.removed, (id) => !rows.has(id))).to.deep.equal([]);
  expect(lost(acknowledged.taken, (id) => rows.get(id)?.['taken'] === true)).to.deep.equal([]);
  expect(rows.get('counter')?.['n']).to.be.at.least(acknowledged.increments);
  // Every transaction moved one from a to b and left a note: all three or none.
  const transfers = [...rows.keys()].filter((id) => String(id).startsWith('transfer')).length;
  expect(transfers).to.be.at.least(acknowledged.transfers);
  expect([rows.get('a')?.['n'], rows.get('b')?.['n']]).to.deep.equal([1000 - transfers, 1000 + transfers]);
}

function workers(client: MongoClient, acknowledged: Acknowledged, ids: () => number): (() => Promise<void>)[] {
  const rows = collectionOf(client);
  const insert = async () => {
    const _id = ids();
    await rows.insertOne({ _id, text: 'x'.repeat(_id % 300) });
    acknowledged.inserted.add(_id);
  };
  const remove = async () => {
    const _id = ids();
    await rows.insertOne({ _id });
    await rows.deleteOne({ _id });
    acknowledged.removed.add(_id);
  };
  const take = async () => {
    const _id = ids();
    await rows.insertOne({ _id, taken: false });
    await rows.findOneAndUpdate({ _id, taken: false }, { $set: { taken: true } });
    acknowledged.taken.add(_id);
  };
  const increment = async () => {
    await rows.updateOne({ _id: 'counter' }, { $inc: { n: 1 } });
    acknowledged.increments++;
  };
  const transfer = async () => {
    const session = client.startSession();
    session.startTransaction();
    await rows.updateOne({ _id: 'a' }, { $inc: { n: -1 } }, { session });
    await rows.insertOne({ _id: `transfer ${ids()}` }, { session });
    await rows.updateOne({ _id: 'b' }, { $inc: { n: 1 } }, { session });
    await session.commitTransaction();
    acknowledged.transfers++;
    await session.endSession();
  };
  /** Lets the journal grow until it is rewritten. */
  const grow = async () => {
    await rows.updateOne({ _id: 'large' }, { $set: { text: 'x'.repeat(200_000 + (ids() % 1000)) } });
  };
  return [insert, insert, insert, insert, remove, take, increment, transfer, grow];
}

/** At a random moment after it has come to this. */
function killWhen(isDue: () => boolean, pid: number): void {
  const watch = setInterval(() => {
    if (!isDue()) return;
    clearInterval(watch);
    setTimeout(() => process.kill(pid, 'SIGKILL'), Math.random() * 300);
  }, 5);
}

async function untilItFails(step: () => Promise<void>): Promise<never> {
  for (;;) await step();
}

/** The beginning of a frame, as a machine that lost power in the middle of a write leaves it. */
const TEARS: ((frame: Buffer) => Buffer)[] = [
  (frame) => frame.subarray(0, 0),
  (frame) => frame.subarray(0, 3), // in the magic
  (frame) => frame.subarray(0, 6), // in the length
  (frame) => frame.subarray(0, 10), // in the checksum
  (frame) => frame.subarray(0, 12), // the header alone
  (frame) => frame.subarray(0, frame.length >> 1), // in the body
  (frame) => frame.subarray(0, frame.length - 1),
  (frame) => Buffer.concat([frame.subarray(0, 20), Buffer.alloc(frame.length - 20)]), // pages that were not written
];

async function tear(directory: string, tearing: (frame: Buffer) => Buffer): Promise<void> {
  const path = join(directory, 'journal');
  const journal = await readFile(path);
  const lastFrame = journal.lastIndexOf('EJF2', undefined, 'latin1');
  await appendFile(path, tearing(journal.subarray(lastFrame)));
}

async function ownerPid(directory: string): Promise<number> {
  const name = (await readdir(directory)).find((each) => /^owner\.\d+\.json$/.test(each))!;
  return (JSON.parse(await readFile(join(directory, name), 'utf8')) as { pid: number }).pid;
}
