import { expect } from 'chai';
import { policy } from '../../../config/policy.js';
import {
  admitAttempt,
  strictestLimits,
  withoutSource,
  withoutTry,
  type Attempts,
  type Source,
} from '../../../src/credentials/sign-in-attempts.js';

const limits = policy.signInAttempts;
const minute = 60;
const start = new Date('2027-01-01T00:00:00Z');
const after = (seconds: number): Date => new Date(start.getTime() + seconds * 1000);
const stranger = (key = 'address'): Source => ({ key, isKnownDevice: false });
const owner: Source = { key: 'device', isKnownDevice: true };

/** An account at which people try; every try fails unless it is said to have succeeded. */
function account(): {
  attempts: Attempts | null;
  /** Seconds to wait, or null for a try that was admitted. */
  tryAt(seconds: number, source?: Source): number | 'never' | null;
  succeed(source: Source): void;
} {
  const self: ReturnType<typeof account> = {
    attempts: null,
    tryAt(seconds, source = stranger()) {
      const admission = admitAttempt(limits, self.attempts, source, after(seconds));
      if (admission.admitted) {
        self.attempts = admission.attempts;
        return null;
      }
      const { until } = admission.wait;
      return until ? (until.getTime() - after(seconds).getTime()) / 1000 : 'never';
    },
    succeed(source) {
      if (self.attempts) self.attempts = withoutSource(self.attempts, source, limits);
    },
  };
  return self;
}

