import { execFileSync } from 'node:child_process';
import { mkdtemp, readFile, readdir, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect } from 'chai';
import {
  openEmbeddedDatabase,
  type EmbeddedDatabase,
} from '../../src/platform/mongo/embedded/open-embedded-database.js';
import { isDatabaseUnavailable } from '../../src/platform/mongo/transactions.js';
import { requireTool } from '../support/tools.js';
import { connectTo, realServerUri, type MongoClient, type Row } from './embedded-support.js';

if (realServerUri === undefined) describe('embedded database: a disk that fails', diskFailure);

function diskFailure(): void {
  let directory: string;
  let database: EmbeddedDatabase;
  let client: MongoClient;
  let reportExit: (reason: string) => void;
  let exited: Promise<string>;

  beforeEach(async () => {
    directory = await mkdtemp(join(tmpdir(), 'embedded-disk-'));
    process.env['NODE_OPTIONS'] = `--require ${fileURLToPath(new URL('../support/failing-sync.cjs', import.meta.url))}`;
    process.env['BROKEN_DISK'] = join(directory, 'broken');
    await open();
  });
  afterEach(async () => {
    delete process.env['NODE_OPTIONS'];
    delete process.env['BROKEN_DISK'];
    await close();
    await rm(directory, { recursive: true, force: true });
  });

  async function open(): Promise<void> {
    exited = new Promise((resolve) => (reportExit = resolve));
    database = await openEmbeddedDatabase({
      directory: join(directory, 'data'),
      onExit: (reason) => reportExit(reason),
    });
    client = await connectTo(database.uri, { serverSelectionTimeoutMS: 300 });
  }

  async function close(): Promise<void> {
    await client.close();
    await database.close();
  }

  const rows = () => client.db('test').collection<Row>('rows');
  const ids = async () => (await rows().find().sort({ _id: 1 }).toArray()).map(({ _id }) => Number(_id));

  /** Inserts, all at once; the ids of those that were acknowledged, and how the others failed. */
  async function insert(from: number, count: number): Promise<{ acknowledged: number[]; failures: unknown[] }> {
    const acknowledged: number[] = [];
    const failures: unknown[] = [];
    const work = Array.from({ length: count }, async (_, i) => {
      await rows().insertOne({ _id: from + i, text: 'x'.repeat(200) });
      acknowledged.push(from + i);
    });
    for (const result of await Promise.allSettled(work)) if (result.status === 'rejected') failures.push(result.reason);
    return { acknowledged: acknowledged.sort((a, b) => a - b), failures };
  }

  /**
   * Those that were refused: a refusal would be an answer, and what became of these is unknown. A socket that breaks
   * while it writes is handed on bare by the driver (`openDatabase` names it), so it stands beside the named ones.
   */
  function answered(failures: unknown[]): unknown[] {
    const broken = /\b(ECONNRESET|EPIPE)\b/;
    return failures.filter((failure) => !isDatabaseUnavailable(failure) && !broken.test(String(failure)));
  }

  it('acknowledges nothing any more after a failed sync, and says why it ends', async () => {
    const before = await insert(0, 50);
    expect(before.acknowledged).to.have.length(50);
    await writeFile(process.env['BROKEN_DISK']!, '');
    const after = await insert(100, 20);
    expect(after.acknowledged).to.deep.equal([]);
    expect(answered(after.failures)).to.deep.equal([]);
    expect(await exited).to.match(/journal cannot be written: EIO: i\/o error, fdatasync/);

    await close();
    await rm(process.env['BROKEN_DISK']!);
    await open();
    expect(await ids()).to.include.members(before.acknowledged);
  });

  it('does not start where it cannot sync', async () => {
    await close();
    await writeFile(process.env['BROKEN_DISK']!, '');
    expect(String(await open().catch((error: unknown) => error))).to.match(/did not start: EIO/);
  });

  it('keeps what it acknowledged when a file can grow no more, and says why it ends', async function () {
    const prlimit = requireTool('prlimit');
    if (prlimit === undefined) return this.skip();
    const before = await insert(0, 50);
    const data = join(directory, 'data');
    const ownerName = (await readdir(data)).find((name) => name.startsWith('owner.'))!;
    const { pid } = JSON.parse(await readFile(join(data, ownerName), 'utf8')) as { pid: number };
    const limit = (await stat(join(data, 'journal'))).size + 1000;
    execFileSync(prlimit, [`--fsize=${limit}`, `--pid=${pid}`]);
    const after = await insert(100, 50);
    expect(after.failures).to.have.length.greaterThan(0);
    expect(answered(after.failures)).to.deep.equal([]);
    expect(await exited).to.match(/journal cannot be written: EFBIG/);
    // The write that failed has left the beginning of its frame.
    expect((await stat(join(data, 'journal'))).size).to.equal(limit);

    await close();
    await open();
    expect(await ids()).to.deep.equal([...before.acknowledged, ...after.acknowledged]);
    expect((await insert(200, 10)).acknowledged).to.have.length(10);
  });
}
