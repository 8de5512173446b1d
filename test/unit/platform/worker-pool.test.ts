import { expect } from 'chai';
import { restartDelayMs } from '../../../src/platform/process/worker-pool.js';

describe('a worker that ended', () => {
  it('is replaced at once, and later and later while its replacements end too', () => {
    const delays = [0, 1, 2, 3, 4, 5, 6, 7, 100].map(restartDelayMs);
    expect(delays).to.deep.equal([0, 0, 250, 500, 1000, 2000, 4000, 5000, 5000]);
  });
});
