import { expect } from 'chai';
import { closeApps, startApp } from '../../support/start-app.js';
import { seedWithTwoTenants } from '../../support/two-tenants.js';
import { endpoints, openStage, stylePath } from '../endpoints.js';
import { ask } from './ask.js';

describe('the table of endpoints', function () {
  this.timeout(30_000);

  afterEach(closeApps);

  it('has a row for every route with every method that changes or shows something, and no other', async () => {
    const running = await startApp({ seed: seedWithTwoTenants });
    const style = stylePath(running);
    const routed = running.app.routes.flatMap(({ path, methods, postable }) =>
      [...methods, ...(postable ? ['POST'] : [])]
        // HEAD and OPTIONS tell about a GET or POST that has its row
        .filter((method) => method !== 'HEAD' && method !== 'OPTIONS')
        .map((method) => `${method} ${path === style ? '/assets/:style' : path}`),
    );
    expect(routed.length).to.be.greaterThan(20);
    expect([...new Set(endpoints.map(({ method, path }) => `${method} ${path}`))].sort()).to.deep.equal(routed.sort());
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
