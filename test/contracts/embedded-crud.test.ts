import { expect } from 'chai';
import { Binary, ObjectId, UUID } from 'bson';
import { openTestServer, refusalOf, type Db, type Row, type TestServer } from './embedded-support.js';

describe('embedded database: documents', () => {
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
  const idsOf = async (filter: object) => (await rows().find(filter).sort({ _id: 1 }).toArray()).map(({ _id }) => _id);

  it('stores and returns every supported type unchanged', async () => {
    const row = {
      _id: new ObjectId(),
      text: 'Ünïcode\u0000😀',
      whole: 42,
      fraction: 1.5,
      big: Number.MAX_SAFE_INTEGER,
      bytes: new Binary(Buffer.from([1, 2, 3]), 0),
      uuid: new UUID(),
      at: new Date(1e12),
      yes: true,
      nothing: null,
      list: [1, 'two', { three: 3 }],
      nested: { '10': 1, a: {} },
    };
    await rows().insertOne(row);
    expect(await rows().findOne({ _id: row._id })).to.deep.equal(row);
  });

  const data: Row[] = [
    { _id: 1, n: 1, s: 'abc', tags: ['a', 'b'], o: { x: 1, y: 2 }, d: new Date(1000) },
    { _id: 2, n: 2.5, s: 'abd', tags: [], o: { y: 2, x: 1 }, d: new Date(2000) },
    {
      _id: 3,
      n: null,
      s: 'ABC',
      tags: ['b'],
      list: [
        { q: 1, r: 9 },
        { q: 5, r: 1 },
      ],
    },
    { _id: 4, n: '1', b: new Binary(Buffer.from([1])), list: [{ q: 5, r: 9 }] },
    { _id: 5, n: [1, 10], b: new Binary(Buffer.from([2])) },
  ];
  const matches: [title: string, filter: object, expected: number[]][] = [
    ['a number, also inside an array', { n: 1 }, [1, 5]],
    ['null or missing', { tags: null }, [4, 5]],
    ['null, as a value', { n: null }, [3]],
    ['a document with its field order', { o: { x: 1, y: 2 } }, [1]],
    ['a path', { 'o.y': 2 }, [1, 2]],
    ['a path through an array', { 'list.q': 5 }, [3, 4]],
    ['a position in an array', { 'tags.0': 'b' }, [3]],
    ['an array as a whole', { tags: ['a', 'b'] }, [1]],
    ['an empty array', { tags: [] }, [2]],
    ['two different binaries', { b: new Binary(Buffer.from([2])) }, [5]],
    ['$ne', { n: { $ne: 1 } }, [2, 3, 4]],
    ['$gt only among numbers', { n: { $gt: 1 } }, [2, 5]],
    ['$gte and $lt', { n: { $gte: 1, $lt: 2.5 } }, [1, 5]],
    ['limits met by two elements', { n: { $gt: 5, $lt: 3 } }, [5]],
    ['$lte on dates', { d: { $lte: new Date(1000) } }, [1]],
    ['$gte on text', { s: { $gte: 'abd' } }, [2]],
    ['$in of nothing', { _id: { $in: [] } }, []],
    ['$in with null', { tags: { $in: ['a', null] } }, [1, 4, 5]],
    ['$nin', { tags: { $nin: ['b'] } }, [2, 4, 5]],
    ['$exists', { list: { $exists: true } }, [3, 4]],
    ['$exists false', { list: { $exists: false } }, [1, 2, 5]],
    ['$and and $or', { $and: [{ $or: [{ n: 1 }, { s: 'abd' }] }, { _id: { $lt: 3 } }] }, [1, 2]],
    ['$nor', { $nor: [{ n: 1 }, { tags: 'b' }] }, [2, 4]],
    ['$not', { n: { $not: { $gt: 1 } } }, [1, 3, 4]],
    ['$elemMatch on documents', { list: { $elemMatch: { q: 5, r: 9 } } }, [4]],
    ['$elemMatch on values', { n: { $elemMatch: { $gt: 5, $lt: 11 } } }, [5]],
  ];
  for (const [title, filter, expected] of matches) {
    it(`finds ${title}`, async () => {
      await rows().insertMany(data);
      expect(await idsOf(filter)).to.deep.equal(expected);
    });
  }

  const updates: [title: string, before: object, update: object, after: object][] = [
    ['$set creates paths', { a: 1 }, { $set: { 'b.c': 2 } }, { a: 1, b: { c: 2 } }],
    ['$set in an array', { a: [1, 2, { b: 3 }] }, { $set: { 'a.1': 4, 'a.2.b': 5 } }, { a: [1, 4, { b: 5 }] }],
    ['$unset', { a: 1, b: { c: 1, d: 2 } }, { $unset: { a: '', 'b.c': '', x: '' } }, { b: { d: 2 } }],
    ['$inc', { a: 1 }, { $inc: { a: 2, b: 5 } }, { a: 3, b: 5 }],
    ['$min and $max', { a: 5, b: 5 }, { $min: { a: 3, c: 1 }, $max: { b: 3 } }, { a: 3, b: 5, c: 1 }],
    ['$push with $each', { a: [1, 2] }, { $push: { a: { $each: [8, 9] } } }, { a: [1, 2, 8, 9] }],
    ['$push on nothing', {}, { $push: { a: 1 } }, { a: [1] }],
    ['$addToSet', { a: [1, { x: 1 }] }, { $addToSet: { a: { $each: [{ x: 1 }, 2, 2] } } }, { a: [1, { x: 1 }, 2] }],
    ['$pull a value', { a: [1, 2, 1] }, { $pull: { a: 1 } }, { a: [2] }],
    ['$pull by condition', { a: [1, 5, 9] }, { $pull: { a: { $gte: 5 } } }, { a: [1] }],
    ['$pull documents', { a: [{ x: 1, y: 1 }, { x: 2 }] }, { $pull: { a: { x: 1 } } }, { a: [{ x: 2 }] }],
    ['$setOnInsert leaves what exists', { a: 1 }, { $setOnInsert: { a: 2 }, $set: { b: 1 } }, { a: 1, b: 1 }],
  ];
  for (const [title, before, update, after] of updates) {
    it(`updates with ${title}`, async () => {
      await rows().insertOne({ _id: 1, ...before });
      await rows().updateOne({ _id: 1 }, update);
      expect(await rows().findOne({ _id: 1 })).to.deep.equal({ _id: 1, ...after });
    });
  }

  const refusals: [title: string, update: object, code: number, named: RegExp][] = [
    ['$inc on text', { $inc: { text: 1 } }, 14, /\$inc/],
    ['$inc by text', { $inc: { n: 'x' } }, 14, /non-numeric/],
    ['two changes of one path', { $set: { n: 1 }, $inc: { n: 1 } }, 40, /'n'/],
    ['a path and its parent', { $set: { o: 1, 'o.a': 1 } }, 40, /'o'/],
    ['a new _id', { $set: { _id: 9 } }, 66, /_id/],
    ['a path below text', { $set: { 'text.a': 1 } }, 28, /Cannot create field 'a'/],
    ['$push on text', { $push: { text: 1 } }, 2, /must be an array/],
    ['an unknown modifier', { $frobnicate: { a: 1 } }, 9, /\$frobnicate/],
  ];
  for (const [title, update, code, named] of refusals) {
    it(`refuses ${title} as mongod does`, async () => {
      await rows().insertOne({ _id: 1, text: 'x', n: 1, o: {} });
      const refusal = await refusalOf(rows().updateOne({ _id: 1 }, update));
      expect(refusal.code).to.equal(code);
      expect(refusal.message).to.match(named);
    });
  }

  it('counts an update that changes nothing as matched only', async () => {
    await rows().insertOne({ _id: 1, a: { b: 1 } });
    const result = await rows().updateOne({ _id: 1 }, { $set: { a: { b: 1 } } });
    expect([result.matchedCount, result.modifiedCount]).to.deep.equal([1, 0]);
  });

  it('replaces a document and keeps its _id', async () => {
    await rows().insertOne({ _id: 1, a: 1 });
    await rows().replaceOne({ _id: 1 }, { b: 2 });
    expect(await rows().findOne({})).to.deep.equal({ _id: 1, b: 2 });
    expect((await refusalOf(rows().replaceOne({ a: { $exists: false } }, { _id: 2, b: 2 }))).code).to.equal(66);
  });

  it('seeds an upsert from the equalities of its filter', async () => {
    const { upsertedId } = await rows().updateOne(
      { _id: 7, 'a.b': 1, c: { $gt: 5 }, $and: [{ d: { $eq: 4 } }] },
      { $set: { e: 5 }, $setOnInsert: { f: 6 } },
      { upsert: true },
    );
    expect(upsertedId).to.equal(7);
    expect(await rows().findOne({})).to.deep.equal({ _id: 7, a: { b: 1 }, d: 4, e: 5, f: 6 });
  });

  it('finds and modifies: old or new, sorted, removed, upserted, projected', async () => {
    await rows().insertMany([
      { _id: 1, n: 1 },
      { _id: 2, n: 2 },
    ]);
    const inc = { $inc: { n: 10 } };
    expect(await rows().findOneAndUpdate({}, inc, { sort: { _id: -1 } })).to.deep.equal({ _id: 2, n: 2 });
    expect(await rows().findOneAndUpdate({ _id: 1 }, inc, { returnDocument: 'after' })).to.deep.equal({
      _id: 1,
      n: 11,
    });
    const upsert = { upsert: true, returnDocument: 'after', projection: { _id: 0, n: 1 } } as const;
    expect(await rows().findOneAndUpdate({ _id: 3 }, inc, upsert)).to.deep.equal({ n: 10 });
    expect(await rows().findOneAndDelete({}, { sort: { n: 1 } })).to.deep.equal({ _id: 3, n: 10 });
    expect(await rows().findOneAndUpdate({ _id: 99 }, inc)).to.equal(null);
  });

  it('sorts across types in the BSON order', async () => {
    const values = [
      null,
      -1,
      2,
      'B',
      'a',
      '\uffff',
      '😀',
      { a: 1 },
      new Binary(Buffer.from([1])),
      new ObjectId(),
      false,
      true,
      new Date(0),
    ];
    await rows().insertMany([...values.keys()].reverse().map((i) => ({ _id: i, v: values[i] })));
    const up = await rows().find().sort({ v: 1 }).toArray();
    expect(up.map(({ _id }) => _id)).to.deep.equal([...values.keys()]);
    const down = await rows().find().sort({ v: -1 }).toArray();
    expect(down.map(({ _id }) => _id)).to.deep.equal([...values.keys()].reverse());
  });

  it('projects by inclusion and exclusion', async () => {
    await rows().insertOne({ _id: 1, a: { b: 1, c: 2 }, z: 0 });
    const projected = (projection: object) => rows().findOne({}, { projection });
    expect(await projected({ a: 1 })).to.deep.equal({ _id: 1, a: { b: 1, c: 2 } });
    expect(await projected({ _id: 0, z: true })).to.deep.equal({ z: 0 });
    expect(await projected({ _id: 1 })).to.deep.equal({ _id: 1 });
    expect(await projected({ _id: 0, a: 0 })).to.deep.equal({ z: 0 });
    expect((await refusalOf(projected({ a: 1, z: 0 }))).message).to.match(/mix/);
  });

  it('hands out a long list in batches', async () => {
    await rows().insertMany(Array.from({ length: 250 }, (_, i) => ({ _id: i })));
    expect(await rows().find().sort({ _id: 1 }).batchSize(40).toArray()).to.have.length(250);
    const page = await rows().find().sort({ _id: -1 }).skip(10).limit(3).toArray();
    expect(page.map(({ _id }) => _id)).to.deep.equal([239, 238, 237]);
  });

  it('counts and groups', async () => {
    await rows().insertMany([1, 2, 3, 4].map((n) => ({ _id: n, even: n % 2 === 0, n })));
    const grouped = await rows()
      .aggregate([
        { $match: { n: { $gt: 1 } } },
        { $sort: { n: 1 } },
        {
          $group: {
            _id: '$even',
            n: { $sum: '$n' },
            least: { $min: '$n' },
            most: { $max: '$n' },
          },
        },
        { $sort: { _id: 1 } },
      ])
      .toArray();
    expect(grouped).to.deep.equal([
      { _id: false, n: 3, least: 3, most: 3 },
      { _id: true, n: 6, least: 2, most: 4 },
    ]);
    expect(await rows().countDocuments({ n: { $lt: 3 } })).to.equal(2);
    expect(await rows().estimatedDocumentCount()).to.equal(4);
    expect(
      await rows()
        .aggregate([{ $match: {} }, { $skip: 1 }, { $limit: 2 }, { $count: 'n' }])
        .toArray(),
    ).to.deep.equal([{ n: 2 }]);
  });

  it('continues an unordered batch after an error and stops an ordered one', async () => {
    await rows().insertOne({ _id: 1 });
    const batch = () => [{ _id: 1 }, { _id: 2 }, { _id: 3 }];
    const ordered = await refusalOf(rows().insertMany(batch()));
    expect(ordered.code).to.equal(11000);
    expect(await rows().countDocuments()).to.equal(1);
    await refusalOf(rows().insertMany(batch(), { ordered: false }));
    expect(await rows().countDocuments()).to.equal(3);
  });

  it('deletes one or many', async () => {
    await rows().insertMany([
      { _id: 1, a: 1 },
      { _id: 2, a: 1 },
      { _id: 3, a: 2 },
    ]);
    expect((await rows().deleteOne({ a: 1 })).deletedCount).to.equal(1);
    expect((await rows().deleteMany({})).deletedCount).to.equal(2);
  });

  it('forgets a dropped database', async () => {
    await rows().insertOne({ _id: 1 });
    await db.dropDatabase();
    expect(await rows().countDocuments()).to.equal(0);
    expect(await db.listCollections().toArray()).to.deep.equal([]);
  });
});
