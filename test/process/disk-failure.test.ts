import { expect } from 'chai';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { browser } from '../support/browser.js';
import { relyingParty } from '../support/relying-party.js';
import { killServerProcesses, startServerProcess } from '../support/server-process.js';

describe('the server process on a disk that fails', function () {
  this.timeout(120_000);
  let directory: string;

  beforeEach(() => {
    directory = mkdtempSync(join(tmpdir(), 'gatehouse-'));
  });
  afterEach(() => {
    killServerProcesses();
    rmSync(directory, { recursive: true, force: true });
  });

  it('does not begin what it could not store, says what happened, and ends with 1', async () => {
    const brokenDisk = join(directory, 'broken');
    const server = await startServerProcess({
      DATA_DIR: directory,
      NODE_OPTIONS: `--require ${fileURLToPath(new URL('../support/failing-sync.cjs', import.meta.url))}`,
      BROKEN_DISK: brokenDisk,
    });
    const party = await relyingParty(server.issuer, 'demo', null);
    const begin = async () => browser(server.issuer).get((await party.begin()).url);
    expect((await begin()).status).to.equal(200);
    writeFileSync(brokenDisk, '');
    for (const { url } of await Promise.all([begin(), begin(), begin()])) {
      // An authorization response cannot be a 503 (RFC 6749, section 4.1.2.1).
      expect(new URL(url).searchParams.get('error')).to.equal('temporarily_unavailable');
    }
    expect(await server.exited).to.equal(1);
    expect(server.output())
      .to.contain('the embedded database is gone')
      .and.to.contain('the journal cannot be written: EIO: i/o error, fdatasync');

    rmSync(brokenDisk);
    const again = await startServerProcess({ DATA_DIR: directory });
    expect((await fetch(`${again.issuer}/health/ready`)).status).to.equal(200);
    expect(await again.stop()).to.equal(0);
  });

  it('does not start with data that is damaged, and says so in one line', async () => {
    const first = await startServerProcess({ DATA_DIR: directory });
    expect(await first.stop()).to.equal(0);
    const path = join(directory, 'database', 'journal');
    const journal = readFileSync(path);
    journal[1000]! ^= 1;
    writeFileSync(path, journal);
    const second = await startServerProcess({ DATA_DIR: directory });
    expect(await second.exited).to.equal(1);
    expect(second.output())
      .to.match(/The embedded database did not start: .*journal cannot be used: it is damaged at byte \d+, and acknow/)
      .and.not.to.contain('    at ');
    expect(readFileSync(path)).to.deep.equal(journal);
  });
});
