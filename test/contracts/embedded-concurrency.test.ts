import { expect } from 'chai';
import {
  activeTransaction,
  expireSessions,
  openSession,
  startTransaction,
  type Session,
} from '../../src/platform/mongo/embedded/sessions.js';
import { createStorage } from '../../src/platform/mongo/embedded/storage.js';
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

  it('makes one document of twenty upserts of one key', async () => {
    await rows().createIndex({ key: 1 }, { unique: true });
    const upserts = Array.from({ length: 20 }, () =>
      rows().updateOne({ key: 'k' }, { $inc: { n: 1 } }, { upsert: true }),
    );
    const results = await Promise.all(upserts);
    expect(results.filter(({ upsertedCount }) => upsertedCount === 1)).to.have.length(1);
    expect((await rows().find().toArray()).map(({ n }) => Number(n))).to.deep.equal([20]);
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

    it('ends a transaction that outlives its time', () => {
      const storage = createStorage();
      const sessions = new Map<string, Session>();
      const session = openSession(sessions, 'id');
      const transaction = startTransaction(storage, session, 1);
      expireSessions(storage, sessions, Date.now() + 59_000);
      expect(activeTransaction(session, 1)).to.equal(transaction);
      expireSessions(storage, sessions, Date.now() + 61_000);
      expect(() => activeTransaction(session, 1)).to.throw('does not match any in-progress');
    });
  }
});
