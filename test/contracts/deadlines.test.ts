import { expect } from 'chai';
import mongoose from 'mongoose';
import { openDatabase, type Database } from '../../src/platform/mongo/open-database.js';
import { inTransactionOf, isDatabaseUnavailable, sessionOf } from '../../src/platform/mongo/transactions.js';
import { freshDatabaseUri } from '../support/database.js';
import { startFaultProxy, type FaultProxy } from '../support/fault-proxy.js';

const longestMs = 2500;
const longestInSilenceMs = 1000;

describe('F5 deadlines of the database', function () {
  this.timeout(30_000);
  let proxy: FaultProxy;
  let database: Database;

  const rows = () => database.collection<{ _id: string; n: number }>('rows');

  beforeEach(async () => {
    const through = new URL(await freshDatabaseUri());
    proxy = await startFaultProxy({ host: through.hostname, port: Number(through.port) });
    through.host = `127.0.0.1:${proxy.port}`;
    // the name that a replica set gives itself would lead past the proxy
    through.searchParams.set('directConnection', 'true');
    database = await openDatabase(through.href);
    await rows().insertOne({ _id: 'a', n: 0 });
  });
  afterEach(async () => {
    proxy.reset(); // connections that died silently are told so, or closing would wait for them
    await proxy.heal();
    await database.close();
    await proxy.close();
  });

  function everyKindOfCall(): Record<string, () => Promise<unknown>> {
    const schema = new mongoose.Schema<{ _id: string; n: number }>({ _id: String, n: Number });
    const Row = database.connection.model('Row', schema, 'rows');
    return {
      findOne: () => rows().findOne({ _id: 'a' }),
      find: () => rows().find().toArray(),
      insertOne: () => rows().insertOne({ _id: String(Math.random()), n: 1 }),
      insertMany: () => rows().insertMany([{ _id: String(Math.random()), n: 1 }]),
      updateOne: () => rows().updateOne({ _id: 'a' }, { $inc: { n: 1 } }),
      updateMany: () => rows().updateMany({}, { $inc: { n: 1 } }),
      findOneAndUpdate: () => rows().findOneAndUpdate({ _id: 'a' }, { $inc: { n: 1 } }),
      deleteOne: () => rows().deleteOne({ _id: 'b' }),
      countDocuments: () => rows().countDocuments(),
      'mongoose findOne': () => Row.findOne({ _id: 'a' }).lean().exec(),
      'mongoose find': () => Row.find().lean().exec(),
      'mongoose create': () => Row.create([{ _id: String(Math.random()), n: 1 }]),
      'mongoose updateOne': () => Row.updateOne({ _id: 'a' }, { n: 2 }).exec(),
      'mongoose exists': () => Row.exists({ _id: 'a' }).exec(),
    };
  }

  async function failure(work: () => Promise<unknown>): Promise<{ error: unknown; ms: number }> {
    const startedAt = performance.now();
    const error = await work().then(
      () => null,
      (reason: unknown) => reason,
    );
    return { error, ms: performance.now() - startedAt };
  }

  const faults: Record<string, () => unknown> = {
    'swallows what is sent': () => proxy.swallow(),
    'resets connections': () => proxy.reset(),
    'refuses connections': () => proxy.refuse(),
    'answers after five seconds': () => proxy.delay(5000),
  };
  for (const [name, inject] of Object.entries(faults)) {
    it(`a database that ${name} fails every kind of call as unavailable in time, and serves again when it heals`, async () => {
      const calls = everyKindOfCall();
      for (const call of Object.values(calls)) await call(); // connections that are there already are the harder case
      await inject();
      await Promise.all(
        Object.entries(calls).map(async ([call, work]) => {
          const { error, ms } = await failure(work);
          expect(isDatabaseUnavailable(error), `${call}: ${String(error)}`).to.equal(true);
          expect(ms, call).to.be.lessThan(longestMs);
        }),
      );
      // whoever asks next does not wait as long to learn the same
      expect((await failure(calls['findOne']!)).ms).to.be.lessThan(longestInSilenceMs);
      await proxy.heal();
      const healedAt = performance.now();
      while ((await failure(calls['findOne']!)).error !== null)
        expect(performance.now() - healedAt).to.be.lessThan(5000);
    });
  }

  for (const step of ['operation', 'commit'] as const) {
    it(`a transaction whose ${step} is swallowed fails in time`, async () => {
      const inTransaction = inTransactionOf(database);
      const { error, ms } = await failure(() =>
        inTransaction(async (tx) => {
          await rows().updateOne({ _id: 'a' }, { $inc: { n: 1 } }, sessionOf(tx));
          proxy.swallow();
          if (step === 'operation') await rows().updateOne({ _id: 'a' }, { $inc: { n: 1 } }, sessionOf(tx));
        }),
      );
      expect(isDatabaseUnavailable(error), String(error)).to.equal(true);
      expect(ms).to.be.lessThan(longestMs);
    });
  }

  it('a transaction without anybody to talk to fails in time', async () => {
    await proxy.refuse();
    const inTransaction = inTransactionOf(database);
    const { error, ms } = await failure(() =>
      inTransaction((tx) => rows().updateOne({ _id: 'a' }, { $inc: { n: 1 } }, sessionOf(tx))),
    );
    expect(isDatabaseUnavailable(error), String(error)).to.equal(true);
    expect(ms).to.be.lessThan(longestMs);
  });

  it('a connection that is cut in the middle of an answer costs a retry, not an error', async () => {
    await rows().insertMany(Array.from({ length: 200 }, (_, n) => ({ _id: `row ${n}`, n })));
    proxy.cutAfter(2000);
    await proxy.heal(); // for connections to come; those that are there have their bytes counted
    expect(await rows().find().toArray()).to.have.length(201);
  });
});
