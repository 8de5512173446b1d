import { expect } from 'chai';
import { Schema, type Model } from 'mongoose';
import { openDatabase, type Database } from '../../src/platform/mongo/open-database.js';
import { tenantOwned } from '../../src/platform/mongo/tenant-owned.js';
import { freshDatabaseUri } from '../support/database.js';

interface Thing {
  tenantId?: string;
  name: string;
}

const nameless = 'things: a query without its tenant';
const moved = 'things: a record does not change its tenant';
const ownerless = 'things: a record without its tenant';

describe('sec-012 records that belong to a tenant', () => {
  let database: Database;
  let things: Model<Thing>;

  beforeEach(async () => {
    database = await openDatabase(await freshDatabaseUri());
    const schema = new Schema<Thing>({ name: String }, { collection: 'things', versionKey: false });
    schema.plugin(tenantOwned);
    things = database.connection.model<Thing>('Thing', schema);
    await things.insertMany([
      { tenantId: 'ten_1', name: 'mine' },
      { tenantId: 'ten_2', name: 'theirs' },
    ]);
  });
  afterEach(() => database.close());

  const stored = (): Promise<unknown[]> =>
    database
      .collection<Thing>('things')
      .find({}, { projection: { _id: 0 } })
      .sort({ name: 1 })
      .toArray();
  const untouched = [
    { tenantId: 'ten_1', name: 'mine' },
    { tenantId: 'ten_2', name: 'theirs' },
  ];

  async function messageOf(work: () => unknown): Promise<string> {
    try {
      await work();
      return 'answered';
    } catch (error) {
      return (error as Error).message;
    }
  }

  async function expectAll(works: Record<string, () => unknown>, message: string): Promise<void> {
    for (const [name, work] of Object.entries(works)) expect(await messageOf(work), name).to.equal(message);
    expect(await stored()).to.deep.equal(untouched);
  }

  /** Every road by which a query leaves, with this filter. */
  function queries(filter: object, options: object = {}): Record<string, () => unknown> {
    const change = { $set: { name: 'changed' } };
    const replacement = { name: 'changed', tenantId: 'ten_1' };
    return {
      find: () => things.find(filter, null, options),
      findOne: () => things.findOne(filter, null, options),
      exists: () => things.exists(filter).setOptions(options),
      countDocuments: () => things.countDocuments(filter, options),
      distinct: () => things.distinct('name', filter, options),
      cursor: () => things.find(filter, null, options).cursor().next(),
      'for await': async () => {
        for await (const _thing of things.find(filter, null, options)) break;
      },
      updateOne: () => things.updateOne(filter, change, options),
      updateMany: () => things.updateMany(filter, change, options),
      replaceOne: () => things.replaceOne(filter, replacement, options),
      findOneAndUpdate: () => things.findOneAndUpdate(filter, change, options),
      findOneAndReplace: () => things.findOneAndReplace(filter, replacement, options),
      findOneAndDelete: () => things.findOneAndDelete(filter, options),
      deleteOne: () => things.deleteOne(filter, options),
      deleteMany: () => things.deleteMany(filter, options),
    };
  }

  it('no query goes without its tenant', async () => {
    await expectAll(queries({ name: 'theirs' }), nameless);
    await expectAll(queries({}), nameless);
    await expectAll(
      {
        estimatedDocumentCount: () => things.estimatedDocumentCount(),
        findById: () => things.findById('000000000000000000000000'),
        findByIdAndDelete: () => things.findByIdAndDelete('000000000000000000000000'),
        findByIdAndUpdate: () => things.findByIdAndUpdate('000000000000000000000000', { name: 'changed' }),
        where: () => things.where('name').equals('theirs'),
      },
      nameless,
    );
  });

  it('nor when the caller asks mongoose to leave out its hooks', async () => {
    await expectAll(queries({ name: 'theirs' }, { middleware: false }), nameless);
    await expectAll(
      { insertMany: () => things.insertMany([{ name: 'x' }], { middleware: false } as never) },
      ownerless,
    );
    const options = { middleware: false, validateBeforeSave: false };
    await expectAll({ save: () => new things({ name: 'x' }).save(options) }, ownerless);
    const bypass = await messageOf(() => things.aggregate([{ $match: {} }]).option({ middleware: false }));
    expect(bypass).to.equal('things: aggregate would bypass the tenant scope');
  });

  it('a tenant that does not bound what is found is none', async () => {
    const [mine, theirs] = [{ tenantId: 'ten_1' }, { tenantId: 'ten_2' }];
    for (const filter of [
      ...[{ $ne: null }, { $in: ['ten_1'] }, { $exists: true }, '', null, undefined].map((tenantId) => ({ tenantId })),
      { $or: [mine, theirs] },
      { $or: [mine] },
      { $and: [mine] },
      { $nor: [mine] },
    ]) {
      await expectAll(queries(filter), nameless);
    }
  });

  it('what cannot be bounded is refused whatever it says', async () => {
    const pipeline = [{ $match: { tenantId: 'ten_1' } }];
    await expectAll(
      {
        'an aggregation': () => things.aggregate(pipeline),
        'its cursor': () => things.aggregate(pipeline).cursor().next(),
      },
      'things: aggregate would bypass the tenant scope',
    );
    const bulk = 'things: bulkWrite would bypass the tenant scope';
    const operation = { deleteOne: { filter: { tenantId: 'ten_1' } } };
    await expectAll({ bulkWrite: () => things.bulkWrite([operation]) }, bulk);
    const loaded = await things.find({ tenantId: 'ten_1' });
    loaded[0]!.name = 'changed';
    await expectAll({ bulkSave: () => things.bulkSave(loaded) }, bulk);
    await expectAll({ watch: () => things.watch() }, 'things: watch would bypass the tenant scope');
  });

  it('a query sees its tenant alone; one across tenants says why', async () => {
    expect((await things.find({ tenantId: 'ten_1' }).lean()).map(({ name }) => name)).to.deep.equal(['mine']);
    expect(await things.find({}, null, { acrossTenants: 'a test counts' }).lean()).to.have.length(2);
    for (const acrossTenants of ['', ' ', true, {}, 1]) {
      expect(await messageOf(() => things.find({}, null, { acrossTenants } as never))).to.equal(nameless);
    }
  });

  it('a record is not made without its tenant', async () => {
    for (const tenantId of [undefined, null, '', ['ten_1']] as unknown as undefined[]) {
      const thing = { name: 'x', ...(tenantId === undefined ? {} : { tenantId }) } as Thing;
      const works = {
        'insertMany, lean': () => things.insertMany([untouched[0]!, thing], { lean: true } as never),
        'insertMany of one': () => things.insertMany(thing as never),
        'save without validation': () => new things(thing).save({ validateBeforeSave: false }),
      };
      if (!Array.isArray(tenantId)) await expectAll(works, ownerless);
      expect(await messageOf(() => things.create(thing))).to.match(/tenantId/);
    }
    const acrossTenants = { acrossTenants: 'a test writes', upsert: true };
    await expectAll(
      { upsert: () => things.updateOne({ name: 'x' }, { $set: { name: 'x' } }, acrossTenants) },
      nameless,
    );
  });

  /** Whatever would leave the records that it meets in another tenant, or in none. */
  const moves: [why: string, change: object][] = [
    ['$set', { $set: { tenantId: 'ten_2' } }],
    ['no operator', { tenantId: 'ten_2' }],
    ['$set within', { $set: { 'tenantId.x': 'ten_2' } }],
    ['$set of nothing', { $set: { tenantId: null } }],
    ['$setOnInsert', { $setOnInsert: { tenantId: 'ten_2' } }],
    ['$unset', { $unset: { tenantId: 1 } }],
    ['$rename from', { $rename: { tenantId: 'name' } }],
    ['$rename to', { $rename: { name: 'tenantId' } }],
    ['$min', { $min: { tenantId: 'ten_0' } }],
    ['$push', { $push: { tenantId: 'ten_2' } }],
  ];

  for (const [why, change] of moves) {
    it(`a record does not change its tenant by ${why}`, async () => {
      for (const options of [
        {},
        { upsert: true },
        { overwriteImmutable: true, strict: false },
        { middleware: false },
      ]) {
        const filter = { tenantId: 'ten_1', name: 'mine' };
        await expectAll(
          {
            updateOne: () => things.updateOne(filter, change, options),
            updateMany: () => things.updateMany(filter, change, options),
            findOneAndUpdate: () => things.findOneAndUpdate(filter, change, options as never),
          },
          moved,
        );
      }
      const across = { acrossTenants: 'a test moves' };
      await expectAll({ across: () => things.updateMany({ name: 'mine' }, change, across as never) }, moved);
    });
  }

  it('nor by a pipeline, a replacement, or a document that is saved', async () => {
    const filter = { tenantId: 'ten_1' };
    const pipeline = [{ $set: { tenantId: 'ten_2' } }];
    const mine = (await things.findOne(filter))!;
    mine.tenantId = 'ten_2';
    const without = (await things.findOne(filter))!;
    without.set('tenantId', undefined);
    await expectAll(
      {
        'a pipeline': () => things.updateOne(filter, pipeline, { updatePipeline: true }),
        replaceOne: () => things.replaceOne(filter, { name: 'mine', tenantId: 'ten_2' }),
        'replaceOne by nobody': () => things.replaceOne(filter, { name: 'mine' }),
        'replaceOne with upsert': () =>
          things.replaceOne({ ...filter, name: 'x' }, { name: 'x', tenantId: 'ten_2' }, { upsert: true }),
        'replaceOne across tenants': () =>
          things.replaceOne({}, { name: 'x', tenantId: 'ten_1' }, { acrossTenants: 'a test moves' }),
        findOneAndReplace: () => things.findOneAndReplace(filter, { name: 'mine', tenantId: 'ten_2' }),
        'findOneAndReplace by nobody': () => things.findOneAndReplace(filter, { name: 'mine' }),
        save: () => mine.save(),
        'save without validation': () => mine.save({ validateBeforeSave: false, middleware: false }),
      },
      moved,
    );
    expect(await messageOf(() => without.save())).to.match(/tenantId/);
    expect(await messageOf(() => without.save({ validateBeforeSave: false }))).to.equal(ownerless);
    expect(await stored()).to.deep.equal(untouched);
  });

  it('what stays in its tenant is written', async () => {
    const filter = { tenantId: 'ten_1', name: 'mine' };
    await things.updateOne(filter, { $set: { name: 'renamed', tenantId: 'ten_1' } });
    await things.replaceOne({ tenantId: 'ten_1' }, { name: 'replaced', tenantId: 'ten_1' });
    await things.findOneAndReplace({ tenantId: 'ten_1' }, { name: 'again', tenantId: 'ten_1' });
    await things.updateOne({ tenantId: 'ten_3', name: 'new' }, { $set: { name: 'new' } }, { upsert: true });
    const loaded = (await things.findOne({ tenantId: 'ten_1' }))!;
    loaded.name = 'saved';
    await loaded.save();
    expect(await stored()).to.deep.equal([
      { tenantId: 'ten_3', name: 'new' },
      { tenantId: 'ten_1', name: 'saved' },
      { tenantId: 'ten_2', name: 'theirs' },
    ]);
  });

  it('a document that was loaded does what it does by its id alone, which names no tenant', async () => {
    const mine = (await things.findOne({ tenantId: 'ten_1' }))!;
    await expectAll({ deleteOne: () => mine.deleteOne(), updateOne: () => mine.updateOne({ name: 'x' }) }, nameless);
  });
});
