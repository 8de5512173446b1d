import { closeApps, startApp } from '../support/start-app.js';
import { describeSingleUse, singleUseSeed, type OpenedPair } from './single-use.js';

/** Two applications in this process; `test/long/single-use.test.ts` runs the same over two processes, 50 rounds each. */
describe('single use, over two servers', function () {
  this.timeout(60_000);
  let opened: OpenedPair;

  before(async () => {
    const { seed, key } = await singleUseSeed();
    const first = await startApp({ seed });
    const second = await startApp({ sharedWith: first });
    const { issuer, databaseUri } = first;
    opened = {
      key,
      pair: { issuer, databaseUri, ports: [first.port, second.port] },
      forgetConsents: () => first.database.collection('consents').deleteMany({}),
    };
  });
  after(closeApps);

  describeSingleUse({ uses: 2, endings: 4 }, () => opened);
});
