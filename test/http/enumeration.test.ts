import { expect } from 'chai';
import { policy, type Policy } from '../../config/policy.js';
import type { Page } from '../support/browser.js';
import { ada } from '../support/contract-seed.js';
import { pairedTimes, quantile } from '../support/paired-times.js';
import { closeApps, startApp, type RunningApp } from '../support/start-app.js';
import { openSignIn, submitByHand, type OpenPage } from './requests.js';

const known = ada.email;
const unknown = 'eve@example.com'; // as long as the other, so that even the length of the page may not differ
const { source, account } = policy.signInAttempts;

const withTries = (tries: number): Policy => ({
  ...policy,
  signInAttempts: {
    ...policy.signInAttempts,
    source: { ...source, tries },
    account: { ...account, tries },
    consecutive: 1e6,
    consecutiveOfStrangers: 1e6,
  },
});

const attempt = (page: OpenPage, login: string, password = 'not the right password'): Promise<Page> =>
  submitByHand(page, 'login', { login, password });

/** Everything that a client sees of an answer, but for what is different in every answer. */
function visible(page: OpenPage, answer: Page): unknown {
  const masked = (text: string): string =>
    [page.uid, page.csrf, known, unknown, answer.headers.get('x-request-id') ?? '']
      .reduce((left, part) => left.replaceAll(part, '*'), text)
      .replace(/nonce-[\w+/=]+/g, 'nonce-*');
  const headers = [...answer.headers].filter(([name]) => !['date', 'retry-after'].includes(name));
  return {
    status: answer.status,
    headers: headers.map(([name, value]) => [name, masked(value)]),
    html: masked(answer.html),
  };
}

describe('whether there is an account', function () {
  this.timeout(60_000); // tens of hashes one after the other, each slow by design
  afterEach(closeApps);

  async function start(options: { policy?: Policy } = {}): Promise<{ running: RunningApp; page: OpenPage }> {
    const running = await startApp(options);
    return { running, page: await openSignIn(running.issuer) };
  }

  it('sec-050 does not show in the answer to a wrong password, nor in the one that says to wait', async () => {
    const { running } = await start();
    const pages = [await openSignIn(running.issuer), await openSignIn(running.issuer)] as const;
    for (let count = 0; count < 8; count++) {
      const [left, right] = [await attempt(pages[0], known), await attempt(pages[1], unknown)];
      expect(left.status).to.equal(count < 5 ? 422 : 429);
      expect(visible(pages[0], left), `try ${count}`).to.deep.equal(visible(pages[1], right));
      const waits = [left, right].map(({ headers }) => Number(headers.get('retry-after')));
      expect(Math.abs((waits[0] ?? 0) - (waits[1] ?? 0))).to.be.at.most(2);
    }
  });

  it('sec-050 does not show in the answer when the password is right and the account must wait', async () => {
    const { running } = await start();
    const pages = [await openSignIn(running.issuer), await openSignIn(running.issuer)] as const;
    for (let count = 0; count < 5; count++) await Promise.all([attempt(pages[0], known), attempt(pages[1], unknown)]);
    const [left, right] = [
      await attempt(pages[0], known, ada.password),
      await attempt(pages[1], unknown, ada.password),
    ];
    expect(left.status).to.equal(429);
    expect(visible(pages[0], left)).to.deep.equal(visible(pages[1], right));
  });

  // the lower quartile: whatever else the machine does can only make an answer later
  it('sec-050 does not show in the time of the answer to a wrong password', async () => {
    const { page } = await start({ policy: withTries(1e6) });
    const times = await pairedTimes(
      25,
      () => attempt(page, known),
      () => attempt(page, unknown),
    );
    expect(quantile(times.left, 0.25)).to.be.closeTo(quantile(times.right, 0.25), 5);
  });

  it('sec-050 does not show in the time of the answer that says to wait', async () => {
    const { page } = await start({ policy: withTries(1) });
    for (const login of [known, unknown]) expect((await attempt(page, login)).status).to.equal(422);
    expect((await attempt(page, known)).status).to.equal(429);
    const times = await pairedTimes(
      25,
      () => attempt(page, known),
      () => attempt(page, unknown),
    );
    expect(quantile(times.left, 0.25)).to.be.closeTo(quantile(times.right, 0.25), 5);
  });
});