describe('tries at an account', () => {
  it('five are free, then one has to wait a minute, and twice as long after each further one, up to an hour', () => {
    const { tryAt } = account();
    for (let count = 0; count < 5; count++) expect(tryAt(count), `try ${count}`).to.equal(null);
    const waits: unknown[] = [];
    for (let now = 4; waits.length < 9;) {
      const wait = tryAt(now);
      waits.push(wait);
      if (typeof wait !== 'number') break;
      expect(tryAt(now + wait - 1), 'a second too early').to.equal(1);
      now += wait;
      expect(tryAt(now), 'after the wait').to.equal(null);
    }
    expect(waits).to.deep.equal([1, 2, 4, 8, 16, 32, 60, 60, 60].map((minutes) => minutes * minute));
  });

  it('a refused try makes the wait no longer', () => {
    const { tryAt } = account();
    for (let count = 0; count < 5; count++) tryAt(0);
    for (let second = 0; second < 60; second++) expect(tryAt(second)).to.equal(60 - second);
    expect(tryAt(60)).to.equal(null);
  });

  it('failures are forgotten a quarter of an hour after the first, when there were fewer than five', () => {
    const { tryAt } = account();
    for (let count = 0; count < 4; count++) expect(tryAt(count)).to.equal(null);
    for (let count = 0; count < 4; count++) expect(tryAt(15 * minute + count)).to.equal(null);
    expect(tryAt(15 * minute + 4)).to.equal(null);
    expect(tryAt(15 * minute + 5)).to.equal(59);
  });

  it('who only waits as long as is asked is not new after the wait', () => {
    const { tryAt } = account();
    for (let count = 0; count < 5; count++) tryAt(0);
    expect(tryAt(15 * minute), 'the wait is long over').to.equal(null);
    expect(tryAt(15 * minute), 'and the next one is longer').to.equal(2 * minute);
  });

  it('sources do not count against one another until the account has seen twenty', () => {
    const { tryAt } = account();
    for (let count = 0; count < 20; count++) expect(tryAt(count, stranger(`address ${count}`))).to.equal(null);
    expect(tryAt(19, stranger('one more'))).to.equal(minute);
    expect(tryAt(79, stranger('one more'))).to.equal(null);
    expect(tryAt(79, stranger('yet another'))).to.equal(2 * minute);
  });

  it('sec-048 the waits of others do not touch a known device, its own do', () => {
    const { tryAt } = account();
    for (let count = 0; count < 40; count++) tryAt(count, stranger(`address ${count}`));
    expect(tryAt(40, stranger('somebody')), 'the account makes everybody wait').to.be.a('number');
    for (let count = 0; count < 5; count++) expect(tryAt(40, owner)).to.equal(null);
    expect(tryAt(40, owner)).to.equal(minute);
  });

  it('sec-048 no number of tries from elsewhere closes the account to a known device', () => {
    const held = account();
    let now = 0;
    let admitted = 0;
    for (let wait: unknown = null; wait !== 'never'; now += typeof wait === 'number' ? wait : 0) {
      wait = held.tryAt(now, stranger(`address ${admitted % 7}`));
      if (wait === null) admitted++;
    }
    expect(admitted).to.equal(80);
    expect(now, 'and that takes days').to.be.greaterThan(2 * 86_400);
    expect(held.tryAt(now + 300 * 86_400, stranger('new')), 'waiting does not help').to.equal('never');
    expect(held.tryAt(now, owner)).to.equal(null);
    held.succeed(owner);
    expect(held.tryAt(now + 3600, stranger('new')), 'a success opens it again').to.equal(null);
  });

  it('known devices too have no more than a hundred tries in a row between all', () => {
    const held = account();
    let tries = 0;
    for (let wait: unknown = null; wait !== 'never' && tries < 500;) {
      wait = held.tryAt(tries * 10 * 3600, { key: `device ${tries}`, isKnownDevice: true });
      if (wait === null) tries++;
    }
    expect(tries).to.equal(100);
  });

  it('a success clears its own source and nothing else', () => {
    const held = account();
    for (let count = 0; count < 5; count++) held.tryAt(0, stranger('attacker'));
    for (let count = 0; count < 3; count++) held.tryAt(0, stranger('owner'));
    held.succeed(stranger('owner'));
    expect(held.tryAt(0, stranger('attacker'))).to.equal(minute);
    expect(held.attempts?.account.tries).to.equal(5);
    expect(held.attempts?.consecutive).to.equal(0);
    for (let count = 0; count < 5; count++) expect(held.tryAt(1, stranger('owner'))).to.equal(null);
  });

  it('nothing is remembered of somebody who mistyped and then got in', () => {
    const held = account();
    for (let count = 0; count < 4; count++) held.tryAt(count);
    held.succeed(stranger());
    expect(held.attempts).to.equal(null);
  });

  it('a success that was the last free try leaves no wait behind', () => {
    const held = account();
    for (let count = 0; count < 19; count++) held.tryAt(0, stranger(`address ${count}`));
    held.tryAt(0, stranger('owner'));
    held.succeed(stranger('owner'));
    expect(held.tryAt(0, stranger('somebody'))).to.equal(null);
  });

  it('a try that could not be made does not count', () => {
    const held = account();
    for (let count = 0; count < 50; count++) {
      expect(held.tryAt(0)).to.equal(null);
      if (held.attempts) held.attempts = withoutTry(held.attempts, stranger(), limits);
    }
    expect(held.attempts).to.equal(null);
  });

  it('remembers few sources, however many came', () => {
    const held = account();
    for (let hour = 0; hour < 70; hour++) {
      for (let count = 0; count < 50; count++) held.tryAt(hour * 3600 + count, stranger(`address ${hour} ${count}`));
      expect(held.attempts?.sources.length).to.be.at.most(25);
    }
  });
});

describe('limits of a person with tenants', () => {
  const asPlatform = {
    ...{ tries: null, windowSeconds: null, firstWaitSeconds: null, longestWaitSeconds: null, consecutive: null },
  };

  it('are those of the platform where no tenant says anything', () => {
    expect(strictestLimits(limits, [])).to.deep.equal(limits);
    expect(strictestLimits(limits, [asPlatform, asPlatform])).to.deep.equal(limits);
  });

  it('are the strictest of all, number by number', () => {
    const own = strictestLimits(limits, [
      { ...asPlatform, tries: 2, consecutive: 50 },
      { ...asPlatform, tries: 4, windowSeconds: 7200, firstWaitSeconds: 600, longestWaitSeconds: 86_400 },
    ]);
    expect(own).to.deep.equal({
      ...limits,
      source: { tries: 2, windowSeconds: 7200, firstWaitSeconds: 600, longestWaitSeconds: 86_400 },
      ...{ consecutive: 50, consecutiveOfStrangers: 40 },
    });
  });

  it('are never weaker than those of the platform, whatever is stored', () => {
    const weak = { tries: 99, windowSeconds: 1, firstWaitSeconds: 1, longestWaitSeconds: 1, consecutive: 1000 };
    expect(strictestLimits(limits, [weak])).to.deep.equal(limits);
  });
});
