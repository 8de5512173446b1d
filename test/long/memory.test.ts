import { expect } from 'chai';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { benchSeeds } from '../bench/bench-seed.js';
import { run, sender, type MeasuredServer } from '../bench/load.js';
import { scenarios } from '../bench/scenarios.js';
import { mostResidentBytes, residentBytes } from '../support/resident-bytes.js';
import { buildServer, builtServer, killServerProcesses, startServerProcess } from '../support/server-process.js';

const mebibyte = 2 ** 20;

/** What is sent in each of ten rounds: a hundred thousand requests in all. */
const perRound = { 'client_credentials ES256': 6000, introspection: 2000, userinfo: 1900, refresh: 100 };

describe('memory', function () {
  this.timeout(900_000);
  let directory: string;
  before(() => {
    buildServer();
    directory = mkdtempSync(join(tmpdir(), 'gatehouse-'));
  });
  afterEach(killServerProcesses);
  after(() => rmSync(directory, { recursive: true }));

  /** What `npm start` runs. */
  async function start(): Promise<MeasuredServer & { pid: number }> {
    const seedFile = join(directory, 'seed.json');
    writeFileSync(seedFile, JSON.stringify(benchSeeds()[0]));
    const { issuer, pid, stop } = await startServerProcess(
      { DATA_DIR: ':memory:', SEED_FILE: seedFile },
      undefined,
      builtServer,
    );
    const { send, close } = sender(issuer);
    return {
      ...{ name: 'ours', issuer, send, pid },
      usage: async () => ({ cpuMicroseconds: 0, rssBytes: residentBytes(pid) }),
      stop() {
        close();
        void stop();
      },
    };
  }

  it('stays under 200 MiB over 100,000 requests, and does not grow', async () => {
    const server = await start();
    const resident: number[] = [];
    for (let round = 0; round < 10; round++) {
      for (const [name, count] of Object.entries(perRound)) {
        const scenario = scenarios.find((one) => one.name === name);
        if (!scenario) throw new Error(`no scenario ${name}`);
        await run(server, await scenario.calls(server, count), 8);
      }
      resident.push((await server.usage()).rssBytes / mebibyte);
    }
    const most = mostResidentBytes(server.pid) / mebibyte;
    server.stop();
    const sizes = resident.map((size) => size.toFixed(0)).join(' ');
    console.log(`      MiB after each 10,000: ${sizes}; at most ${most.toFixed(0)}`);
    expect(most).to.be.below(200);
    const [first, last] = [resident.slice(1, 4), resident.slice(-3)].map((sizes) => Math.min(...sizes));
    expect(last).to.be.below((first ?? 0) * 1.1);
  });
});
