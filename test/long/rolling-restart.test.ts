import { expect } from 'chai';
import { setTimeout as delay } from 'node:timers/promises';
import { send } from '../http/requests.js';
import { startCluster, type Cluster, type ClusterNode } from '../support/cluster.js';
import { eventually } from '../support/eventually.js';
import { percentile, startLoad, type Kind, type Load } from '../support/load.js';
import { expectEverybodyIsSignedIn, expectIssuedAsAnswered, reportLoad, timesOf } from '../support/load-checks.js';
import { buildServer, builtServer } from '../support/server-process.js';

const rounds = 5;
const fewestFlows = 3000;
/** Whole sign-ins with a password, refreshes, authorizations with `prompt=none`, and tokens for a service. */
const rates: Record<Kind, number> = { login: 4, refresh: 6, silent: 4, service: 6 };
const warmUpMs = 5000;
const quietMs = 30_000;
/**
 * What is usual is measured while a process starts and stops beside the nodes as often as one of them does later: on one
 * machine with clients and database its start takes CPU time from all, and that is not what a restart does to requests.
 */
const usualStarts = 4;
const betweenRestartsMs = 13_000;
/** The second of notice, then what is left of the longest request; nobody here asks for the whole 25 s. */
const stopsWithinMs = 10_000;

describe('a rolling restart under load', function () {
  this.timeout(600_000);
  let cluster: Cluster;
  let load: Load | undefined;

  before(async () => {
    buildServer();
    cluster = await startCluster({ command: builtServer });
  });
  after(async () => {
    await load?.stop();
    await cluster.close();
  });

  async function restart(node: ClusterNode): Promise<number> {
    const startedAt = performance.now();
    const code = await node.process.stop('SIGTERM');
    const stoppedMs = performance.now() - startedAt;
    expect(code, node.process.output()).to.equal(0);
    await node.start();
    await eventually(async () => expect((await send(`${node.origin}/health/ready`)).status).to.equal(200));
    return stoppedMs;
  }

  it(`F3 of ${rounds} rounds over all nodes nobody notices anything: no request fails, no session is lost, p99 is below twice the usual`, async () => {
    load = startLoad(cluster.issuer, rates);
    await delay(warmUpMs);
    const quietFrom = performance.now();
    await delay(quietMs);
    const usualFrom = performance.now();
    for (let start = 0; start < usualStarts; start++) {
      const spare = await cluster.startSpare();
      await spare.stop('SIGTERM');
      await delay(betweenRestartsMs);
    }
    const restartsFrom = performance.now();
    const stopped: number[] = [];
    for (let round = 0; round < rounds; round++) {
      for (const node of cluster.nodes) {
        stopped.push(await restart(node));
        await delay(betweenRestartsMs);
      }
    }
    const result = await load.stop();
    const between = (from: number, to: number) =>
      result.outcomes.filter(({ startedAt, endedAt }) => startedAt >= from && endedAt < to);
    const usual = between(usualFrom, restartsFrom);
    const meanwhile = result.outcomes.filter(({ endedAt }) => endedAt >= restartsFrom);
    reportLoad('nothing beside it', between(quietFrom, usualFrom));
    reportLoad('starts beside it', usual);
    reportLoad('restarts', meanwhile);
    console.log(`      stopped after ${stopped.map((each) => each.toFixed(0)).join(', ')} ms`);

    expect(meanwhile.length).to.be.at.least(fewestFlows);
    expect(result.outcomes.filter(({ firstFailure }) => firstFailure)).to.deep.equal([]);
    expect(result.renewed).to.equal(0);
    expect(Math.max(...stopped)).to.be.lessThan(stopsWithinMs);
    await expectIssuedAsAnswered(cluster.databaseUri, result);
    await expectEverybodyIsSignedIn(cluster.issuer, result);
    for (const kind of Object.keys(rates) as Kind[]) {
      const [before, during] = [usual, meanwhile].map((each) => percentile(timesOf(each, kind), 0.99));
      expect(during, `p99 of ${kind}`).to.be.lessThan(2 * (before ?? 0));
    }
  });
});
