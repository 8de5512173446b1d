import { BSONRegExp, DBRef, Decimal128, Long, ObjectId, Timestamp } from 'bson';
import { expect } from 'chai';
import { openTestServer, realServerUri, refusalOf, sendRaw, type Db, type TestServer } from './embedded-support.js';

describe('embedded database: what it does not know', () => {
  let server: TestServer;
  let db: Db;

  before(async () => {
    server = await openTestServer();
  });
  after(() => server.close());
  beforeEach(() => {
    db = server.freshDb();
  });

  const collection = () => db.collection('c');
  const find = (filter: object) => collection().findOne(filter);
  const update = (modifiers: object, options: object = {}) => collection().updateOne({}, modifiers, options);
  const aggregate = (...pipeline: object[]) => collection().aggregate(pipeline).toArray();
  const insert = (value: unknown) => collection().insertOne({ value });

  const unknown: [title: string, run: () => Promise<unknown>, named: RegExp][] = [
    ['command', () => db.command({ frobnicate: 1 }), /frobnicate/],
    ['field of a command', () => db.command({ find: 'c', frob: 1 }), /frob/],
    ['query operator', () => find({ a: { $near: 1 } }), /\$near/],
    ['query operator beside a known one', () => find({ a: { $gt: 1, constructor: 1 } }), /constructor/],
    ['top level operator', () => find({ $frob: 1 }), /\$frob/],
    ['modifier', () => update({ $frob: { a: 1 } }), /\$frob/],
    ['clause of a modifier', () => update({ $push: { a: { $each: [], $frob: 1 } } }), /\$frob/],
    ['pipeline stage', () => aggregate({ $frob: {} }), /\$frob/],
    ['accumulator', () => aggregate({ $group: { _id: 1, a: { $frob: 1 } } }), /\$frob/],
    [
      'index option',
      () => db.command({ createIndexes: 'c', indexes: [{ key: { a: 1 }, name: 'a', frob: 1 }] }),
      /frob/,
    ],
  ];
  for (const [title, run, named] of unknown) {
    it(`names an unknown ${title}`, async () => {
      expect((await refusalOf(run())).message).to.match(named);
    });
  }

  // A real server knows these.
  const unsupported: typeof unknown = [
    ['a collation', () => db.command({ find: 'c', collation: { locale: 'de' } }), /collation/],
    ['a hint', () => update({ $set: { a: 1 } }, { hint: '_id_' }), /hint/],
    ['let', () => db.command({ update: 'c', updates: [], let: {} }), /let/],
    ['distinct', () => collection().distinct('a'), /distinct/],
    ['counting with a filter', () => db.command({ count: 'c', query: { a: 1 } }), /query/],
    ['explain of anything but find', () => db.command({ explain: { count: 'c' } }), /count/],
    ['$expr', () => find({ $expr: { $eq: ['$a', 1] } }), /\$expr/],
    ['$all', () => find({ a: { $all: [1] } }), /\$all/],
    ['$size', () => find({ a: { $size: 1 } }), /\$size/],
    ['$type', () => find({ a: { $type: 'string' } }), /\$type/],
    ['$regex', () => find({ a: { $regex: 'x' } }), /\$regex/],
    ['a regular expression', () => find({ a: /x/ }), /BSONRegExp/],
    ['a positional update', () => update({ $set: { 'a.$': 1 } }), /'\$'/],
    ['array filters', () => update({ $set: { 'a.$[x]': 1 } }, { arrayFilters: [{ x: 1 }] }), /arrayFilters/],
    ['a pipeline as update', () => collection().updateOne({}, [{ $set: { a: 1 } }]), /pipeline/],
    ['$mul', () => update({ $mul: { a: 2 } }), /\$mul/],
    ['$pop', () => update({ $pop: { a: 1 } }), /\$pop/],
    ['$pullAll', () => update({ $pullAll: { a: [1] } }), /\$pullAll/],
    ['$currentDate', () => update({ $currentDate: { a: true } }), /\$currentDate/],
    ['$rename', () => update({ $rename: { a: 'b' } }), /\$rename/],
    ['$slice in $push', () => update({ $push: { a: { $each: [1], $slice: 1 } } }), /\$slice/],
    ['$lookup', () => aggregate({ $lookup: {} }), /\$lookup/],
    ['$project', () => aggregate({ $project: { a: 1 } }), /\$project/],
    ['$push in a group', () => aggregate({ $group: { _id: 1, a: { $push: '$a' } } }), /\$push/],
    ['an expression', () => aggregate({ $group: { _id: { $toLower: '$a' } } }), /\$toLower/],
    ['a variable', () => aggregate({ $group: { _id: '$$ROOT' } }), /\$ROOT/],
    ['a projected path', () => collection().findOne({}, { projection: { 'a.b': 1 } }), /a\.b/],
    ['a projection operator', () => collection().findOne({}, { projection: { a: { $slice: 1 } } }), /\$slice/],
    ['a text index', () => collection().createIndex({ a: 'text' }), /text/],
    [
      'a range as partial filter',
      () => collection().createIndex({ a: 1 }, { partialFilterExpression: { a: { $gt: 1 } } }),
      /\$gt/,
    ],
    ['dropping an index', () => db.command({ dropIndexes: 'c', index: '*' }), /dropIndexes/],
    ['a capped collection', () => db.createCollection('capped', { capped: true, size: 1 }), /capped/],
    ['a watch', () => collection().watch().next(), /\$changeStream/],
    ['a whole number beyond 2^53', () => insert(Long.fromString('9007199254740993')), /2\^53/],
    ['NaN', () => insert(NaN), /NaN/],
    ['Decimal128', () => insert(Decimal128.fromString('1')), /Decimal128/],
    ['a reference to another collection', () => insert(new DBRef('c', new ObjectId())), /DBRef/],
    ['a timestamp', () => insert(new Timestamp({ t: 1, i: 1 })), /Timestamp/],
    ['a stored regular expression', () => insert(new BSONRegExp('x')), /BSONRegExp/],
  ];
  const refusedInTransaction: [title: string, command: object][] = [
    ['count', { count: 'c' }],
    ['listCollections', { listCollections: 1 }],
    ['listIndexes', { listIndexes: 'c' }],
    ['drop', { drop: 'c' }],
    ['dropDatabase', { dropDatabase: 1 }],
    ['ping', { ping: 1 }],
  ];
  for (const [title, command] of refusedInTransaction) {
    it(`refuses ${title} in a transaction`, async () => {
      await server.client.withSession(async (session) => {
        session.startTransaction();
        expect((await refusalOf(db.command(command, { session }))).code).to.equal(263);
      });
    });
  }

  it('refuses a document that is too large, and keeps the one that was there', async () => {
    const half = 'x'.repeat(9 * 1024 * 1024);
    await collection().insertOne({ a: half });
    const grown = await refusalOf(update({ $set: { b: half } }));
    expect(grown.code).to.be.oneOf([10334, 17419]); // by the version of mongod
    expect(await collection().countDocuments({ b: { $exists: false } })).to.equal(1);
    const document = { _id: 1, a: 'x'.repeat(16.5 * 1024 * 1024) };
    const inserted = await sendRaw(server.client, { insert: 'c', documents: [document], $db: db.databaseName });
    expect(inserted['writeErrors']).to.have.nested.property('[0].code', 10334);
  });

  it('stores a hundred levels, and refuses two hundred', async () => {
    const nested = (levels: number): object => (levels === 0 ? {} : { a: nested(levels - 1) });
    await collection().insertOne(nested(98));
    expect((await refusalOf(collection().insertOne(nested(190)))).code).to.equal(15);
    expect(await collection().countDocuments()).to.equal(1);
  });

  if (realServerUri !== undefined) return;
  for (const [title, run, named] of unsupported) {
    it(`refuses ${title} by name`, async () => {
      expect((await refusalOf(run())).message).to.match(named);
    });
  }

  it('refuses a sum that a number cannot hold, and keeps what was there', async () => {
    await collection().insertOne({ n: Number.MAX_SAFE_INTEGER });
    expect((await refusalOf(update({ $inc: { n: 1 } }))).message).to.match(/'n' as a whole number beyond/);
    expect(await collection().countDocuments({ n: Number.MAX_SAFE_INTEGER })).to.equal(1);
  });
});
