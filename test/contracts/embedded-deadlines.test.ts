import { once } from 'node:events';
import { connect, createServer, type AddressInfo } from 'node:net';
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

describe('embedded database: deadlines', () => {
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
    await rows().createIndex({ key: 1 }, { unique: true });
  });

  const rows = () => db.collection<Row>('rows');

  it('takes maxTimeMS with every command, and carries out what is in time', async () => {
    const maxTimeMS = 5000;
    await db.command({ ping: 1, maxTimeMS });
    await db.command({ create: 'more', maxTimeMS });
    await db.command({ createIndexes: 'more', indexes: [{ key: { a: 1 }, name: 'a_1' }], maxTimeMS });
    await rows().insertOne({ _id: 1, key: 'a', n: 0 }, { maxTimeMS });
    await rows().updateOne({ _id: 1 }, { $inc: { n: 1 } }, { maxTimeMS });
    await rows().findOneAndUpdate({ _id: 1 }, { $inc: { n: 1 } }, { maxTimeMS });
    expect(await rows().findOne({ _id: 1 }, { maxTimeMS })).to.deep.equal({ _id: 1, key: 'a', n: 2 });
    expect(await rows().countDocuments({}, { maxTimeMS })).to.equal(1);
    expect(await rows().estimatedDocumentCount({ maxTimeMS })).to.equal(1);
    await client.withSession((session) =>
      session.withTransaction(
        async () => {
          await rows().insertOne({ _id: 2, key: 'b' }, { session, maxTimeMS });
          await rows().deleteOne({ _id: 1 }, { session, maxTimeMS });
        },
        { maxCommitTimeMS: maxTimeMS },
      ),
    );
    expect(await rows().find({}, { maxTimeMS }).toArray()).to.deep.equal([{ _id: 2, key: 'b' }]);
    await db.command({ drop: 'rows', maxTimeMS });
  });

  const waiters: [title: string, command: object][] = [
    ['an insert of a key that a transaction took', { insert: 'rows', documents: [{ _id: 9, key: 'taken' }] }],
    ['an update', { update: 'rows', updates: [{ q: { _id: 1 }, u: { $set: { n: 9 } } }] }],
    ['an update of many', { update: 'rows', updates: [{ q: {}, u: { $set: { n: 9 } }, multi: true }] }],
    ['a removal', { delete: 'rows', deletes: [{ q: { _id: 1 }, limit: 1 }] }],
    ['a findAndModify', { findAndModify: 'rows', query: { _id: 1 }, update: { $set: { n: 9 } } }],
    ['a new index', { createIndexes: 'rows', indexes: [{ key: { n: 1 }, name: 'n_1' }] }],
    ['a drop', { drop: 'rows' }],
    ['a drop of the database', { dropDatabase: 1 }],
  ];
  for (const [title, command] of waiters) {
    it(`does not let ${title} wait for a transaction beyond maxTimeMS, nor happen afterwards`, async () => {
      await rows().insertOne({ _id: 1, key: 'a', n: 0 });
      await client.withSession(async (session) => {
        session.startTransaction();
        await rows().updateOne({ _id: 1 }, { $set: { key: 'taken' } }, { session });
        const refusal = await refusalOf(db.command({ ...command, maxTimeMS: 50 }));
        expect([refusal.code, refusal.codeName]).to.deep.equal([50, 'MaxTimeMSExpired']);
        await session.abortTransaction();
      });
      expect(await rows().find().toArray()).to.deep.equal([{ _id: 1, key: 'a', n: 0 }]);
      expect(await rows().indexes()).to.have.length(2);
    });
  }

  it('refuses the answer of a read that took longer than maxTimeMS', async () => {
    await rows().insertMany(Array.from({ length: 20_000 }, (_, _id) => ({ _id, key: _id, text: `${_id % 977}` })));
    const sorted = rows().find({}, { maxTimeMS: 1 }).sort({ text: 1 }).toArray();
    expect((await refusalOf(sorted)).code).to.equal(50);
  });

  for (const maxTimeMS of [-1, 1.5, 'soon', 2 ** 31]) {
    it(`refuses ${JSON.stringify(maxTimeMS)} as maxTimeMS`, async () => {
      expect((await refusalOf(db.command({ ping: 1, maxTimeMS }))).code).to.equal(2);
    });
  }

  it('refuses maxTimeMS for the next part of a list that nobody waits for', async () => {
    await rows().insertMany([
      { _id: 1, key: 1 },
      { _id: 2, key: 2 },
    ]);
    const found = await db.command({ find: 'rows', batchSize: 1 });
    const { id } = found['cursor'] as { id: unknown };
    const refusal = await refusalOf(db.command({ getMore: id, collection: 'rows', maxTimeMS: 100 }));
    expect(refusal.code).to.equal(2);
  });

  it('serves sessions and transactions on a direct connection through another address', async () => {
    const { host = '', port = 0 } = client.options.hosts[0]!;
    const pipe = createServer((inner) => {
      const outer = connect(port, host);
      inner.pipe(outer).pipe(inner);
      for (const socket of [inner, outer]) socket.on('error', () => undefined);
    });
    await once(pipe.listen(0, '127.0.0.1'), 'listening');
    const address = `127.0.0.1:${(pipe.address() as AddressInfo).port}`;
    const direct = await connectTo(`mongodb://${address}/?directConnection=true`, { monitorCommands: true });
    const usedAddresses = new Set<string>();
    direct.on('commandStarted', (command) => usedAddresses.add(command.address));
    try {
      const piped = direct.db(db.databaseName).collection<Row>('rows');
      await direct.withSession((session) =>
        session.withTransaction(async () => {
          await piped.insertOne({ _id: 1, key: 'a' }, { session });
          await piped.updateOne({ _id: 1 }, { $set: { n: 1 } }, { session });
        }),
      );
      expect(await piped.findOne({})).to.deep.equal({ _id: 1, key: 'a', n: 1 });
      expect([...usedAddresses]).to.deep.equal([address]);
    } finally {
      await direct.close();
      pipe.close();
    }
  });

  if (realServerUri !== undefined) return;

  it('lets a slow server be slow no longer than maxTimeMS', async () => {
    const data = { failCommands: ['find'], blockConnection: true, blockTimeMS: 5000 };
    await client.db('admin').command({ configureFailPoint: 'failCommand', mode: { times: 1 }, data });
    const startedAt = Date.now();
    expect((await refusalOf(rows().findOne({}, { maxTimeMS: 50 }))).code).to.equal(50);
    expect(Date.now() - startedAt).to.be.below(2500);
  });
});
