import { expect } from 'chai';
import { Schema } from 'mongoose';
import { openDatabase, type Database } from '../../src/platform/mongo/open-database.js';
import { tenantOwned } from '../../src/platform/mongo/tenant-owned.js';
import { freshDatabaseUri } from '../support/database.js';

interface Thing {
  tenantId: string;
  name: string;
}

describe('sec-012 records that belong to a tenant', () => {
  let database: Database;

  beforeEach(async () => {
    database = await openDatabase(await freshDatabaseUri());
  });
  afterEach(() => database.close());

  function things() {
    const schema = new Schema<Thing>({ name: String }, { collection: 'things', versionKey: false });
    schema.plugin(tenantOwned);
    return database.connection.model<Thing>('Thing', schema);
  }

  const messageOf = (work: PromiseLike<unknown>): Promise<string> =>
    Promise.resolve(work).then(
      () => 'answered',
      (error: unknown) => (error as Error).message,
    );

  it('no query goes without its tenant', async () => {
    const model = things();
    const without = { name: 'x' };
    for (const query of [
      model.find(without),
      model.findOne(without),
      model.findById('000000000000000000000000'),
      model.countDocuments(without),
      model.distinct('name', without),
      model.updateOne(without, { $set: { name: 'y' } }),
      model.updateMany(without, { $set: { name: 'y' } }),
      model.replaceOne(without, { name: 'y', tenantId: 'ten_1' }),
      model.deleteOne(without),
      model.deleteMany({}),
      model.findOneAndUpdate(without, { $set: { name: 'y' } }),
      model.findOneAndDelete(without),
      model.findOneAndReplace(without, { name: 'y', tenantId: 'ten_1' }),
    ]) {
      expect(await messageOf(query)).to.equal('Thing: a query without its tenant');
    }
    expect(await messageOf(model.aggregate([{ $match: {} }]))).to.contain('aggregation of tenant-owned records');
  });

  it('an operator or an empty text is no tenant', async () => {
    for (const tenantId of [{ $ne: null }, { $in: ['ten_1'] }, '', null, undefined]) {
      expect(await messageOf(things().find({ tenantId } as never))).to.equal('Thing: a query without its tenant');
      database.connection.deleteModel('Thing');
    }
  });

  it('a query sees its tenant alone; one across tenants says why', async () => {
    const model = things();
    await model.insertMany([
      { tenantId: 'ten_1', name: 'mine' },
      { tenantId: 'ten_2', name: 'theirs' },
    ]);
    expect((await model.find({ tenantId: 'ten_1' }).lean()).map(({ name }) => name)).to.deep.equal(['mine']);
    expect(await model.find({}, null, { acrossTenants: 'a test counts' }).lean()).to.have.length(2);
  });

  it('a record is not made without its tenant, and does not change it', async () => {
    const model = things();
    expect(await messageOf(model.insertMany([{ name: 'nobody' }]))).to.contain('tenantId');
    await model.insertMany([{ tenantId: 'ten_1', name: 'mine' }]);
    await model.updateOne({ tenantId: 'ten_1' }, { $set: { tenantId: 'ten_2' } });
    expect(await model.countDocuments({ tenantId: 'ten_2' })).to.equal(0);
  });
});
