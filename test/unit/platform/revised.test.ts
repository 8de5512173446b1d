import { expect } from 'chai';
import { createRevisedMap, type RevisedMap } from '../../../src/platform/cache/revised.js';
import { takeMonotonicClock, type MonotonicClock } from './monotonic-clock.js';

describe('values that stand until their scope is changed', () => {
  let clock: MonotonicClock;
  let revisions: Map<string | null, number>;
  let map: RevisedMap<string>;
  let loads: string[];

  beforeEach(() => {
    clock = takeMonotonicClock();
    revisions = new Map();
    loads = [];
    map = createRevisedMap<string>({ revisionOf: async (scope) => revisions.get(scope) ?? 0, maxAgeSeconds: 60 });
  });
  afterEach(() => clock.restore());

  const revise = (scope: string | null): unknown => revisions.set(scope, (revisions.get(scope) ?? 0) + 1);
  const loading = (value: string) => async () => {
    loads.push(value);
    return value;
  };

  it('a value is loaded once while the revision stands', async () => {
    expect(await map.get('a', 'acme', loading('one'))).to.equal('one');
    clock.advanceSeconds(59);
    expect(await map.get('a', 'acme', loading('two'))).to.equal('one');
    expect(loads).to.deep.equal(['one']);
  });

  it('a change of its scope makes it be loaded again, a change elsewhere does not', async () => {
    await map.get('a', 'acme', loading('one'));
    revise('globex');
    revise(null);
    expect(await map.get('a', 'acme', loading('two'))).to.equal('one');
    revise('acme');
    expect(await map.get('a', 'acme', loading('three'))).to.equal('three');
  });

  it('a change made while it was being read counts as one after it', async () => {
    const read = async (): Promise<string> => {
      revise('acme');
      return 'before or after';
    };
    await map.get('a', 'acme', read);
    expect(await map.get('a', 'acme', loading('after'))).to.equal('after');
  });

  it('no value outlives a minute', async () => {
    await map.get('a', 'acme', loading('one'));
    clock.advanceSeconds(60);
    expect(await map.get('a', 'acme', loading('two'))).to.equal('two');
  });

  it('all who ask at once share one load, and the scope is looked up only when there is nothing', async () => {
    let lookups = 0;
    const scope = async (): Promise<string> => {
      lookups++;
      return 'acme';
    };
    const values = await Promise.all(Array.from({ length: 20 }, () => map.get('a', scope, loading('one'))));
    expect(new Set(values)).to.deep.equal(new Set(['one']));
    expect(loads).to.have.length(1);
    const before = lookups;
    await map.get('a', scope, loading('two'));
    expect(lookups).to.equal(before);
  });

  it('what changes hands is kept with the revision of its new owner', async () => {
    let owner: string | null = 'acme';
    const scope = async (): Promise<string | null> => owner;
    revisions.set('acme', 5);
    revisions.set('globex', 4);
    await map.get('a', scope, loading('of acme'));
    owner = 'globex';
    revise('acme');
    expect(await map.get('a', scope, loading('of globex'))).to.equal('of globex');
    revise('globex');
    expect(await map.get('a', scope, loading('changed')), 'the same number as once in acme').to.equal('changed');
    owner = null;
    revise('globex');
    expect(await map.get('a', scope, loading('of the platform'))).to.equal('of the platform');
    revise(null);
    expect(await map.get('a', scope, loading('changed there'))).to.equal('changed there');
  });

  it('what nobody owns is not kept, and a failed load neither', async () => {
    expect(await map.get('a', async () => undefined, loading('never'))).to.equal(undefined);
    expect(loads).to.deep.equal([]);
    const failed = map.get('a', 'acme', () => Promise.reject(new Error('away')));
    expect((await Promise.allSettled([failed]))[0]).to.have.nested.property('reason.message', 'away');
    expect(await map.get('a', 'acme', loading('one'))).to.equal('one');
  });
});
