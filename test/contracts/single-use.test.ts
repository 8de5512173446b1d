import { closeApps, startApp, type RunningApp } from '../support/start-app.js';
import { accountSeed, describeAccountSingleUse, type OpenedAccounts } from './single-use-account.js';
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

describe('single use of what people have, over two servers', function () {
  this.timeout(60_000);
  const rounds = 1;
  let opened: OpenedAccounts;
  let first: RunningApp;

  before(async () => {
    first = await startApp({ seed: accountSeed(rounds) });
    const second = await startApp({ sharedWith: first });
    const { issuer, databaseUri, mailbox } = first;
    opened = {
      pair: { issuer, databaseUri, ports: [first.port, second.port] },
      async mailTo(address, text) {
        await first.deliverMail();
        return mailbox.findLast((mail) => mail.to === address && text.test(mail.text))?.text ?? '';
      },
    };
  });
  after(closeApps);

  describeAccountSingleUse(rounds, () => opened);
});
