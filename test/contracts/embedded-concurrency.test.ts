import { fork } from 'node:child_process';
import { once } from 'node:events';
import { expect } from 'chai';
import {
  connectTo,
  openTestServer,
  realServerUri,
  refusalOf,
  type Db,
  type MongoClient,
  type Row,
  type TestServer,
} from './embedded-support.js';

describe('embedded database: concurrency and transactions', () => {
  let server: TestServer;
  let client: MongoClient;
  let db: Db;

  before(async () => {
    server = await openTestServer();
    client = server.client;
  });
  after(() => server.close());
  beforeEach(async () => {
    db = server.freshDb();
    await db.createCollection('rows');
  });

  const rows = () => db.collection<Row>('rows');

  const inc = { $inc: { n: 1 } };
  const upsert = { upsert: true };
  /** Each tells whether it was the one that inserted. */
  const upserts: [title: string, run: () => Promise<boolean>][] = [
    ['of one _id', async () => (await rows().updateOne({ _id: 'k' }, inc, upsert)).upsertedCount === 1],
    ['of one unique key', async () => (await rows().updateOne({ key: 'k' }, inc, upsert)).upsertedCount === 1],
    ['of many by one unique key', async () => (await rows().updateMany({ key: 'k' }, inc, upsert)).upsertedCount === 1],
    ['that find and modify', async () => (await rows().findOneAndUpdate({ key: 'k' }, inc, upsert)) === null],
  ];
  for (const [title, run] of upserts) {
    it(`makes one document of fifty upserts ${title}, and forty-nine updates`, async () => {
      await rows().createIndex({ key: 1 }, { unique: true });
      const inserted = await Promise.all(Array.from({ length: 50 }, run));
      expect(inserted.filter(Boolean)).to.have.length(1);
      expect((await rows().find().toArray()).map(({ n }) => Number(n))).to.deep.equal([50]);
    });
  }

  for (const ending of ['commitTransaction', 'abortTransaction'] as const) {
    it(`makes upserts wait for the key of a transaction, and decides after its ${ending}`, async () => {
      await rows().createIndex({ key: 1 }, { unique: true });
      await client.withSession(async (session) => {
        session.startTransaction();
        await rows().insertOne({ _id: 'first', key: 'k', n: 100 }, { session });
        const waiting = Array.from({ length: 10 }, () => rows().updateOne({ key: 'k' }, inc, upsert));
        await session[ending]();
        const inserts = (await Promise.all(waiting)).filter(({ upsertedCount }) => upsertedCount === 1);
        expect(inserts).to.have.length(ending === 'commitTransaction' ? 0 : 1);
      });
      expect((await rows().findOne({}))?.['n']).to.equal(ending === 'commitTransaction' ? 110 : 10);
    });
  }

  it('refuses an upsert whose key another document has', async () => {
    await rows().createIndex({ key: 1 }, { unique: true });
    await rows().insertOne({ _id: 1, key: 'k', state: 'old' });
    const refusal = await refusalOf(rows().updateOne({ key: 'k', state: 'new' }, inc, upsert));
    expect([refusal.code, refusal.keyValue]).to.deep.equal([11000, { key: 'k' }]);
  });

  it('lets one of fifty take the only free document', async () => {
    await rows().insertOne({ _id: 1, free: true });
    const takers = Array.from({ length: 50 }, (_, by) =>
      rows().findOneAndUpdate({ free: true }, { $set: { free: false, by } }),
    );
    expect((await Promise.all(takers)).filter((taken) => taken !== null)).to.have.length(1);
  });

  it('shows a transaction its own writes and nobody else before the commit', async () => {
    await rows().insertOne({ _id: 1, n: 1 });
    await client.withSession(async (session) => {
      session.startTransaction();
      await rows().updateOne({ _id: 1 }, { $set: { n: 2 } }, { session });
      await rows().insertOne({ _id: 2 }, { session });
      expect(await rows().countDocuments({}, { session })).to.equal(2);
      expect(await rows().findOne({ n: 2 }, { session })).to.deep.equal({ _id: 1, n: 2 });
      expect(await rows().find().toArray()).to.deep.equal([{ _id: 1, n: 1 }]);
      await session.commitTransaction();
      expect(await rows().find().toArray()).to.deep.equal([{ _id: 1, n: 2 }, { _id: 2 }]);
    });
  });

  it('reads a transaction from one moment', async () => {
    await rows().createIndex({ n: 1 });
    await rows().insertMany([
      { _id: 1, n: 1 },
      { _id: 2, n: 2 },
    ]);
    await client.withSession(async (session) => {
      session.startTransaction({ readConcern: { level: 'snapshot' } });
      await rows().findOne({}, { session });
      await rows().updateOne({ _id: 1 }, { $set: { n: 5 } });
      await rows().deleteOne({ _id: 2 });
      await rows().insertOne({ _id: 3, n: 3 });
      expect(await rows().find({}, { session }).sort({ n: 1 }).toArray()).to.deep.equal([
        { _id: 1, n: 1 },
        { _id: 2, n: 2 },
      ]);
      expect(await rows().findOne({ n: 5 }, { session })).to.equal(null);
      await session.commitTransaction();
      expect(await rows().find().sort({ n: 1 }).toArray()).to.deep.equal([
        { _id: 3, n: 3 },
        { _id: 1, n: 5 },
      ]);
    });
  });

  it('undoes an aborted transaction', async () => {
    await rows().insertOne({ _id: 1, n: 1 });
    await client.withSession(async (session) => {
      session.startTransaction();
      await rows().updateOne({ _id: 1 }, { $inc: { n: 1 } }, { session });
      await rows().deleteOne({ _id: 1 }, { session });
      await rows().insertOne({ _id: 2 }, { session });
      await session.abortTransaction();
    });
    expect(await rows().find().toArray()).to.deep.equal([{ _id: 1, n: 1 }]);
    await rows().insertOne({ _id: 2 });
  });

  it('answers the second writer with a write conflict that may be tried again', async () => {
    await rows().insertOne({ _id: 1, n: 1 });
    await client.withSession((first) =>
      client.withSession(async (second) => {
        first.startTransaction();
        second.startTransaction();
        await rows().findOne({}, { session: second });
        await rows().updateOne({ _id: 1 }, { $set: { n: 2 } }, { session: first });
        const locked = await refusalOf(rows().updateOne({ _id: 1 }, { $set: { n: 3 } }, { session: second }));
        expect([locked.code, locked.hasErrorLabel('TransientTransactionError')]).to.deep.equal([112, true]);
        const after = await refusalOf(rows().findOne({}, { session: second }));
        expect([after.code, after.hasErrorLabel('TransientTransactionError')]).to.deep.equal([251, true]);
        await first.commitTransaction();
        await second.abortTransaction();
      }),
    );
    expect(await rows().findOne({})).to.deep.equal({ _id: 1, n: 2 });
  });

  it('refuses to write over what was committed after the snapshot', async () => {
    await rows().insertMany([
      { _id: 1, n: 1 },
      { _id: 2, n: 1 },
    ]);
    await client.withSession(async (session) => {
      session.startTransaction();
      await rows().findOne({}, { session });
      await rows().updateOne({ _id: 1 }, { $set: { n: 2 } });
      expect((await refusalOf(rows().updateOne({ _id: 1 }, { $set: { n: 3 } }, { session }))).code).to.equal(112);
      await session.abortTransaction();
      session.startTransaction();
      await rows().findOne({}, { session });
      await rows().deleteOne({ _id: 2 });
      expect((await refusalOf(rows().updateOne({ _id: 2 }, { $set: { n: 3 } }, { session }))).code).to.equal(112);
    });
  });

  it('makes a plain write wait for the end of a transaction and match again', async () => {
    await rows().insertOne({ _id: 1, state: 'new' });
    await client.withSession(async (session) => {
      session.startTransaction();
      await rows().updateOne({ _id: 1 }, { $set: { state: 'taken' } }, { session });
      const plain = rows().updateOne({ _id: 1, state: 'new' }, { $set: { state: 'stolen' } });
      await session.commitTransaction();
      expect((await plain).matchedCount).to.equal(0);
    });
    expect(await rows().findOne({})).to.deep.equal({ _id: 1, state: 'taken' });
  });

  it('lets only one of two transactions take a unique key', async () => {
    await rows().createIndex({ key: 1 }, { unique: true });
    await client.withSession((first) =>
      client.withSession(async (second) => {
        first.startTransaction();
        second.startTransaction();
        await rows().insertOne({ _id: 1, key: 'k' }, { session: first });
        const clash = await refusalOf(rows().insertOne({ _id: 2, key: 'k' }, { session: second }));
        expect([clash.code, clash.hasErrorLabel('TransientTransactionError')]).to.deep.equal([112, true]);
        const plain = refusalOf(rows().insertOne({ _id: 3, key: 'k' }));
        await first.commitTransaction();
        expect((await plain).code).to.equal(11000);
      }),
    );
    expect(await rows().countDocuments()).to.equal(1);
  });

  it('aborts a transaction with a duplicate key, and says so at the commit', async () => {
    await rows().insertOne({ _id: 1 });
    await client.withSession(async (session) => {
      session.startTransaction();
      await rows().insertOne({ _id: 2 }, { session });
      expect((await refusalOf(rows().insertOne({ _id: 1 }, { session }))).code).to.equal(11000);
      expect((await refusalOf(session.commitTransaction())).code).to.equal(251);
    });
    expect(await rows().countDocuments()).to.equal(1);
  });

  it('commits twice with success', async () => {
    await client.withSession(async (session) => {
      session.startTransaction();
      await rows().insertOne({ _id: 1 }, { session });
      await session.commitTransaction();
      await session.commitTransaction();
    });
    expect(await rows().countDocuments()).to.equal(1);
  });

  it('brings all of twenty clashing withTransaction increments home', async () => {
    await rows().insertOne({ _id: 1, n: 0 });
    const increment = () =>
      client.withSession((session) =>
        session.withTransaction(async () => {
          const row = await rows().findOne({ _id: 1 }, { session });
          await rows().updateOne({ _id: 1 }, { $set: { n: Number(row?.['n']) + 1 } }, { session });
        }),
      );
    await Promise.all(Array.from({ length: 20 }, increment));
    expect(await rows().findOne({})).to.deep.equal({ _id: 1, n: 20 });
  });

  it('keeps count when three client processes contend for it and for ten keys', async function () {
    this.timeout(60_000);
    await rows().createIndex({ key: 1 }, { unique: true, sparse: true });
    await rows().insertMany(['turns', 'taken'].map((_id) => ({ _id, n: 0 })));
    const uri = realServerUri ?? `mongodb://${client.options.hosts[0]!.toString()}/`;
    const entry = new URL('./embedded-client.ts', import.meta.url);
    const children = ['a', 'b', 'c'].map((who) => fork(entry, ['contend', uri, db.databaseName, who]));
    await Promise.all(children.map((child) => once(child, 'message')));
    for (const child of children) child.send('go');
    const won = await Promise.all(children.map(async (child) => Number((await once(child, 'message'))[0])));
    for (const child of children) child.disconnect();
    expect(won.reduce((sum, n) => sum + n)).to.equal(10);
    const counted = await rows()
      .find({ n: { $exists: true } })
      .sort({ _id: 1 })
      .toArray();
    expect(counted).to.deep.equal([
      { _id: 'taken', n: 10 },
      { _id: 'turns', n: 30 },
    ]);
    expect(await rows().countDocuments({ key: { $exists: true } })).to.equal(10);
  });

  it('shows every transaction the same total while money moves', async () => {
    await rows().createIndex({ n: 1 });
    const accounts = Array.from({ length: 5 }, (_, i) => i);
    await rows().insertMany(accounts.map((_id) => ({ _id, n: 100 })));
    const move = (step: number) =>
      client.withSession((session) =>
        session.withTransaction(async () => {
          await rows().updateOne({ _id: step % 5 }, { $inc: { n: -step } }, { session });
          await rows().updateOne({ _id: (step * 3 + 1) % 5 }, { $inc: { n: step } }, { session });
        }),
      );
    const total = () =>
      client.withSession(async (session) => {
        session.startTransaction({ readConcern: { level: 'snapshot' } });
        const ordered = (await rows().find({}, { session }).sort({ n: 1 }).toArray()).map(({ n }) => Number(n));
        const byIndex = await rows()
          .find({ n: { $gte: -1e9 } }, { session })
          .toArray();
        await session.commitTransaction();
        expect(ordered).to.deep.equal([...ordered].sort((a, b) => a - b));
        expect(byIndex).to.have.length(5);
        return ordered.reduce((sum, n) => sum + n, 0);
      });
    const work = Array.from({ length: 60 }, (_, i) => (i % 2 ? move(i).then(() => 500) : total()));
    expect(new Set(await Promise.all(work))).to.deep.equal(new Set([500]));
    expect(await rows().countDocuments({ n: { $gte: -1e9 } })).to.equal(5);
  });

  it('refuses in a transaction what mongod refuses there', async () => {
    await client.withSession(async (session) => {
      session.startTransaction();
      expect((await refusalOf(rows().estimatedDocumentCount({ session }))).code).to.equal(263);
    });
  });

  it('keeps the order of unacknowledged writes on a connection', async () => {
    const address = client.options.hosts[0]!.toString();
    const single = await connectTo(realServerUri ?? `mongodb://${address}/`, { maxPoolSize: 1 });
    try {
      const unacknowledged = single.db(db.databaseName).collection<Row>('rows', { writeConcern: { w: 0 } });
      for (let n = 0; n < 20; n++) await unacknowledged.insertOne({ _id: n });
      expect(await single.db(db.databaseName).collection('rows').countDocuments()).to.equal(20);
    } finally {
      await single.close();
    }
  });

  if (realServerUri === undefined) {
    it('counts a write that changes nothing as a write of its transaction', async () => {
      await rows().insertOne({ _id: 1, n: 1 });
      await client.withSession((first) =>
        client.withSession(async (second) => {
          first.startTransaction();
          second.startTransaction();
          await rows().updateOne({ _id: 1 }, { $set: { n: 1 } }, { session: first });
          expect(
            (await refusalOf(rows().updateOne({ _id: 1 }, { $set: { n: 2 } }, { session: second }))).code,
          ).to.equal(112);
          await first.abortTransaction();
        }),
      );
    });
  }
});
