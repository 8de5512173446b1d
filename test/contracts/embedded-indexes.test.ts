import { expect } from 'chai';
import { openTestServer, realServerUri, refusalOf, type Db, type Row, type TestServer } from './embedded-support.js';

interface PlanStage {
  stage: string;
  indexName?: string;
  inputStage?: PlanStage;
}

describe('embedded database: indexes', () => {
  let server: TestServer;
  let db: Db;

  before(async () => {
    server = await openTestServer();
  });
  after(() => server.close());
  beforeEach(() => {
    db = server.freshDb();
  });

  const rows = () => db.collection<Row>('rows');

  /** The stages from the outside in. */
  async function planOf(filter: object, sort: Record<string, 1 | -1> = {}): Promise<string> {
    const explained = await db.command({ explain: { find: 'rows', filter, sort }, verbosity: 'queryPlanner' });
    const { winningPlan } = explained['queryPlanner'] as { winningPlan: PlanStage };
    const stages: string[] = [];
    for (let stage: PlanStage | undefined = winningPlan; stage; stage = stage.inputStage) {
      stages.push([stage.stage, stage.indexName].filter(Boolean).join(' '));
    }
    return stages.join(' < ');
  }

  it('reports a duplicate in the form of mongod', async () => {
    await rows().createIndex({ tenant: 1, email: 1 }, { unique: true });
    await rows().insertOne({ _id: 1, tenant: 't', email: 'a' });
    const shape = { keyPattern: { tenant: 1, email: 1 }, keyValue: { tenant: 't', email: 'a' } };
    const message = `E11000 duplicate key error collection: ${db.databaseName}.rows index: tenant_1_email_1 dup key: { tenant: "t", email: "a" }`;

    const inserted = await refusalOf(rows().insertOne({ _id: 2, tenant: 't', email: 'a' }));
    expect(inserted).to.deep.include({ code: 11000, ...shape });
    expect(inserted.message).to.equal(message);

    await rows().insertOne({ _id: 2, tenant: 't', email: 'b' });
    const updated = await refusalOf(rows().updateOne({ _id: 2 }, { $set: { email: 'a' } }));
    expect(updated).to.deep.include({ code: 11000, ...shape });
    const modified = await refusalOf(rows().findOneAndUpdate({ _id: 2 }, { $set: { email: 'a' } }));
    expect(modified).to.deep.include({ code: 11000, codeName: 'DuplicateKey', ...shape });
  });

  it('a start asks for indexes that are there, and need not wait for a transaction that somebody left open', async () => {
    await rows().createIndex({ a: 1 });
    await server.client.withSession(async (session) => {
      session.startTransaction();
      await rows().insertOne({ _id: 1, a: 1 }, { session });
      await rows().createIndex({ a: 1 }, { maxTimeMS: 1000 });
      await session.abortTransaction();
    });
  });

  it('creates an index once and refuses another in its place', async () => {
    await rows().createIndex({ a: 1 }, { unique: true });
    await rows().createIndex({ a: 1 }, { unique: true });
    expect((await refusalOf(rows().createIndex({ a: 1 }, { unique: true, name: 'other' }))).code).to.equal(85);
    expect((await refusalOf(rows().createIndex({ b: 1 }, { name: 'a_1' }))).code).to.equal(86);
    expect((await refusalOf(db.createCollection('rows'))).code).to.equal(48);
    const listed = await rows().listIndexes().toArray();
    expect(listed).to.deep.equal([
      { v: 2, key: { _id: 1 }, name: '_id_' },
      { v: 2, key: { a: 1 }, name: 'a_1', unique: true },
    ]);
  });

  it('does not build a unique index over duplicates', async () => {
    await rows().insertMany([
      { _id: 1, a: 1 },
      { _id: 2, a: 1 },
    ]);
    expect((await refusalOf(rows().createIndex({ a: 1 }, { unique: true }))).code).to.equal(11000);
    expect(await rows().indexes()).to.have.length(1);
  });

  it('names the element of a list that is there already', async () => {
    await rows().createIndex({ tenant: 1, tags: 1 }, { unique: true });
    await rows().insertMany([
      { _id: 1, tenant: 't', tags: ['a', 'b', 'b'] },
      { _id: 2, tenant: 'u', tags: ['a', 'b'] },
    ]);
    const clash = await refusalOf(rows().insertOne({ _id: 3, tenant: 't', tags: ['c', 'b'] }));
    expect(clash).to.deep.include({ code: 11000, keyValue: { tenant: 't', tags: 'b' } });
    const sameId = await refusalOf(rows().insertOne({ _id: 1, tenant: 'v' }));
    expect(sameId).to.deep.include({ code: 11000, keyPattern: { _id: 1 }, keyValue: { _id: 1 } });
  });

  it('refuses two lists in one key, when the index is there and when it is made', async () => {
    await rows().createIndex({ a: 1, b: 1 });
    expect((await refusalOf(rows().insertOne({ _id: 1, a: [1], b: [1] }))).code).to.equal(171);
    await rows().insertOne({ _id: 1, c: [1], d: [1] });
    expect((await refusalOf(rows().createIndex({ c: 1, d: 1 }))).code).to.equal(171);
  });

  const impossible: [title: string, index: object][] = [
    ['no fields', { key: {}, name: 'x' }],
    ['no name', { key: { a: 1 }, name: '' }],
    [
      'both a partial filter and sparseness',
      { key: { a: 1 }, name: 'x', sparse: true, partialFilterExpression: { a: 1 } },
    ],
    ['an expiry over two fields', { key: { a: 1, b: 1 }, name: 'x', expireAfterSeconds: 1 }],
    ['a negative expiry', { key: { a: 1 }, name: 'x', expireAfterSeconds: -1 }],
  ];
  for (const [title, index] of impossible) {
    it(`refuses an index with ${title}`, async () => {
      expect((await refusalOf(db.command({ createIndexes: 'rows', indexes: [index] }))).code).to.equal(67);
    });
  }

  it('says that there is no such collection when asked for its indexes', async () => {
    expect((await refusalOf(rows().listIndexes().toArray())).code).to.equal(26);
  });

  it('uses an index for one value, several, null and a range, and none that may lack a match', async () => {
    await rows().createIndex({ plain: 1 });
    await rows().createIndex({ sparse: 1 }, { sparse: true });
    const fetch = (name: string) => `FETCH < IXSCAN ${name}`;
    expect(await planOf({ plain: 1 })).to.equal(fetch('plain_1'));
    expect(await planOf({ plain: null })).to.equal(fetch('plain_1'));
    expect(await planOf({ plain: { $in: [1, 'a', null] } })).to.equal(fetch('plain_1'));
    expect(await planOf({ plain: { $gte: 1, $lt: 5 } })).to.equal(fetch('plain_1'));
    expect(await planOf({}, { plain: -1 })).to.equal(fetch('plain_1'));
    expect(await planOf({ sparse: 1 })).to.equal(fetch('sparse_1'));
    expect(await planOf({ sparse: null })).to.equal('COLLSCAN');
    expect(await planOf({ $or: [{ plain: 1 }, { other: 1 }] })).to.equal('COLLSCAN');
  });

  it('treats missing and null as one value under a plain unique index, and skips missing under a sparse one', async () => {
    await rows().createIndex({ plain: 1 }, { unique: true });
    await rows().createIndex({ sparse: 1 }, { unique: true, sparse: true });
    await rows().insertOne({ _id: 1, sparse: 1 });
    expect((await refusalOf(rows().insertOne({ _id: 2 }))).keyPattern).to.deep.equal({ plain: 1 });
    await rows().insertMany([
      { _id: 3, plain: 3 },
      { _id: 4, plain: 4 },
    ]);
    expect((await refusalOf(rows().insertOne({ _id: 5, plain: 5, sparse: 1 }))).keyPattern).to.deep.equal({
      sparse: 1,
    });
  });

  it('enforces a partial unique index where it applies, also as documents enter it', async () => {
    await rows().createIndex({ email: 1 }, { unique: true, partialFilterExpression: { active: true } });
    await rows().insertMany([
      { _id: 1, email: 'a', active: true },
      { _id: 2, email: 'a', active: false },
    ]);
    expect((await refusalOf(rows().updateOne({ _id: 2 }, { $set: { active: true } }))).code).to.equal(11000);
    await rows().updateOne({ _id: 1 }, { $set: { active: false } });
    await rows().updateOne({ _id: 2 }, { $set: { active: true } });
    expect(await planOf({ email: 'a', active: true })).to.equal('FETCH < IXSCAN email_1');
    expect(await planOf({ email: 'a' })).to.equal('COLLSCAN');
  });

  it('ranges and sorts by a compound index, in both directions', async () => {
    await rows().createIndex({ tenant: 1, at: -1, _id: -1 });
    await rows().insertMany(
      Array.from({ length: 50 }, (_, i) => ({ _id: i, tenant: i % 2, at: new Date(Math.floor(i / 4)) })),
    );
    const list = (sort: Record<string, 1 | -1>) =>
      rows()
        .find({ tenant: 1, at: { $gte: new Date(2), $lt: new Date(5) } })
        .sort(sort)
        .map(({ _id }) => _id)
        .toArray();
    expect(await list({ at: -1, _id: -1 })).to.deep.equal([19, 17, 15, 13, 11, 9]);
    expect(await list({ at: 1, _id: 1 })).to.deep.equal([9, 11, 13, 15, 17, 19]);
    expect(await list({ at: -1, _id: 1 })).to.deep.equal([17, 19, 13, 15, 9, 11]);
    expect(await planOf({ tenant: 1, at: { $lt: new Date(5) } }, { at: -1, _id: -1 })).to.equal(
      'FETCH < IXSCAN tenant_1_at_-1__id_-1',
    );
    expect(await planOf({ tenant: 1 }, { at: 1, _id: 1 })).to.equal('FETCH < IXSCAN tenant_1_at_-1__id_-1');
    expect(await planOf({ tenant: 1 }, { at: 1, _id: -1 })).to.match(/^SORT < FETCH < IXSCAN|^FETCH < SORT < IXSCAN/);
    expect(await planOf({ other: 1 })).to.equal('COLLSCAN');
  });

  it('gives the same answers with an index as without one', async () => {
    const values = [
      null,
      1,
      2.5,
      'a',
      'b',
      '',
      [1, 2],
      ['a'],
      [],
      [null],
      true,
      new Date(5),
      { x: 1 },
      [{ x: 1 }],
      -0,
      [5, 0],
    ];
    const filters = [
      { v: null }, { v: 1 }, { v: { $gt: 0 } }, { v: { $gte: 1, $lt: 2 } }, { v: { $gt: 1.5, $lt: 0.5 } }, { v: { $lt: 'b' } }, { v: [] },
      { v: { $in: [1, 'a', null] } }, { v: [1, 2] }, { v: { x: 1 } }, { 'v.x': 1 }, { 'v.x': null }, { v: { $ne: 1 } }, { v: 0 },
      { v: { $lte: new Date(5) } }, { $or: [{ v: 1 }, { v: 'b' }] }, { v: { $exists: false } }, { v: { $gte: null } },
    ]; // prettier-ignore
    await rows().insertMany([...values.map((v, i) => ({ _id: i, v })), { _id: 99 }]);
    const answer = async () => {
      const found = [];
      for (const filter of filters)
        found.push((await rows().find(filter).toArray()).map(({ _id }) => Number(_id)).sort((a, b) => a - b));
      return found;
    };
    const scanned = await answer();
    await rows().createIndexes([{ key: { v: 1 } }, { key: { 'v.x': -1 } }]);
    expect(await answer()).to.deep.equal(scanned);
  });

  it('removes what has expired under a TTL index', async function () {
    this.timeout(70_000);
    if (realServerUri !== undefined) {
      await server.client.db('admin').command({ setParameter: 1, ttlMonitorSleepSecs: 1 });
    }
    await rows().createIndex({ expiresAt: 1 }, { expireAfterSeconds: 0 });
    await rows().insertMany([
      { _id: 'gone', expiresAt: new Date(Date.now() - 1000) },
      { _id: 'later', expiresAt: new Date(Date.now() + 60_000) },
      { _id: 'never' },
    ]);
    let left: unknown[];
    do left = (await rows().find().sort({ _id: 1 }).toArray()).map(({ _id }) => _id);
    while (left.includes('gone'));
    expect(left).to.deep.equal(['later', 'never']);
  });
});
