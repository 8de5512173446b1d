import { expect } from 'chai';
import { base32, newTotpSecret, stepsOfCode, totpCode, totpUri } from '../../../src/credentials/totp.js';

/** RFC 6238, appendix B: the secret of the SHA-1 column, and the last six digits of its codes. */
const secret = base32(Buffer.from('12345678901234567890'));
const vectors: readonly [seconds: number, code: string][] = [
  [59, '287082'],
  [1111111109, '081804'],
  [1111111111, '050471'],
  [1234567890, '005924'],
  [2000000000, '279037'],
  [20000000000, '353130'],
];

describe('codes of authenticator apps', () => {
  for (const [seconds, code] of vectors) {
    it(`are those of RFC 6238 at ${seconds}`, () => {
      expect(totpCode(secret, new Date(seconds * 1000))).to.equal(code);
    });
  }

  it('count one step before and one after, and no further', () => {
    const at = (seconds: number): Date => new Date((1_700_000_010 + seconds) * 1000);
    const code = totpCode(secret, at(0));
    const steps = [-60, -30, 0, 30, 60].map((seconds) => stepsOfCode(secret, code, at(seconds)).length);
    expect(steps).to.deep.equal([0, 1, 1, 1, 0]);
  });

  it('come of secrets of 160 bits that are never the same', () => {
    const secrets = new Set(Array.from({ length: 100 }, newTotpSecret));
    expect(secrets.size).to.equal(100);
    for (const each of secrets) expect(each).to.match(/^[A-Z2-7]{32}$/);
  });

  it('stand in an address that apps understand, whatever the account is called', () => {
    const uri = new URL(totpUri(secret, { issuer: 'Gate house', account: 'a&b?c#d@example.com' }));
    expect(uri.protocol + uri.host).to.equal('otpauth:totp');
    expect(decodeURIComponent(uri.pathname)).to.contain('Gate house:a&b?c#d@example.com');
    expect(Object.fromEntries(uri.searchParams)).to.deep.equal({
      ...{ secret, issuer: 'Gate house', algorithm: 'SHA1', digits: '6', period: '30' },
    });
  });
});
