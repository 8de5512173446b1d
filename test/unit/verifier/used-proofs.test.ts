import { expect } from 'chai';
import { VerificationUnavailable } from '../../../src/verifier/index.js';
import { usedProofs } from '../../../src/verifier/used-proofs.js';

describe('the used proofs of a process', () => {
  it('are remembered until they expire, and make room for others then', () => {
    let second = 0;
    const claim = usedProofs(() => new Date(second * 1000), 2);
    const claimFor = (proofId: string, seconds: number) => claim(proofId, new Date((second + seconds) * 1000));
    expect(claimFor('a', 10)).to.equal(true);
    second = 5;
    expect(claimFor('b', 10)).to.equal(true);
    expect([claimFor('a', 10), claimFor('b', 10)]).to.deep.equal([false, false]);
    expect(() => claimFor('c', 10)).to.throw(VerificationUnavailable);
    second = 10;
    expect(claimFor('c', 10)).to.equal(true);
    expect(claimFor('b', 10)).to.equal(false);
    expect(() => claimFor('a', 10)).to.throw(VerificationUnavailable);
    second = 15;
    expect(claimFor('b', 10)).to.equal(true);
  });
});
