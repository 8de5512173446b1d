import { expect } from 'chai';
import mongoose from 'mongoose';
import { setTimeout as delay } from 'node:timers/promises';
import { browser } from '../support/browser.js';
import { ada, webSecret } from '../support/contract-seed.js';
import { startCluster, type Cluster } from '../support/cluster.js';
import { percentile, startLoad, type Kind, type Load, type LoadResult } from '../support/load.js';
import { authorizeUrl, post, redeem, refreshing } from '../http/requests.js';

const rates: Record<Kind, number> = { login: 8, refresh: 8, service: 8 };

describe('faults of processes, under load', function () {
  this.timeout(300_000);
  let cluster: Cluster;
  let load: Load | undefined;

  beforeEach(async () => {
    cluster = await startCluster();
  });
  afterEach(async () => {
    await load?.stop();
    load = undefined;
    await cluster.close();
  });

  it('F1 kill -9 of one of two processes loses no sign-in and issues nothing twice', async () => {
    load = startLoad(cluster.issuer, rates);
    const kills: number[] = [];
    for (let round = 0; round < 4; round++) {
      await delay(4000);
      const node = cluster.nodes[round % 2]!;
      kills.push(performance.now());
      await node.process.stop('SIGKILL');
      await delay(3000);
      await node.start();
    }
    await delay(3000);
    const result = await load.stop();
    report('F1', result);

    expect(result.outcomes.filter(({ lost }) => lost)).to.deep.equal([]);
    const failures = result.outcomes.filter(({ firstFailure }) => firstFailure);
    expect(failures.length).to.be.at.most(result.outcomes.length * 0.01);
    for (const { endedAt, startedAt } of failures) {
      const killedAt = kills.findLast((each) => each < endedAt) ?? 0;
      expect(startedAt - killedAt).to.be.lessThan(2000);
    }
    await expectNothingIssuedTwice(cluster.databaseUri);
    await expectEverybodyIsSignedIn(cluster.issuer, result);
  });

  it('F1 a sign-in that was begun on a process that is killed goes on at the other one', async () => {
    for (const node of cluster.nodes) {
      const other = cluster.nodes.find((each) => each !== node)!;
      await other.process.stop('SIGKILL'); // so that it begins on this one
      const visitor = browser(cluster.issuer);
      const page = await visitor.get(authorizeUrl(cluster.issuer));
      await other.start();
      await node.process.stop('SIGKILL');
      const submit = () => visitor.submit(page, { login: ada.email, password: ada.password });
      const end = await submit().catch(() => delay(250).then(submit)); // a connection of the dead process may be tried first
      const code = new URL(end.url).searchParams.get('code') ?? '';
      expect((await redeem(cluster.issuer, code)).status, end.url).to.equal(200);
      await node.start();
    }
  });
});

function report(name: string, { outcomes, renewed }: LoadResult): void {
  const failures = outcomes.filter(({ firstFailure }) => firstFailure);
  const byKind = (['login', 'refresh', 'service'] as const).map((kind) => {
    const own = outcomes.filter((outcome) => outcome.kind === kind);
    const times = own.map(({ startedAt, endedAt }) => endedAt - startedAt);
    return `${own.length} ${kind} (p50 ${percentile(times, 0.5).toFixed(0)} ms, p99 ${percentile(times, 0.99).toFixed(0)} ms)`;
  });
  console.log(`      ${name}: ${byKind.join(', ')}; ${failures.length} failed first, ${renewed} renewed`);
  for (const { kind, firstFailure, lost } of failures)
    console.log(`        ${kind}: ${firstFailure} → ${lost ?? 'ok'}`);
}

/** Every code and refresh token that was used up gave at most one refresh token; and of each family one is left at most. */
async function expectNothingIssuedTwice(databaseUri: string): Promise<void> {
  const connection = await mongoose.createConnection(databaseUri).asPromise();
  try {
    const read = (name: string) =>
      connection.db!.collection<{ _id: string; grantId: string; consumed?: number }>(name).find().toArray();
    const codes = await read('oidc_authorization_codes');
    const tokens = await read('oidc_refresh_tokens');
    const count = (rows: { grantId: string; consumed?: number }[], grantId: string) =>
      rows.filter((row) => row.grantId === grantId && row.consumed !== undefined).length;
    for (const grantId of new Set(tokens.map((row) => row.grantId))) {
      const issued = tokens.filter((row) => row.grantId === grantId).length;
      expect(issued, grantId).to.be.at.most(count(codes, grantId) + count(tokens, grantId));
    }
  } finally {
    await connection.close();
  }
}

/** The newest refresh token of each works, and so does the session of each browser. */
async function expectEverybodyIsSignedIn(issuer: string, { people }: LoadResult): Promise<void> {
  expect(people).not.to.have.length(0);
  for (const { visitor, tokens } of people) {
    const refreshed = await post(issuer, 'token', refreshing(tokens), ['web', webSecret]);
    expect(refreshed.status, refreshed.text).to.equal(200);
    const silent = await visitor.get(authorizeUrl(issuer, { prompt: 'none' }));
    expect(silent.url).to.contain('code=');
  }
}
