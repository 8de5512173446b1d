import { expect } from 'chai';
import { closeApps, startApp } from '../../support/start-app.js';
import { seedWithTwoTenants } from '../../support/two-tenants.js';
import { routesByHand } from '../../isolation/verify.js';
import { endpoints, openStage } from '../endpoints.js';
import { ask } from './ask.js';

describe('the table of endpoints', function () {
  this.timeout(60_000);

  afterEach(closeApps);

  it('has a row for every route with every method that changes or shows something, and no other', async () => {
    const { app } = await startApp({ seed: seedWithTwoTenants });
    const routed = routesByHand(app).flatMap(({ path, methods, postable }) =>
      [...methods, ...(postable ? ['POST'] : [])]
        // HEAD and OPTIONS tell about a GET or POST that has its row
        .filter((method) => method !== 'HEAD' && method !== 'OPTIONS')
        .map((method) => `${method} ${path.startsWith('/assets/') ? '/assets/:style' : path}`),
    );
    expect(routed.length).to.be.greaterThan(20);
    const rows = new Set(endpoints.map(({ method, path }) => `${method} ${path}`));
    expect([...rows].sort()).to.deep.equal([...new Set(routed)].sort());
  });

  it('holds requests that succeed, so that the wrong ones made of them are wrong in one thing', async () => {
    const stage = await openStage(await startApp({ seed: seedWithTwoTenants }));
    for (const endpoint of endpoints) {
      const answer = await ask(stage, endpoint, await endpoint.request(stage));
      expect(answer.status, `${endpoint.method} ${endpoint.path} ${answer.text}`).to.be.oneOf([200, 201, 204, 303]);
      if (answer.status === 303) expect(answer.location, endpoint.path).not.to.contain('error=');
    }
  });
});
