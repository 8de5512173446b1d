import { expect } from 'chai';
import { ciKey, projectsApi, webSecret } from '../support/contract-seed.js';
import { percentile } from '../support/load.js';
import { closeApps, startApp, type RunningApp } from '../support/start-app.js';
import { post, refreshing, tokensOf, type TokenSet } from '../http/requests.js';

const many = 100_000;
const blocks = 60;
const perBlock = 20;

describe('many memberships', function () {
  this.timeout(600_000);
  afterEach(closeApps);

  async function fill({ database }: RunningApp): Promise<void> {
    const memberships = database.collection<{ _id: string }>('memberships');
    const acme = (await memberships.findOne({})) as unknown as { tenantId: string };
    for (let first = 0; first < many; first += 1000) {
      const numbers = Array.from({ length: 1000 }, (_, index) => first + index);
      await memberships.insertMany(
        numbers.map((number) => ({
          _id: `mem_${number}`,
          tenantId: number % 2 === 0 ? acme.tenantId : `ten_${number % 500}`,
          userId: `usr_${number}`,
          roles: ['member'],
          createdAt: new Date(),
          pickedAt: null,
        })),
      );
    }
    expect(await memberships.countDocuments()).to.be.greaterThan(many);
  }

  async function flowsOf(running: RunningApp): Promise<Record<string, () => Promise<void>>> {
    let newest: TokenSet = await tokensOf(running.issuer, { scope: 'openid offline_access projects:read' });
    const web: [string, string] = ['web', webSecret];
    return {
      async service() {
        const ask = { grant_type: 'client_credentials', resource: projectsApi };
        expect((await post(running.issuer, 'token', ask, ['acme-ci', ciKey])).status).to.equal(200);
      },
      async refresh() {
        newest = (await post(running.issuer, 'token', refreshing(newest), web)).json as unknown as TokenSet;
        expect(newest.access_token).to.be.a('string');
      },
    };
  }

  it(`of ${many} change the median of a token by less than a tenth`, async () => {
    const [full, empty] = [await startApp(), await startApp()];
    await fill(full);
    const flows = { full: await flowsOf(full), empty: await flowsOf(empty) };
    for (const name of ['service', 'refresh']) {
      const times: Record<'full' | 'empty', number[]> = { full: [], empty: [] };
      for (let block = 0; block < blocks; block++) {
        const order = block % 2 === 0 ? (['full', 'empty'] as const) : (['empty', 'full'] as const);
        for (const which of order) {
          for (let count = 0; count < perBlock; count++) {
            const startedAt = performance.now();
            await flows[which][name]!();
            times[which].push(performance.now() - startedAt);
          }
        }
      }
      const [with100k, without] = [percentile(times.full, 0.5), percentile(times.empty, 0.5)];
      console.log(`      ${name}: p50 ${with100k.toFixed(2)} ms with ${many}, ${without.toFixed(2)} ms without`);
      expect(with100k / without, name).to.be.lessThan(1.1);
    }
  });
});
