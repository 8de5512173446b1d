import { mkdtemp, open, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { UUID } from 'bson';
import { expect } from 'chai';
import type { ServerState } from '../../src/platform/mongo/embedded/command.js';
import { createCursors } from '../../src/platform/mongo/embedded/cursors.js';
import { dispatch } from '../../src/platform/mongo/embedded/dispatch.js';
import { openJournal, type JournalFile, type JournalOptions } from '../../src/platform/mongo/embedded/journal.js';
import type { Operation } from '../../src/platform/mongo/embedded/journal-frames.js';
import { replay, snapshotOf } from '../../src/platform/mongo/embedded/replay.js';
import { createStorage } from '../../src/platform/mongo/embedded/storage.js';

describe('embedded database: journal', () => {
  let directory: string;
  let options: JournalOptions;
  let replayed: Operation[];

  beforeEach(async () => {
    directory = await mkdtemp(join(tmpdir(), 'embedded-journal-'));
    replayed = [];
    options = {
      path: join(directory, 'journal'),
      apply: (operation) => replayed.push(operation),
      snapshot: () => [],
      onFailure: (error) => {
        throw error;
      },
    };
  });
  afterEach(() => rm(directory, { recursive: true, force: true }));

  const put = (n: number): Operation => ({ put: 'db.c', document: { _id: n, text: 'x'.repeat(100) } });

  async function reread(): Promise<unknown[]> {
    replayed = [];
    await (await openJournal(options)).close();
    return replayed.map((operation) => ('put' in operation ? operation.document['_id'] : operation));
  }

  it('acknowledges nothing after a failed sync', async () => {
    let isBroken = false;
    const failures: string[] = [];
    const journal = await openJournal({
      ...options,
      onFailure: (error) => failures.push(error.message),
      openFile: async (path) => breakable(await open(path, 'wx+'), () => isBroken),
    });
    journal.append(put(1));
    await journal.durable();
    isBroken = true;
    journal.append(put(2));
    const refused = await journal.durable().catch((error: Error) => error.message);
    isBroken = false;
    journal.append(put(3));
    const later = await journal.durable().catch((error: Error) => error.message);
    const message = 'the journal cannot be written: disk on fire';
    expect([refused, later, failures]).to.deep.equal([message, message, [message]]);
    await journal.close();
  });

  it('writes many operations of one moment as one frame', async () => {
    const journal = await openJournal(options);
    for (let n = 0; n < 100; n++) journal.append(put(n));
    await journal.durable();
    await journal.close();
    const file = await readFile(options.path, 'latin1');
    expect(file.split('EJF2')).to.have.length(2);
    expect(await reread()).to.have.length(100);
  });

  it('lets a single writer wait for its own sync and for nothing else', async () => {
    const instant: JournalFile = {
      write: ((_bytes: Buffer, _offset: number, length: number) => Promise.resolve({ bytesWritten: length })) as never,
      datasync: () => Promise.resolve(),
      truncate: () => Promise.resolve(),
      close: () => Promise.resolve(),
    };
    const journal = await openJournal({ ...options, openFile: () => Promise.resolve(instant) });
    const times: number[] = [];
    for (let n = 0; n < 200; n++) {
      const startedAt = performance.now();
      journal.append(put(n));
      await journal.durable();
      times.push(performance.now() - startedAt);
    }
    // A timer that gathers writes would take a millisecond at least.
    expect(times.sort((a, b) => a - b)[100]).to.be.below(0.9);
  });

  it('keeps every write while it makes the file shorter', async () => {
    const state = new Map<unknown, Operation>();
    const journal = await openJournal({ ...options, compactAboveBytes: 20_000, snapshot: () => [...state.values()] });
    for (let n = 0; n < 3000; n++) {
      const operation = put(n % 50);
      state.set(n % 50, operation);
      journal.append(operation);
      if (n % 7 === 0) await journal.durable();
    }
    await journal.durable();
    await journal.close();
    expect((await stat(options.path)).size).to.be.below(200_000);
    const documents = await reread();
    expect(new Set(documents).size).to.equal(50);
    expect(documents.slice(-3)).to.deep.equal([47, 48, 49]);
  });

  it('keeps the answer of a retryable write when the rewritten file takes the place of its frame', async () => {
    const lsid = { id: new UUID() };
    const open = async (): Promise<ServerState> => {
      const storage = createStorage();
      const sessions: ServerState['sessions'] = new Map();
      storage.journal = await openJournal({
        ...options,
        compactAboveBytes: 0,
        apply: (operation) => replay(storage, sessions, operation),
        snapshot: () => snapshotOf(storage, sessions),
      });
      return { storage, sessions, cursors: createCursors(), address: '', failPoint: null, transactionSeconds: 60 };
    };
    for (let txnNumber = 1; txnNumber <= 5; txnNumber++) {
      const updates = [{ q: { _id: 1 }, u: { $inc: { n: 1 } }, upsert: true }];
      for (let attempt = 0; attempt < 2; attempt++) {
        const server = await open();
        expect(await dispatch(server, { update: 'c', updates, lsid, txnNumber, $db: 'db' })).to.include({
          n: 1,
          ok: 1,
        });
        const [record] = server.storage.collections.get('db.c')!.records;
        expect(record!.document).to.deep.equal({ _id: 1, n: txnNumber });
        await server.storage.journal.close();
      }
    }
  });

  it('refuses damage to what was acknowledged, wherever it is, and leaves the file as it is', async () => {
    const journal = await openJournal(options);
    for (let n = 0; n < 3; n++) {
      journal.append(put(n));
      await journal.durable();
    }
    await journal.close();
    const whole = await readFile(options.path);
    const lastFrame = whole.lastIndexOf('EJF2');
    for (let at = 28; at < lastFrame; at += 5) {
      const damaged = Buffer.from(whole);
      damaged[at]! ^= 0xff;
      await writeFile(options.path, damaged);
      expect(String(await reread().catch((error: unknown) => error))).to.match(/acknowledged data follows/);
      expect(await readFile(options.path)).to.deep.equal(damaged);
    }
  });

  describe('whose last frame is torn', () => {
    let whole: Buffer;
    let lastFrame: number;

    beforeEach(async () => {
      const journal = await openJournal(options);
      for (let n = 0; n < 4; n++) {
        journal.append(put(n));
        await journal.durable();
      }
      await journal.close();
      whole = await readFile(options.path);
      lastFrame = whole.lastIndexOf('EJF2');
    });

    it('keeps all frames before it, wherever it is cut', async () => {
      for (let length = lastFrame; length < whole.length; length++) {
        await writeFile(options.path, whole.subarray(0, length));
        expect(await reread(), `cut at byte ${length - lastFrame} of the frame`).to.deep.equal([0, 1, 2]);
        expect((await stat(options.path)).size).to.equal(lastFrame);
      }
    });

    // Pages of one write reach the disk in any order.
    const unwritten: [part: string, from: number, to: number][] = [
      ['the magic', 0, 4],
      ['the length', 4, 8],
      ['the checksum', 8, 12],
      ['the beginning of the body', 12, 60],
      ['the end of the body', 100, Infinity],
      ['everything', 0, Infinity],
    ];
    for (const [part, from, to] of unwritten) {
      it(`keeps all frames before it when ${part} was not written`, async () => {
        const torn = Buffer.from(whole);
        torn.fill(0, lastFrame + from, Math.min(torn.length, lastFrame + to));
        await writeFile(options.path, torn);
        expect(await reread()).to.deep.equal([0, 1, 2]);
      });
    }

    it('keeps a prefix of what was written, however much of the file is there', async () => {
      for (let length = 0; length < lastFrame; length += 37) {
        await writeFile(options.path, whole.subarray(0, length));
        const documents = await reread();
        expect(documents).to.deep.equal([0, 1, 2, 3].slice(0, documents.length));
      }
    });
  });

  it('does not rewrite at its first write what was rewritten before its end', async () => {
    const state = new Map<unknown, Operation>();
    const compacting = { ...options, compactAboveBytes: 5000, snapshot: () => [...state.values()] };
    const run = async (from: number, to: number, ids: number) => {
      const journal = await openJournal(compacting);
      for (let n = from; n < to; n++) {
        state.set(n % ids, put(n % ids));
        journal.append(put(n % ids));
        await journal.durable();
      }
      await journal.close();
      return (await stat(options.path)).ino;
    };
    const large = await run(0, 300, 300);
    expect((await stat(options.path)).size).to.be.greaterThan(20_000);
    expect(await run(300, 301, 300)).to.equal(large);
    // But what tells of the past for the most part is.
    state.clear();
    expect(await run(301, 302, 1)).to.not.equal(large);
  });

  it('starts from the old file when a rewrite was cut short', async () => {
    const journal = await openJournal(options);
    journal.append(put(1));
    await journal.durable();
    await journal.close();
    await writeFile(`${options.path}.new`, (await readFile(options.path)).subarray(0, 50));
    expect(await reread()).to.deep.equal([1]);
    expect(await stat(`${options.path}.new`).catch((error: NodeJS.ErrnoException) => error.code)).to.equal('ENOENT');
  });
});

function breakable(file: JournalFile, isBroken: () => boolean): JournalFile {
  return {
    write: file.write.bind(file),
    truncate: file.truncate.bind(file),
    close: file.close.bind(file),
    async datasync() {
      if (isBroken()) throw new Error('disk on fire');
      await file.datasync();
    },
  };
}
