import type { ClientKey } from '../support/client-keys.js';
import type { ServerPair } from '../support/server-pair.js';
import { closeApps, startApp } from '../support/start-app.js';
import { describeSingleUse, singleUseSeed } from './single-use.js';

/** Two applications in this process; `test/long/single-use.test.ts` runs the same over two processes, 50 rounds each. */
describe('single use, over two servers', function () {
  this.timeout(60_000);
  const opened = {} as { pair: ServerPair; key: ClientKey };

  before(async () => {
    const { seed, key } = await singleUseSeed();
    const first = await startApp({ seed });
    const second = await startApp({ sharedWith: first });
    const { issuer, databaseUri } = first;
    Object.assign(opened, { key, pair: { issuer, databaseUri, ports: [first.port, second.port] } });
  });
  after(closeApps);

  describeSingleUse({ uses: 2, endings: 4 }, () => opened);
});
