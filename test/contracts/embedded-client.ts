/** A client in a process of its own: does what its first argument says with the database that the others name. */
import { connectTo, type Row } from './embedded-support.js';

const [task, uri = '', database = '', who = ''] = process.argv.slice(2);
const client = await connectTo(uri);
const rows = client.db(database).collection<Row>('rows');
process.on('disconnect', () => process.exit());
if (task === 'hold') await hold();
if (task === 'contend') await contend();

/** Leaves a transaction open. */
async function hold(): Promise<void> {
  const session = client.startSession();
  session.startTransaction();
  await rows.updateOne({ _id: 1 }, { $set: { key: 'never seen' } }, { session });
  process.send!('holding');
}

/** Counts up ten times, and tries to take ten keys of which each process wants the same; tells how many it got. */
async function contend(): Promise<void> {
  process.send!('ready');
  await new Promise((resolve) => process.once('message', resolve));
  let won = 0;
  for (let turn = 0; turn < 10; turn++) {
    await countUp('turns');
    won += await countUp('taken', { _id: `${who} ${turn}`, key: `key ${turn}` }).then(() => 1, nothingIfTaken);
  }
  await client.close();
  process.send!(won);
}

function countUp(counter: string, besides?: Row): Promise<unknown> {
  return client.withSession((session) =>
    session.withTransaction(async () => {
      const before = await rows.findOne({ _id: counter }, { session });
      await rows.updateOne({ _id: counter }, { $set: { n: Number(before?.['n']) + 1 } }, { session });
      if (besides) await rows.insertOne(besides, { session });
    }),
  );
}

function nothingIfTaken(error: unknown): number {
  if ((error as { code?: unknown }).code === 11000) return 0;
  throw error;
}
