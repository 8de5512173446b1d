import { expect } from 'chai';
import { openTestServer, refusalOf, type Db, type MongoClient, type Row, type TestServer } from './embedded-support.js';

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

  it('commits again after a commit whose answer was lost', async () => {
    await failCommand({ failCommands: ['commitTransaction'], closeConnection: true });
    await client.withSession((session) => session.withTransaction(() => rows().insertOne({ _id: 1 }, { session })));
    expect(await rows().countDocuments()).to.equal(1);
  });
});
