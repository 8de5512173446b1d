import { Long } from 'bson';
import { expect } from 'chai';
import { createCursors, expireCursors, openCursor } from '../../src/platform/mongo/embedded/cursors.js';
import { encodeDocument } from '../../src/platform/mongo/embedded/document.js';
import { expireSessions, openSession, type Session } from '../../src/platform/mongo/embedded/sessions.js';
import { createStorage } from '../../src/platform/mongo/embedded/storage.js';
import { openTestServer, realServerUri, refusalOf, type Db, type Row, type TestServer } from './embedded-support.js';

const MINUTE_MS = 60_000;

describe('embedded database: lists in parts', () => {
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
  const fill = (count: number) => rows().insertMany(Array.from({ length: count }, (_, _id) => ({ _id })));

  interface Part {
    id: Long | number;
    ids: unknown[];
  }

  async function part(command: object): Promise<Part> {
    const { cursor } = (await db.command(command)) as {
      cursor: { id: Long | number; firstBatch?: Row[]; nextBatch?: Row[] };
    };
    return { id: cursor.id, ids: (cursor.firstBatch ?? cursor.nextBatch ?? []).map(({ _id }) => _id) };
  }
  const more = (id: Long | number, batchSize?: number) =>
    part({ getMore: Long.fromValue(id), collection: 'rows', ...(batchSize ? { batchSize } : {}) });
  const isOver = ({ id }: Part) => Number(id) === 0;

  it('gives 101 documents first, then all the others', async () => {
    await fill(250);
    const first = await part({ find: 'rows' });
    expect([first.ids.length, isOver(first)]).to.deep.equal([101, false]);
    const rest = await more(first.id);
    expect([rest.ids.length, isOver(rest)]).to.deep.equal([149, true]);
    expect([...first.ids, ...rest.ids]).to.deep.equal(Array.from({ length: 250 }, (_, i) => i));
  });

  it('gives as many at a time as the client asks for, also none at first', async () => {
    await fill(7);
    const none = await part({ find: 'rows', batchSize: 0 });
    expect([none.ids, isOver(none)]).to.deep.equal([[], false]);
    const three = await more(none.id, 3);
    expect([three.ids, isOver(three)]).to.deep.equal([[0, 1, 2], false]);
    const rest = await more(three.id, 10);
    expect([rest.ids, isOver(rest)]).to.deep.equal([[3, 4, 5, 6], true]);
    expect((await refusalOf(more(rest.id))).code).to.be.oneOf([2, 43]);
  });

  it('keeps nothing open after a limit or a single batch', async () => {
    await fill(7);
    expect(isOver(await part({ find: 'rows', limit: 3 }))).to.equal(true);
    const single = await part({ find: 'rows', batchSize: 2, singleBatch: true });
    expect([single.ids, isOver(single)]).to.deep.equal([[0, 1], true]);
    const limited = await part({ find: 'rows', limit: 5, batchSize: 2 });
    expect((await more(limited.id)).ids).to.deep.equal([2, 3, 4]);
  });

  it('forgets a list that the client gives up', async () => {
    await fill(7);
    const { id } = await part({ find: 'rows', batchSize: 2 });
    const unknown = Long.fromString('4711471147114711');
    const killed = await db.command({ killCursors: 'rows', cursors: [Long.fromValue(id), unknown] });
    expect(String(killed['cursorsKilled'])).to.equal(String(id));
    expect(String(killed['cursorsNotFound'])).to.equal(String(unknown));
    expect((await refusalOf(more(id))).code).to.equal(43);
  });

  it('cuts parts by their bytes', async () => {
    const text = 'x'.repeat(1024 * 1024);
    for (let _id = 0; _id < 40; _id++) await rows().insertOne({ _id, text });
    const first = await part({ find: 'rows', batchSize: 1 });
    const second = await more(first.id);
    expect(second.ids.length).to.be.within(10, 17);
    expect(await rows().find().toArray()).to.have.length(40);
  });

  it('gives the largest document there can be', async () => {
    const text = 'x'.repeat(16 * 1024 * 1024 - 40);
    await rows().insertOne({ _id: 1, text });
    expect((await rows().find().toArray())[0]?.['text']).to.have.length(text.length);
    expect(await rows().findOneAndUpdate({ _id: 1 }, { $set: { n: 1 } })).to.have.property('text', text);
  });

  it('gives an aggregation in parts, too', async () => {
    await fill(5);
    const first = await part({ aggregate: 'rows', pipeline: [{ $match: {} }], cursor: { batchSize: 2 } });
    expect(first.ids).to.deep.equal([0, 1]);
    expect((await more(first.id)).ids).to.deep.equal([2, 3, 4]);
  });

  if (realServerUri !== undefined) return;

  it('cuts parts of a great many small documents, too, before they are too large for a reply', () => {
    const documents = Array.from({ length: 1_200_000 }, (_, _id) => ({ _id }));
    const cursor = openCursor(createCursors(), 'db.rows', documents, { batchSize: Infinity });
    expect(encodeDocument({ cursor }).length).to.be.below(16.1 * 1024 * 1024);
  });

  it('forgets a list that nobody went on with for ten minutes', () => {
    const cursors = createCursors();
    openCursor(cursors, 'db.rows', [{ _id: 1 }, { _id: 2 }], { batchSize: 1 });
    expireCursors(cursors, Date.now() + 9 * MINUTE_MS);
    expect(cursors.open.size).to.equal(1);
    expireCursors(cursors, Date.now() + 11 * MINUTE_MS);
    expect(cursors.open.size).to.equal(0);
  });

  it('forgets a session that nobody used for half an hour', () => {
    const expiring = { storage: createStorage(), sessions: new Map<string, Session>(), transactionSeconds: 60 };
    openSession(expiring.sessions, 'id');
    expireSessions(expiring, Date.now() + 29 * MINUTE_MS);
    expect(expiring.sessions.size).to.equal(1);
    expireSessions(expiring, Date.now() + 31 * MINUTE_MS);
    expect(expiring.sessions.size).to.equal(0);
  });
});
