import { expect } from 'chai';
import { openTestServer, realServerUri, refusalOf, type Db, type TestServer } from './embedded-support.js';

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

  const loud: [title: string, run: (db: Db) => Promise<unknown>, code: number, named: RegExp][] = [
    ['command', (d) => d.command({ frobnicate: 1 }), 59, /frobnicate/],
    ['query operator', (d) => d.collection('c').findOne({ a: { $near: 1 } }), 2, /\$near/],
    ['top level operator', (d) => d.collection('c').findOne({ $frob: 1 }), 2, /\$frob/],
    [
      'pipeline stage',
      (d) =>
        d
          .collection('c')
          .aggregate([{ $frob: {} }])
          .toArray(),
      40324,
      /\$frob/,
    ],
    [
      'accumulator',
      (d) =>
        d
          .collection('c')
          .aggregate([{ $group: { _id: 1, a: { $frob: 1 } } }])
          .toArray(),
      15952,
      /\$frob/,
    ],
    [
      'index option',
      (d) => d.command({ createIndexes: 'c', indexes: [{ key: { a: 1 }, name: 'a', frob: 1 }] }),
      197,
      /frob/,
    ],
  ];
  for (const [title, run, code, named] of loud) {
    it(`names an unknown ${title}`, async () => {
      const refusal = await refusalOf(run(db));
      expect(refusal.code).to.equal(code);
      expect(refusal.message).to.match(named);
    });
  }

  if (realServerUri === undefined) {
    const unsupported: [title: string, run: (db: Db) => Promise<unknown>, named: RegExp][] = [
      ['a field of a command', (d) => d.command({ find: 'c', collation: { locale: 'de' } }), /collation/],
      ['a hint', (d) => d.collection('c').updateOne({}, { $set: { a: 1 } }, { hint: '_id_' }), /hint/],
      ['$expr', (d) => d.collection('c').findOne({ $expr: { $eq: ['$a', 1] } }), /\$expr/],
      ['a positional update', (d) => d.collection('c').updateOne({ a: 1 }, { $set: { 'a.$': 1 } }), /'\$'/],
      [
        'array filters',
        (d) => d.collection('c').updateOne({}, { $set: { 'a.$[x]': 1 } }, { arrayFilters: [{ x: 1 }] }),
        /arrayFilters|\$\[x\]/,
      ],
      ['a pipeline as update', (d) => d.collection('c').updateOne({}, [{ $set: { a: 1 } }]), /pipeline/],
      [
        '$lookup',
        (d) =>
          d
            .collection('c')
            .aggregate([{ $lookup: {} }])
            .toArray(),
        /\$lookup/,
      ],
      ['a text index', (d) => d.collection('c').createIndex({ a: 'text' }), /text/],
      ['a capped collection', (d) => d.createCollection('capped', { capped: true, size: 1 }), /capped/],
      [
        'a regular expression JavaScript reads differently',
        (d) => d.collection('c').findOne({ a: { $regex: '(?i)x' } }),
        /\(\?i\)/,
      ],
      ['a projection operator', (d) => d.collection('c').findOne({}, { projection: { a: { $slice: 1 } } }), /\$slice/],
      ['a watch', (d) => d.collection('c').watch().next(), /\$changeStream/],
    ];
    for (const [title, run, named] of unsupported) {
      it(`refuses ${title} by name, since it is not supported here`, async () => {
        expect((await refusalOf(run(db))).message).to.match(named);
      });
    }
  }
});
