import { expect } from 'chai';
import { policy } from '../../../config/policy.js';
import { createPasswordHashing } from '../../../src/credentials/password-hashing.js';
import type { AppError } from '../../../src/kernel/errors.js';

const { hash: parameters } = policy.passwords;
const queue = { waitingHashes: 10, longestWaitMs: 60_000 };
const cheap = { memoryKib: 64, iterations: 1, parallelism: 1 };

describe('password hashing', () => {
  it('is argon2id with the parameters of the policy', async () => {
    const hashing = createPasswordHashing(parameters, queue);
    const stored = await hashing.hash('correct horse battery');
    expect(stored).to.match(/^\$argon2id\$v=19\$m=19456,t=2,p=1\$[\w+/]{22}\$[\w+/]{43}$/);
    expect(await hashing.verify(stored, 'correct horse battery')).to.equal(true);
    expect(await hashing.verify(stored, 'correct horse batterx')).to.equal(false);
    expect(hashing.isOutdated(stored)).to.equal(false);
  });

  it('gives every password its own salt', async () => {
    const hashing = createPasswordHashing(cheap, queue);
    expect(await hashing.hash('the same')).not.to.equal(await hashing.hash('the same'));
  });

  it('takes a password from every keyboard: composed and decomposed are one', async () => {
    const hashing = createPasswordHashing(cheap, queue);
    const stored = await hashing.hash('caf\u00e9 with milk');
    expect(await hashing.verify(stored, 'cafe\u0301 with milk')).to.equal(true);
  });

  it('knows a hash that was made with other parameters', async () => {
    const stored = await createPasswordHashing(cheap, queue).hash('correct horse battery');
    expect(createPasswordHashing(parameters, queue).isOutdated(stored)).to.equal(true);
  });

  it('sec-052 lets a bounded number wait, and answers the rest at once with 503 and Retry-After', async () => {
    const hashing = createPasswordHashing(parameters, { ...queue, waitingHashes: 3 });
    const results = await Promise.allSettled(Array.from({ length: 20 }, () => hashing.hash('correct horse battery')));
    const refused = results.filter((result) => result.status === 'rejected').map(({ reason }) => reason as AppError);
    expect(refused.length).to.be.greaterThan(10).and.lessThan(20);
    for (const error of refused) {
      expect(error).to.include({ code: 'credentials.busy', status: 503 });
      expect(error.retryAfterSeconds).to.be.a('number');
    }
    expect(await hashing.hash('correct horse battery')).to.contain('$argon2id$');
  });

  it('sec-052 who has waited too long is told so instead of waiting longer', async () => {
    const hashing = createPasswordHashing(parameters, { waitingHashes: 100, longestWaitMs: 50 });
    const results = await Promise.allSettled(Array.from({ length: 100 }, () => hashing.hash('correct horse battery')));
    const refused = results.filter((result) => result.status === 'rejected').map(({ reason }) => reason as AppError);
    expect(refused.length, 'the last ones').to.be.greaterThan(50).and.lessThan(100);
    for (const error of refused) expect(error).to.include({ code: 'credentials.busy', status: 503 });
    expect(results[0]?.status, 'the first one').to.equal('fulfilled');
  });
});
