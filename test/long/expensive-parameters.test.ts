import { expect } from 'chai';
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { endpoints, type Endpoint, type EndpointRequest, type Stage } from '../http/endpoints.js';
import { tokensOf } from '../http/requests.js';
import { sendRequest } from '../http/hostile/raw.js';
import { eventually } from '../support/eventually.js';
import { residentBytes } from '../support/resident-bytes.js';
import { quantile } from '../support/paired-times.js';
import { killServerProcesses, startServerProcess, type ServerProcess } from '../support/server-process.js';
import { seedWithTwoTenants } from '../support/two-tenants.js';

const kibibyte = 1024;
const sizes = [1, 4, 8, 15, 16, 17, 55, 64, 256, 1024].map((size) => size * kibibyte);
const baselineMs = 5000;
const attackMs = 20_000;
/** Below this the difference of two 99th percentiles is noise of the machine. */
const harmlessMs = 25;
const senders = 2;

/** What is dear to read, to split, to compare or to decode, for one parser or another. */
const fillings = ['x', ' ', 'a b ', '.', '%25', '[', '{"a":', '\u00e9', 'https://a.example/'];

/** What a right request to these takes is made within the process of the server; here they are asked without it. */
const madeInServer =
  /^\/(account|connections|invitations|logos|recover|sign-up|verify-email|change-email|undo-email-change)|^\/sign-in\/:uid\/(connection|invitation|organisation|passkey|profile|second-factor|sign-up|terms)/;

function bare({ path }: Endpoint): EndpointRequest {
  return { path: path.replaceAll(/:\w+/g, 'x'.repeat(43)), parameters: { csrf: 'x', code: 'x' }, headers: {} };
}

interface Shot {
  endpoint: Endpoint;
  right: EndpointRequest;
  name: string;
  /** Of a header instead of a parameter. */
  isHeader: boolean;
}

describe('sec-051 expensive parameters', function () {
  this.timeout(180_000);
  let directory: string;
  let server: ServerProcess;
  before(async () => {
    directory = mkdtempSync(join(tmpdir(), 'gatehouse-'));
    const seedFile = join(directory, 'seed.json');
    writeFileSync(seedFile, JSON.stringify(seedWithTwoTenants));
    server = await startServerProcess({ DATA_DIR: ':memory:', SEED_FILE: seedFile, LOG_LEVEL: 'error' });
  });
  after(() => {
    killServerProcesses();
    rmSync(directory, { recursive: true });
  });

  const residentMib = (): number => residentBytes(server.pid) / kibibyte ** 2;

  /** Milliseconds that a healthy client waits while this goes on. */
  async function probedWhile(work: () => Promise<unknown>): Promise<number[]> {
    const probe = fork(fileURLToPath(new URL('./discovery-probe.ts', import.meta.url)), [server.issuer], {
      execArgv: ['--import', 'tsx'],
    });
    await once(probe, 'message');
    await work();
    probe.send('stop');
    const [latencies] = (await once(probe, 'message')) as [number[]];
    return latencies;
  }

  async function shots(stage: Stage): Promise<Shot[]> {
    const all: Shot[] = [];
    for (const endpoint of endpoints) {
      if (endpoint.path.startsWith('/assets/')) continue;
      const right = madeInServer.test(endpoint.path) ? bare(endpoint) : await endpoint.request(stage);
      const shot = { endpoint, right };
      for (const name of [...Object.keys(right.parameters), 'unheard_of']) all.push({ ...shot, name, isHeader: false });
      for (const name of ['Authorization', 'Cookie', 'DPoP', 'Accept', 'Referer']) {
        all.push({ ...shot, name, isHeader: true });
      }
    }
    return all;
  }

  /** The status, or `closed` where the server closed the connection before all was sent. Encoded once: that is our cost. */
  async function fire({ endpoint: { method }, right, name, isHeader }: Shot, encoded: string): Promise<string> {
    const { host, port } = new URL(server.issuer);
    const others = Object.entries(right.parameters).filter(([other]) => isHeader || other !== name);
    const members = new URLSearchParams(others).toString() + (isHeader ? '' : `&${name}=${encoded}`);
    const headers = Object.entries({ ...right.headers, ...(isHeader ? { [name]: encoded } : {}) });
    const answer = await sendRequest(Number(port), {
      ...{ host, method, headers: headers.map((header) => header.join(': ')) },
      ...(method === 'GET' ? { target: `${right.path}?${members}` } : { target: right.path, body: members }),
    });
    return Number.isNaN(answer.status) ? 'closed' : String(answer.status);
  }

  it('sec-051 of 1 KiB to 1 MiB slow nobody else down, and leave no memory behind', async () => {
    const { issuer } = server;
    const stage = { issuer, tokens: await tokensOf(issuer, { scope: 'openid offline_access' }) } as unknown as Stage;
    const all = await shots(stage);
    for (const shot of all) await fire(shot, 'x'.repeat(kibibyte)); // what is compiled and cached once, is now
    await delay(1000);
    const before = residentMib();
    const baseline = await probedWhile(() => delay(baselineMs));

    const encodedBySize = sizes.map((size) =>
      fillings.map((filling) => encodeURIComponent(filling).repeat(size).slice(0, size)),
    );
    const statuses: Record<string, number> = {};
    const endsAt = performance.now() + attackMs;
    let fired = 0;
    const attack = async (): Promise<void> => {
      while (performance.now() < endsAt) {
        const round = fired++;
        const shot = all[round % all.length];
        const values = encodedBySize[(round + Math.floor(round / all.length)) % encodedBySize.length] ?? [];
        if (!shot) return;
        const status = await fire(shot, values[round % values.length] ?? '');
        statuses[status] = (statuses[status] ?? 0) + 1;
      }
    };
    const attacked = await probedWhile(() => Promise.all(Array.from({ length: senders }, attack)));
    const peak = residentMib();
    const mostMib = before * 1.1;
    const p99 = { baseline: quantile(baseline, 0.99), attacked: quantile(attacked, 0.99) };
    console.log(`      ${fired} requests ${JSON.stringify(statuses)}`);
    console.log(`      p99 ${p99.baseline.toFixed(1)} ms, meanwhile ${p99.attacked.toFixed(1)} ms`);
    console.log(`      ${before.toFixed(0)} MiB before, ${peak.toFixed(0)} at the end`);
    expect(fired).to.be.greaterThan(500);
    expect(Object.keys(statuses).filter((status) => status.startsWith('5'))).to.deep.equal([]);
    expect(p99.attacked).to.be.at.most(Math.max(2 * p99.baseline, p99.baseline + harmlessMs));
    await eventually(() => expect(residentMib()).to.be.at.most(mostMib));
  });
});
