import { expect } from 'chai';
import { policy, type Policy } from '../../config/policy.js';
import { asOpenPage, authorizeUrl, openSignIn, submitByHand, type OpenPage } from '../http/requests.js';
import type { Page } from '../support/browser.js';
import { ada } from '../support/contract-seed.js';
import { pairedTimes, quantile } from '../support/paired-times.js';
import { closeApps, startApp } from '../support/start-app.js';

const pairs = 200;
const unknown = 'eve@example.com';
const from = (address: string): Record<string, string> => ({ 'X-Forwarded-For': address });

const withTries = (tries: number): Policy => {
  const { source, account, ...others } = policy.signInAttempts;
  const attempts = { ...others, consecutive: 1e6, consecutiveOfStrangers: 1e6 };
  return {
    ...policy,
    signInAttempts: { ...attempts, source: { ...source, tries }, account: { ...account, tries } },
  };
};

const attempt = (page: OpenPage, login: string, address = '198.51.100.1', password = 'not it, not it'): Promise<Page> =>
  submitByHand(page, 'login', { login, password }, from(address));

describe('guessing, at length', () => {
  afterEach(closeApps);

  async function medians(tries: number): Promise<{ known: number; unknown: number }> {
    const { issuer } = await startApp({ policy: withTries(tries) });
    const page = await openSignIn(issuer);
    for (let count = 0; count < 5; count++) await Promise.all([attempt(page, ada.email), attempt(page, unknown)]);
    const times = await pairedTimes(
      pairs,
      () => attempt(page, ada.email),
      () => attempt(page, unknown),
    );
    const found = { known: quantile(times.left, 0.5), unknown: quantile(times.right, 0.5) };
    console.log(`      median of ${pairs}: known ${found.known.toFixed(1)} ms, unknown ${found.unknown.toFixed(1)} ms`);
    return found;
  }

  it('sec-050 the answer to a wrong password takes as long for an account as for none', async () => {
    const found = await medians(1e6);
    expect(Math.abs(found.known - found.unknown)).to.be.lessThan(5);
  });

  it('sec-050 the answer that says to wait takes as long for an account as for none', async () => {
    const found = await medians(1);
    expect(Math.abs(found.known - found.unknown)).to.be.lessThan(5);
  });

  it('sec-048 after a thousand failures from elsewhere the owner gets in at once in a known browser', async () => {
    const { issuer } = await startApp({ trustedProxies: 1 });
    const first = await openSignIn(issuer);
    expect((await attempt(first, ada.email, '203.0.113.50', ada.password)).status).to.equal(303);
    const owner = asOpenPage(first.visitor, await first.visitor.get(authorizeUrl(issuer, { prompt: 'login' })));
    const attacker = await openSignIn(issuer);
    const statuses: number[] = [];
    for (let round = 0; round < 20; round++) {
      const some = Array.from({ length: 50 }, (_, index) => attempt(attacker, ada.email, `198.51.${round}.${index}`));
      statuses.push(...(await Promise.all(some)).map(({ status }) => status));
    }
    expect(statuses.filter((status) => status === 422)).to.have.length(20);
    expect(statuses.filter((status) => status === 429)).to.have.length(980);
    const stranger = await openSignIn(issuer);
    expect((await attempt(stranger, ada.email, '203.0.113.99', ada.password)).status, 'a new browser').to.equal(429);
    expect((await attempt(owner, ada.email, '203.0.113.77', ada.password)).status, 'the known one').to.equal(303);
  });
});
