import { expect } from 'chai';
import { setTimeout as delay } from 'node:timers/promises';
import { browser } from '../support/browser.js';
import { ada } from '../support/contract-seed.js';
import { startCluster, type Cluster } from '../support/cluster.js';
import { startLoad, type Load } from '../support/load.js';
import { expectEverybodyIsSignedIn, expectNothingIssuedTwice, reportLoad } from '../support/load-checks.js';
import { buildServer, builtServer } from '../support/server-process.js';
import { authorizeUrl, redeem } from '../http/requests.js';

const rates = { login: 6, refresh: 9, service: 9 };

describe('faults of processes, under load', function () {
  this.timeout(300_000);
  let cluster: Cluster;
  let load: Load | undefined;

  before(buildServer);
  beforeEach(async () => {
    cluster = await startCluster({ command: builtServer });
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
    reportLoad('F1', result.outcomes);

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
