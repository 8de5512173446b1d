import { expect } from 'chai';
import { createExpiringMap, createExpiringValue } from '../../../src/platform/cache/expiring.js';
import { takeMonotonicClock, type MonotonicClock } from './monotonic-clock.js';

describe('values that may be a little old', () => {
  let clock: MonotonicClock;
  beforeEach(() => (clock = takeMonotonicClock()));
  afterEach(() => clock.restore());

  const counting = (): { load: () => Promise<number>; loads: () => number } => {
    let loads = 0;
    return { load: async () => ++loads, loads: () => loads };
  };

  it('a value is loaded once within its lifetime and again at its end', async () => {
    const map = createExpiringMap<number>(2);
    const { load } = counting();
    expect(await map.get('a', load)).to.equal(1);
    clock.advanceSeconds(1.999);
    expect(await map.get('a', load)).to.equal(1);
    clock.advanceSeconds(0.001);
    expect(await map.get('a', load)).to.equal(2);
  });

  it('reading does not prolong a life', async () => {
    const map = createExpiringMap<number>(2);
    const { load } = counting();
    for (let reads = 0; reads < 4; reads++) {
      await map.get('a', load);
      clock.advanceSeconds(0.6);
    }
    expect(await map.get('a', load)).to.equal(2);
  });

  it('the lifetime counts from the start of the load, so a slow one shortens it', async () => {
    const map = createExpiringMap<number>(2);
    let finish: (value: number) => void = () => undefined;
    const slow = map.get('a', () => new Promise((resolve) => (finish = resolve)));
    clock.advanceSeconds(2);
    finish(1);
    expect(await slow).to.equal(1);
    expect(await map.get('a', async () => 2)).to.equal(2);
  });

  it('setting the wall clock back keeps nothing alive', async () => {
    const map = createExpiringMap<number>(2);
    const { load } = counting();
    const wallClock = Date.now;
    try {
      await map.get('a', load);
      Date.now = () => 0;
      clock.advanceSeconds(2);
      expect(await map.get('a', load)).to.equal(2);
    } finally {
      Date.now = wallClock;
    }
  });

  it('keys do not meet', async () => {
    const map = createExpiringMap<string>(2);
    for (const key of ['', 'a', 'A', '__proto__', 'constructor']) {
      expect(await map.get(key, async () => `value of ${key}`)).to.equal(`value of ${key}`);
    }
    expect(await map.get('__proto__', async () => 'loaded again')).to.equal('value of __proto__');
  });

  it('all who ask during one load share it', async () => {
    const map = createExpiringMap<number>(2);
    const { load, loads } = counting();
    expect(await Promise.all(Array.from({ length: 50 }, () => map.get('a', load)))).to.deep.equal(
      Array.from({ length: 50 }, () => 1),
    );
    expect(loads()).to.equal(1);
  });

  it('a failed load reaches all who waited for it and is not kept', async () => {
    const map = createExpiringMap<number>(2);
    const broken = async (): Promise<number> => {
      throw new Error('the database is away');
    };
    const answers = await Promise.allSettled([map.get('a', broken), map.get('a', broken)]);
    expect(answers.map((answer) => answer.status)).to.deep.equal(['rejected', 'rejected']);
    expect(await map.get('a', async () => 7)).to.equal(7);
  });

  it('a value that is not there is kept like any other', async () => {
    const map = createExpiringMap<null | string>(2);
    expect(await map.get('a', async () => null)).to.equal(null);
    expect(await map.get('a', async () => 'there now')).to.equal(null);
    clock.advanceSeconds(2);
    expect(await map.get('a', async () => 'there now')).to.equal('there now');
  });

  it('forgetting drops one key, or all', async () => {
    const map = createExpiringMap<number>(2);
    await map.get('a', async () => 1);
    await map.get('b', async () => 1);
    map.forget('a');
    expect(await map.get('a', async () => 2)).to.equal(2);
    expect(await map.get('b', async () => 2)).to.equal(1);
    map.forgetAll();
    expect(await map.get('a', async () => 3)).to.equal(3);
    expect(await map.get('b', async () => 3)).to.equal(3);
  });

  for (const how of ['forget', 'forgetAll'] as const) {
    it(`what was being loaded when ${how} was called is not kept`, async () => {
      const map = createExpiringMap<string>(2);
      let finish: (value: string) => void = () => undefined;
      const before = map.get('a', () => new Promise((resolve) => (finish = resolve)));
      map[how]('a');
      const after = map.get('a', async () => 'read after the change');
      finish('read before the change');
      expect(await before).to.equal('read before the change');
      expect(await after).to.equal('read after the change');
      expect(await map.get('a', async () => 'read once more')).to.equal('read after the change');
    });
  }

  it('a load that fails after it was forgotten leaves the newer value alone', async () => {
    const map = createExpiringMap<string>(2);
    let fail: (error: Error) => void = () => undefined;
    const before = map.get('a', () => new Promise((_resolve, reject) => (fail = reject)));
    map.forget('a');
    await map.get('a', async () => 'newer');
    fail(new Error('too late'));
    expect((await Promise.allSettled([before]))[0].status).to.equal('rejected');
    expect(await map.get('a', async () => 'loaded again')).to.equal('newer');
  });

  it('a flood of keys pushes out the oldest, not the newest', async () => {
    const map = createExpiringMap<number>(2);
    for (let key = 0; key < 10_500; key++) await map.get(`key ${key}`, async () => 1);
    expect(await map.get('key 10499', async () => 2)).to.equal(1);
    expect(await map.get('key 0', async () => 2)).to.equal(2);
  });

  it('a single value lives and is forgotten the same way', async () => {
    const { load } = counting();
    const value = createExpiringValue(2, load);
    expect([await value.get(), await value.get()]).to.deep.equal([1, 1]);
    value.forget();
    expect(await value.get()).to.equal(2);
    clock.advanceSeconds(2);
    expect(await value.get()).to.equal(3);
  });
});
