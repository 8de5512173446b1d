import { expect } from 'chai';
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { Agent, request } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { contractSeed } from '../support/contract-seed.js';
import { openSignIn, type OpenPage } from '../http/requests.js';
import { quantile } from '../support/paired-times.js';
import { killServerProcesses, startServerProcess } from '../support/server-process.js';

const logins = 1000;
const people = 250; // four logins each at most, from as many addresses: fewer than any wait begins with
const password = 'one password for all of them';
const emailOf = (index: number): string => `person-${index % people}@example.com`;

interface Outcome {
  status: number;
  retryAfter: string | undefined;
  milliseconds: number;
}

describe('a flood of logins', () => {
  let directory: string;
  const agent = new Agent({ keepAlive: true, maxSockets: logins });
  before(() => {
    directory = mkdtempSync(join(tmpdir(), 'gatehouse-'));
  });
  after(() => {
    agent.destroy();
    killServerProcesses();
    rmSync(directory, { recursive: true });
  });

  function submit(issuer: string, { uid, csrf, visitor }: OpenPage, index: number): Promise<Outcome> {
    const startedAt = performance.now();
    const path = `/sign-in/${uid}/login`;
    const headers = {
      'Content-Type': 'application/x-www-form-urlencoded',
      Accept: 'text/html',
      Cookie: visitor.cookieHeader(path),
      'X-Forwarded-For': `198.51.${Math.floor(index / 250)}.${index % 250}`,
    };
    return new Promise((resolve, reject) => {
      const sent = request(new URL(path, issuer), { agent, method: 'POST', headers }, (answer) => {
        answer.resume();
        answer.on('end', () =>
          resolve({
            status: answer.statusCode ?? 0,
            retryAfter: answer.headers['retry-after'],
            milliseconds: performance.now() - startedAt,
          }),
        );
      });
      sent.on('error', reject);
      sent.end(new URLSearchParams({ csrf, login: emailOf(index), password }).toString());
    });
  }

  it('sec-052 of 1,000 at the same moment each is answered within ten seconds, and discovery goes on meanwhile', async () => {
    const seedFile = join(directory, 'seed.json');
    const users = Array.from({ length: people }, (_, index) => ({
      ...{ email: emailOf(index), emailVerified: true, password },
      memberships: [{ tenant: 'acme', roles: ['member'] }],
    }));
    writeFileSync(seedFile, JSON.stringify({ ...contractSeed, users }));
    const { issuer } = await startServerProcess({
      ...{ DATA_DIR: ':memory:', SEED_FILE: seedFile, TRUSTED_PROXIES: '1', LOG_LEVEL: 'error' },
    });
    const pages: OpenPage[] = [];
    while (pages.length < logins) {
      pages.push(...(await Promise.all(Array.from({ length: 20 }, () => openSignIn(issuer, { scope: 'openid' })))));
    }

    const probe = fork(fileURLToPath(new URL('./discovery-probe.ts', import.meta.url)), [issuer], {
      execArgv: ['--import', 'tsx'],
    });
    await once(probe, 'message');
    const outcomes = await Promise.all(pages.map((page, index) => submit(issuer, page, index)));
    probe.send('stop');
    const [latencies] = (await once(probe, 'message')) as [number[]];

    const counted: Record<number, number> = {};
    for (const { status } of outcomes) counted[status] = (counted[status] ?? 0) + 1;
    const slowest = Math.max(...outcomes.map(({ milliseconds }) => milliseconds));
    console.log(`      ${JSON.stringify(counted)}, slowest ${slowest.toFixed(0)} ms`);
    console.log(`      discovery: ${latencies.length} probes, p99 ${quantile(latencies, 0.99).toFixed(0)} ms`);
    for (const { status, retryAfter } of outcomes) {
      expect(status).to.be.oneOf([303, 503]);
      if (status === 503) expect(retryAfter).to.match(/^\d+$/);
    }
    expect(counted[303], 'a full queue is worked off').to.be.at.least(200);
    expect(counted[503], 'and what does not fit is told so').to.be.greaterThan(0);
    expect(slowest).to.be.lessThan(10_000);
    expect(quantile(latencies, 0.99)).to.be.lessThan(250);
  });
});
