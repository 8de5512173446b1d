// A thing of another tenant is answered like one that does not exist, in every operation and every part of its path.
import { expect } from 'chai';
import { closeApps } from '../support/start-app.js';
import { foreignAskings, foreignFindings } from './foreign-findings.js';
import { apiOfService, newGround, openStage, type ManagementStage } from './ground.js';

/** As they would stand in an address. */
const noIds = ['..', '%2e%2e', '%00', '%F0%9F%92%A9', '%7B%22$ne%22:null%7D', 'x'.repeat(300), '%20', '[$ne]'];

describe('things of another tenant in the management API', function () {
  this.timeout(60_000);
  let stage: ManagementStage;
  beforeEach(async () => {
    stage = await openStage();
  });
  afterEach(closeApps);

  it('sec-012 are answered as those that do not exist, and nothing of them changes', async () => {
    const wrong: string[] = [];
    let count = 0;
    for await (const { title, faults } of foreignFindings(stage)) {
      count++;
      wrong.push(...faults.map((fault) => `${title}: ${fault}`));
    }
    expect(count).to.be.greaterThan(60);
    expect(wrong).to.deep.equal([]);
  });

  it('sec-012 what stands in a path and is no id names nothing, whatever it holds', async () => {
    const home = await newGround(stage);
    const owner = await apiOfService(home, ['owner']);
    const wrong: string[] = [];
    for (const { route, name, example } of await foreignAskings(stage, home, await newGround(stage))) {
      const isOfOperators = route.permission.startsWith('platform:') && name !== 'tenantId';
      if (route.method !== 'GET' || isOfOperators) continue;
      const query = new URLSearchParams(example.query).toString();
      for (const id of noIds) {
        const path = route.path.replace(/:(\w+)/g, (_, each: string) =>
          each === name ? id : encodeURIComponent(example.params[each] ?? ''),
        );
        const { status, text } = await owner.call('GET', `${path}?${query}`);
        if (status !== 404 && status !== 400) wrong.push(`${route.operationId} ${name} ${id}: ${status} ${text}`);
      }
    }
    expect(wrong).to.deep.equal([]);
    expect(stage.running.logLines.filter((line) => line.includes('request failed'))).to.deep.equal([]);
  });
});
