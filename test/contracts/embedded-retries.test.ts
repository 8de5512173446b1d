import { once } from 'node:events';
import { connect } from 'node:net';
import { Long, UUID } from 'bson';
import { expect } from 'chai';
import { encodeCommand } from '../../src/platform/mongo/embedded/wire.js';
import {
  openTestServer,
  refusalOf,
  sendRaw,
  type Db,
  type MongoClient,
  type Row,
  type TestServer,
} from './embedded-support.js';

/** Against a real server: start it with --setParameter enableTestCommands=1. */
describe('embedded database: failures and retries', () => {
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
  afterEach(async () => {
    await client.db('admin').command({ configureFailPoint: 'failCommand', mode: 'off' });
  });

  const rows = () => db.collection<Row>('rows');

  function failCommand(data: object, times = 1): Promise<unknown> {
    return client.db('admin').command({ configureFailPoint: 'failCommand', mode: { times }, data });
  }

  it('retries a write whose connection was lost', async () => {
    await failCommand({ failCommands: ['insert', 'update'], closeConnection: true });
    await rows().insertOne({ _id: 1, n: 0 });
    expect(await rows().countDocuments()).to.equal(1);
  });

  it('writes once when the client repeats a write that was carried out', async () => {
    await rows().insertOne({ _id: 1, n: 0 });
    const writeConcernError = { code: 91, errmsg: 'stepping down', errorLabels: ['RetryableWriteError'] };
    await failCommand({ failCommands: ['update'], writeConcernError });
    const result = await rows().updateOne({ _id: 1 }, { $inc: { n: 1 } });
    expect(result.modifiedCount).to.equal(1);
    expect(await rows().findOne({})).to.deep.equal({ _id: 1, n: 1 });
  });

  it('fails a command with the code and the labels of the fail point', async () => {
    await failCommand({ failCommands: ['find'], errorCode: 8000, errorLabels: ['Made up'] });
    const refusal = await refusalOf(rows().findOne({}));
    expect([refusal.code, refusal.hasErrorLabel('Made up')]).to.deep.equal([8000, true]);
    expect(await rows().findOne({})).to.equal(null);
  });

  it('lets the client retry a read and a write of a server that steps down', async () => {
    await failCommand({ failCommands: ['find', 'insert', 'findAndModify'], errorCode: 10107 }, 1);
    await rows().insertOne({ _id: 1, n: 0 });
    await failCommand({ failCommands: ['find'], errorCode: 11600 });
    expect(await rows().findOne({})).to.deep.equal({ _id: 1, n: 0 });
    await failCommand({ failCommands: ['findAndModify'], errorCode: 91 });
    expect(await rows().findOneAndUpdate({ _id: 1 }, { $inc: { n: 1 } })).to.deep.equal({ _id: 1, n: 0 });
    expect(await rows().findOne({})).to.deep.equal({ _id: 1, n: 1 });
  });

  it('says of a write that may be retried, and of a transaction that may be begun again', async () => {
    await failCommand({ failCommands: ['insert'], errorCode: 10107 }, 2);
    const write = await refusalOf(rows().insertOne({ _id: 1 }));
    expect([write.code, write.hasErrorLabel('RetryableWriteError')]).to.deep.equal([10107, true]);
    await failCommand({ failCommands: ['insert'], errorCode: 10107 });
    await client.withSession(async (session) => {
      session.startTransaction();
      const statement = await refusalOf(rows().insertOne({ _id: 1 }, { session }));
      expect([
        statement.hasErrorLabel('RetryableWriteError'),
        statement.hasErrorLabel('TransientTransactionError'),
      ]).to.deep.equal([false, true]);
      await session.abortTransaction();
    });
    expect(await rows().countDocuments()).to.equal(0);
  });

  it('brings a transaction home through a stepdown in its middle and one at its commit', async () => {
    await failCommand({ failCommands: ['update'], errorCode: 10107 });
    let runs = 0;
    const work = () =>
      client.withSession((session) =>
        session.withTransaction(async () => {
          runs++;
          await rows().insertOne({ _id: runs }, { session });
          await rows().updateOne({ _id: runs }, { $set: { n: 1 } }, { session });
        }),
      );
    await work();
    expect([runs, await rows().find().toArray()]).to.deep.equal([2, [{ _id: 2, n: 1 }]]);
    await failCommand({ failCommands: ['commitTransaction'], errorCode: 91 });
    await work();
    expect(await rows().countDocuments()).to.equal(2);
  });

  const increment = (lsid: object, txnNumber: number) => ({
    update: 'rows',
    updates: [{ q: { _id: 1 }, u: { $inc: { n: 1 } } }],
    $db: db.databaseName,
    lsid,
    txnNumber: Long.fromNumber(txnNumber),
  });

  it('carries out a write once whose first answer nobody read', async () => {
    await rows().insertOne({ _id: 1, n: 0 });
    const lsid = { id: new UUID() };
    const { host = '', port = 0 } = client.options.hosts[0]!;
    const lost = connect(port, host);
    lost.end(encodeCommand(increment(lsid, 1)));
    await once(lost.resume(), 'close');
    expect(await sendRaw(client, increment(lsid, 1))).to.include({ ok: 1, n: 1, nModified: 1 });
    expect(await sendRaw(client, increment(lsid, 2))).to.include({ ok: 1, n: 1 });
    expect(await rows().findOne({})).to.deep.equal({ _id: 1, n: 2 });
    expect(await sendRaw(client, increment(lsid, 1))).to.include({ ok: 0, code: 225 });
  });

  it('carries out a write once that is repeated while it waits', async () => {
    await rows().insertOne({ _id: 1, n: 0 });
    const lsid = { id: new UUID() };
    await client.withSession(async (session) => {
      session.startTransaction();
      await rows().updateOne({ _id: 1 }, { $inc: { n: 10 } }, { session });
      const answers = [sendRaw(client, increment(lsid, 1)), sendRaw(client, increment(lsid, 1))];
      await session.commitTransaction();
      for (const answer of await Promise.all(answers)) expect(answer).to.include({ ok: 1, n: 1 });
    });
    expect(await rows().findOne({})).to.deep.equal({ _id: 1, n: 11 });
  });

  it('commits again after a commit whose answer was lost', async () => {
    await failCommand({ failCommands: ['commitTransaction'], closeConnection: true });
    await client.withSession((session) => session.withTransaction(() => rows().insertOne({ _id: 1 }, { session })));
    expect(await rows().countDocuments()).to.equal(1);
  });
});
