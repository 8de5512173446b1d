import { fork } from 'node:child_process';
import { once } from 'node:events';
import { appendFile, mkdtemp, readFile, readdir, rm, stat, writeFile } from 'node:fs/promises';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Long, UUID } from 'bson';
import { expect } from 'chai';
import {
  openEmbeddedDatabase,
  type EmbeddedDatabase,
} from '../../src/platform/mongo/embedded/open-embedded-database.js';
import { connectTo, realServerUri, refusalOf, sendRaw, type MongoClient, type Row } from './embedded-support.js';

if (realServerUri === undefined) describe('embedded database: files and processes', durability);

function durability(): void {
  let directory: string;
  let closers: (() => Promise<unknown>)[];

  beforeEach(async () => {
    directory = join(await mkdtemp(join(tmpdir(), 'embedded-')), 'data');
    closers = [];
  });
  afterEach(async () => {
    for (const close of closers.reverse()) await close();
    await rm(join(directory, '..'), { recursive: true, force: true });
  });

  async function open(onExit?: (reason: string) => void): Promise<EmbeddedDatabase> {
    const database = await openEmbeddedDatabase({ directory, ...(onExit ? { onExit } : {}) });
    closers.push(() => database.close());
    return database;
  }

  async function use<T>(database: EmbeddedDatabase, work: (client: MongoClient) => Promise<T>): Promise<T> {
    const client = await connectTo(database.uri, { retryWrites: true });
    try {
      return await work(client);
    } finally {
      await client.close();
    }
  }

  const rowsOf = (client: MongoClient) => client.db('test').collection<Row>('rows');

  async function ownerFile(): Promise<{ pid: number; port: number; instanceId: string }> {
    const names = (await readdir(directory)).filter((name) => /^owner\.\d+\.json$/.test(name));
    expect(names).to.have.length(1);
    return JSON.parse(await readFile(join(directory, names[0]!), 'utf8')) as {
      pid: number;
      port: number;
      instanceId: string;
    };
  }

  it('has the same documents, indexes and rules after a restart', async () => {
    const first = await open();
    await use(first, async (client) => {
      await rowsOf(client).createIndex({ email: 1 }, { unique: true, partialFilterExpression: { live: true } });
      await rowsOf(client).insertMany([{ _id: 1, email: 'a', live: true }, { _id: 2 }, { _id: 3 }]);
      await rowsOf(client).updateOne({ _id: 2 }, { $set: { email: 'b', live: true } });
      await rowsOf(client).deleteOne({ _id: 3 });
      await client.withSession((session) =>
        session.withTransaction(() => rowsOf(client).insertOne({ _id: 4 }, { session })),
      );
      await client.db('gone').collection('x').insertOne({});
      await client.db('gone').dropDatabase();
    });
    await first.close();
    expect((await stat(directory)).mode & 0o777).to.equal(0o700);

    await use(await open(), async (client) => {
      expect(await rowsOf(client).find().toArray()).to.deep.equal([
        { _id: 1, email: 'a', live: true },
        { _id: 2, email: 'b', live: true },
        { _id: 4 },
      ]);
      expect((await refusalOf(rowsOf(client).insertOne({ _id: 5, email: 'a', live: true }))).code).to.equal(11000);
      expect(await client.db('gone').listCollections().toArray()).to.deep.equal([]);
    });
  });

  it('gives the answer of a retryable write again after a restart', async () => {
    const lsid = { id: new UUID() };
    const write = {
      update: 'rows',
      updates: [{ q: { _id: 1 }, u: { $inc: { n: 1 } }, upsert: true }],
      lsid,
      txnNumber: Long.fromNumber(7),
      $db: 'test',
    };
    const first = await open();
    await use(first, (client) => sendRaw(client, write));
    await first.close();
    await use(await open(), async (client) => {
      expect(await sendRaw(client, write)).to.deep.include({ n: 1, ok: 1 });
      expect(await rowsOf(client).findOne({})).to.deep.equal({ _id: 1, n: 1 });
    });
  });

  it('loses no acknowledged write when its process is killed', async () => {
    let next = 0;
    const acknowledged = new Set<number>();
    for (let round = 0; round < 2; round++) {
      let tell: (reason: string) => void;
      const exited = new Promise<string>((resolve) => (tell = resolve));
      const database = await open((reason) => tell(reason));
      const client = await connectTo(database.uri, { retryWrites: false, serverSelectionTimeoutMS: 200 });
      const found = new Set<unknown>((await rowsOf(client).find().toArray()).map(({ _id }) => _id));
      expect([...acknowledged].filter((id) => !found.has(id))).to.deep.equal([]);

      const { pid } = await ownerFile();
      const writers = Array.from({ length: 10 }, async () => {
        for (;;) {
          const _id = next++;
          await rowsOf(client).insertOne({ _id });
          acknowledged.add(_id);
          if (acknowledged.size >= (round + 1) * 100 && isAlive(pid)) process.kill(pid, 'SIGKILL');
        }
      });
      await Promise.allSettled(writers);
      expect(await exited).to.match(/ended unexpectedly/);
      await client.close();
      await database.close();
    }
    const left = await use(await open(), (client) => rowsOf(client).countDocuments());
    expect(left).to.be.at.least(acknowledged.size);
  });

  it('cuts a torn tail and goes on', async () => {
    await withRows(3);
    const before = await readFile(join(directory, 'journal'));
    await appendFile(join(directory, 'journal'), before.subarray(28, 60));
    await use(await open(), async (client) => {
      expect(await rowsOf(client).countDocuments()).to.equal(3);
      await rowsOf(client).insertOne({ _id: 'more' });
    });
    await closers.pop()!();
    expect(await use(await open(), (client) => rowsOf(client).countDocuments())).to.equal(4);
  });

  it('does not start with a journal it cannot use, and says why', async () => {
    await withRows(1);
    await writeFile(join(directory, 'journal'), 'somebody else was here, with a longer text');
    expect(String(await open().catch((error: unknown) => error))).to.match(/does not begin like a journal/);
  });

  it('serves a second opener with the process of the first, which outlives the signals of the terminal', async () => {
    const first = await open();
    const { pid } = await ownerFile();
    process.kill(pid, 'SIGINT');
    process.kill(pid, 'SIGTERM');
    const second = await open();
    expect(second.uri).to.equal(first.uri);
    await use(second, (client) => rowsOf(client).insertOne({ _id: 1 }));
    await second.close();
    expect(await use(first, (client) => rowsOf(client).countDocuments())).to.equal(1);
  });

  it('has exactly one owner when many open at once', async () => {
    const opened = await Promise.all(Array.from({ length: 3 }, () => open()));
    expect(new Set(opened.map(({ uri }) => uri)).size).to.equal(1);
    await ownerFile();
  });

  it('takes over from an owner that was killed', async () => {
    await withRows(2);
    const database = await open();
    const { pid } = await ownerFile();
    process.kill(pid, 'SIGKILL');
    await database.close();
    const opened = await Promise.all([open(), open()]);
    expect(new Set(opened.map(({ uri }) => uri)).size).to.equal(1);
    expect(await use(opened[0], (client) => rowsOf(client).countDocuments())).to.equal(2);
  });

  it('takes over when the recorded port belongs to somebody else now', async () => {
    const other = await openEmbeddedDatabase({ directory: ':memory:' });
    closers.push(() => other.close());
    await withRows(1);
    const stale = { port: Number(new URL(other.uri).port), pid: process.pid, instanceId: 'long gone' };
    await writeFile(join(directory, 'owner.1.json'), JSON.stringify(stale));
    const database = await open();
    expect(database.uri).to.not.equal(other.uri);
    expect(await use(database, (client) => rowsOf(client).countDocuments())).to.equal(1);
  });

  it('ends with its parent, even when that is killed', async () => {
    const parent = fork(new URL('./embedded-parent.ts', import.meta.url), [directory]);
    const [{ port }] = (await once(parent, 'message')) as [{ port: number }];
    const { pid } = await ownerFile();
    const connection = connect(port, '127.0.0.1');
    await once(connection, 'connect');
    parent.kill('SIGKILL');
    connection.on('error', () => undefined);
    await once(connection, 'close');
    while (isAlive(pid)) await new Promise((resolve) => setImmediate(resolve));
  });

  async function withRows(count: number): Promise<void> {
    const database = await open();
    await use(database, async (client) => {
      for (let i = 0; i < count; i++) await rowsOf(client).insertOne({ _id: i, text: 'x'.repeat(40) });
    });
    await database.close();
  }
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}
