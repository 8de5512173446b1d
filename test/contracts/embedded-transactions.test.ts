import { fork } from 'node:child_process';
import { once } from 'node:events';
import { Long, UUID } from 'bson';
import { expect } from 'chai';
import {
  connectTo,
  openTestServer,
  realServerUri,
  refusalOf,
  sendRaw,
  type Db,
  type MongoClient,
  type Reply,
  type Row,
  type TestServer,
} from './embedded-support.js';

describe('embedded database: the life of a transaction', () => {
  let server: TestServer;
  let client: MongoClient;
  let db: Db;
  let lsid: object;

  before(async () => {
    server = await openTestServer();
    client = server.client;
  });
  after(() => server.close());
  beforeEach(async () => {
    db = server.freshDb();
    lsid = { id: new UUID() };
    await db.createCollection('rows');
    await rows().createIndex({ key: 1 }, { unique: true });
  });

  const rows = () => db.collection<Row>('rows');
  const keys = async () => (await rows().find().sort({ key: 1 }).toArray()).map(({ key }) => String(key));

  /** A command of transaction `txnNumber`, as the driver would not send it. */
  function send(txnNumber: number, command: object, starts = false): Promise<Reply> {
    const isEnd = 'commitTransaction' in command || 'abortTransaction' in command;
    return sendRaw(client, {
      ...command,
      $db: isEnd ? 'admin' : db.databaseName,
      lsid,
      txnNumber: Long.fromNumber(txnNumber),
      autocommit: false,
      ...(starts ? { startTransaction: true } : {}),
    });
  }
  const insert = (_id: number) => ({ insert: 'rows', documents: [{ _id, key: `key ${_id}` }] });
  const commit = { commitTransaction: 1 };
  const abort = { abortTransaction: 1 };
  const begin = (txnNumber: number) => send(txnNumber, insert(txnNumber), true);

  const misuses: [title: string, history: (() => Promise<Reply>)[], code: number, labels: string[]][] = [
    ['to abort after the commit', [() => begin(1), () => send(1, commit), () => send(1, abort)], 256, []],
    ['a statement after the commit', [() => begin(1), () => send(1, commit), () => send(1, insert(2))], 256, []],
    [
      'a statement after the abort',
      [() => begin(1), () => send(1, abort), () => send(1, insert(2))],
      251,
      ['TransientTransactionError'],
    ],
    [
      'to commit after the abort',
      [() => begin(1), () => send(1, abort), () => send(1, commit)],
      251,
      ['TransientTransactionError'],
    ],
    [
      'to abort twice',
      [() => begin(1), () => send(1, abort), () => send(1, abort)],
      251,
      ['TransientTransactionError'],
    ],
    ['to commit what never began', [() => send(1, commit)], 251, ['TransientTransactionError']],
    ['to go on with what never began', [() => send(1, insert(1))], 251, ['TransientTransactionError']],
    ['an older number', [() => begin(5), () => send(4, insert(9), true)], 225, []],
    ['to begin one number twice', [() => begin(1), () => begin(1)], 117, []],
    ['to begin again what is committed', [() => begin(1), () => send(1, commit), () => begin(1)], 117, []],
  ];
  for (const [title, history, code, labels] of misuses) {
    it(`refuses ${title} with ${code}`, async () => {
      let last: Reply = {};
      for (const step of history) last = await step();
      expect(last).to.include({ ok: 0, code });
      expect(last['errorLabels'] ?? []).to.deep.equal(labels);
    });
  }

  it('gives up the old transaction of a session when it begins a new one', async () => {
    await begin(1);
    await begin(2);
    await rows().insertOne({ _id: 1, key: 'free again' }, { maxTimeMS: 5000 });
    expect(await send(2, commit)).to.include({ ok: 1 });
    expect(await keys()).to.deep.equal(['free again', 'key 2']);
  });

  it('makes a plain write wait for an abort, too, and then goes on', async () => {
    await rows().insertOne({ _id: 1, key: 'k', state: 'new' });
    await client.withSession(async (session) => {
      session.startTransaction();
      await rows().updateOne({ _id: 1 }, { $set: { state: 'taken' } }, { session });
      const plain = rows().findOneAndUpdate({ _id: 1, state: 'new' }, { $set: { state: 'mine' } });
      await session.abortTransaction();
      expect(await plain).to.include({ state: 'new' });
    });
    expect(await rows().findOne({})).to.include({ state: 'mine' });
  });

  const endings = { commit: 'commitTransaction', abort: 'abortTransaction' } as const;
  const clashes: [title: string, work: object[], ending: keyof typeof endings, code: number | null][] = [
    ['a key that a transaction is about to take', [{ insertOne: { document: { _id: 1, key: 'k' } } }], 'commit', 11000],
    ['a key that a transaction is about to take', [{ insertOne: { document: { _id: 1, key: 'k' } } }], 'abort', null],
    [
      'a key that a transaction is about to move away',
      [{ updateOne: { filter: { _id: 'had' }, update: { $set: { key: 'other' } } } }],
      'commit',
      null,
    ],
    [
      'a key that a transaction is about to move away',
      [{ updateOne: { filter: { _id: 'had' }, update: { $set: { key: 'other' } } } }],
      'abort',
      11000,
    ],
    [
      'a key whose holder a transaction is about to remove',
      [{ deleteOne: { filter: { _id: 'had' } } }],
      'commit',
      null,
    ],
    [
      'a key whose holder a transaction is about to remove',
      [{ deleteOne: { filter: { _id: 'had' } } }],
      'abort',
      11000,
    ],
  ];
  for (const [title, work, ending, code] of clashes) {
    it(`makes a plain insert wait for ${title}, then ${code === null ? 'goes on' : 'refuses it'} after the ${ending}`, async () => {
      if (!('insertOne' in work[0]!)) await rows().insertOne({ _id: 'had', key: 'k' });
      await client.withSession(async (session) => {
        session.startTransaction();
        await rows().bulkWrite(work as never, { session });
        const plain = rows()
          .insertOne({ _id: 'plain', key: 'k' })
          .then(
            () => null,
            (error: unknown) => (error as { code: number }).code,
          );
        await session[endings[ending]]();
        expect(await plain).to.equal(code);
      });
    });
  }

  it('answers a transaction with a conflict when a plain write took the key after its snapshot', async () => {
    await client.withSession(async (session) => {
      session.startTransaction();
      await rows().findOne({}, { session });
      await rows().insertOne({ _id: 1, key: 'k' });
      const clash = await refusalOf(rows().insertOne({ _id: 2, key: 'k' }, { session }));
      expect([clash.code, clash.hasErrorLabel('TransientTransactionError')]).to.deep.equal([112, true]);
      await session.abortTransaction();
    });
  });

  it('answers a transaction with a duplicate when a plain write took the key before, and undoes it', async () => {
    await rows().insertOne({ _id: 1, key: 'k' });
    await client.withSession(async (session) => {
      session.startTransaction();
      await rows().insertOne({ _id: 3, key: 'undone' }, { session });
      const clash = await refusalOf(rows().insertOne({ _id: 2, key: 'k' }, { session }));
      expect([clash.code, clash.hasErrorLabel('TransientTransactionError')]).to.deep.equal([11000, false]);
      await rows().insertOne({ _id: 4, key: 'undone' }, { maxTimeMS: 5000 });
      expect((await refusalOf(session.commitTransaction())).code).to.equal(251);
    });
    expect(await keys()).to.deep.equal(['k', 'undone']);
  });

  it('lets one transaction hand a key from one document to another', async () => {
    await rows().insertMany([
      { _id: 1, key: 'a' },
      { _id: 2, key: 'b' },
    ]);
    await client.withSession((session) =>
      session.withTransaction(async () => {
        await rows().deleteOne({ _id: 1 }, { session });
        await rows().updateOne({ _id: 2 }, { $set: { key: 'a' } }, { session });
        await rows().insertOne({ _id: 1, key: 'b' }, { session });
      }),
    );
    expect(await rows().find().sort({ _id: 1 }).toArray()).to.deep.equal([
      { _id: 1, key: 'b' },
      { _id: 2, key: 'a' },
    ]);
  });

  it('frees what a client held that closes with an open transaction', async () => {
    await rows().insertOne({ _id: 1, key: 'k' });
    const { host, port } = client.options.hosts[0]!;
    const other = await connectTo(realServerUri ?? `mongodb://${host}:${port}/`);
    const session = other.startSession();
    session.startTransaction();
    await other.db(db.databaseName).collection<Row>('rows').deleteOne({ _id: 1 }, { session });
    await other.close();
    expect(await rows().findOneAndDelete({ _id: 1 }, { maxTimeMS: 5000 })).to.include({ key: 'k' });
  });

  it('frees what a killed client held when the life time of its transaction is over', async function () {
    this.timeout(30_000);
    const lifetime = (seconds: number) =>
      client.db('admin').command({ setParameter: 1, transactionLifetimeLimitSeconds: seconds });
    await rows().insertOne({ _id: 1, key: 'k' });
    await lifetime(1);
    try {
      const { host, port } = client.options.hosts[0]!;
      const uri = realServerUri ?? `mongodb://${host}:${port}/`;
      const child = fork(new URL('./embedded-client.ts', import.meta.url), ['hold', uri, db.databaseName]);
      await once(child, 'message');
      child.kill('SIGKILL');
      await once(child, 'exit');
      expect(await rows().findOneAndUpdate({ _id: 1 }, { $set: { n: 1 } }, { maxTimeMS: 20_000 })).to.deep.equal({
        _id: 1,
        key: 'k',
      });
      await begin(1);
      await rows().insertOne({ _id: 1.5, key: 'key 1' }, { maxTimeMS: 20_000 });
      const late = await send(1, insert(2));
      expect(late).to.include({ code: 251 });
      expect(late['errorLabels']).to.deep.equal(['TransientTransactionError']);
    } finally {
      await lifetime(60);
    }
  });
});
