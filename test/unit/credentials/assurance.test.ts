import { expect } from 'chai';
import { amrOf, isLoginFinished, levelOf, passwordProof, reaches } from '../../../src/credentials/assurance.js';
import { isStrongest, restsOnEmail, withoutEmailCodes } from '../../../src/credentials/assurance.js';
import { trustedDeviceProof, type Level, type Proof } from '../../../src/credentials/assurance.js';

const totp: Proof = { method: 'totp', amr: ['otp'] };
const recovery: Proof = { method: 'recovery_code', amr: ['otp'] };
const email: Proof = { method: 'email_code', amr: ['otp'] };
const tap: Proof = { method: 'passkey', amr: ['hwk', 'user'], isVerified: false };
const passkey: Proof = { method: 'passkey', amr: ['swk', 'user'], isVerified: true };

/** What was proven, its level, and for whom the login is finished with it: nobody's factors, an app's, codes by e-mail. */
const table: readonly [what: string, proofs: Proof[], level: Level, finished: [boolean, boolean, boolean]][] = [
  ['nothing', [], 'aal1', [false, false, false]],
  ['a password', [passwordProof], 'aal1', [true, false, false]],
  ['a password in a trusted browser', [passwordProof, trustedDeviceProof], 'aal1', [true, true, true]],
  ['a password and a code by e-mail', [passwordProof, email], 'aal1', [true, false, true]],
  ['a password and an app', [passwordProof, totp], 'aal2', [true, true, true]],
  ['a password and a recovery code', [passwordProof, recovery], 'aal2', [true, true, true]],
  ['a password and a touch of a key', [passwordProof, tap], 'aal2', [true, true, true]],
  ['a passkey that has checked the person', [passkey], 'aal2', [true, true, true]],
  ['a touch of a key alone', [tap], 'aal1', [false, false, false]],
  ['an app alone', [totp], 'aal1', [false, false, false]],
];

describe('when a login is finished', () => {
  for (const [what, proofs, level, [none, app, mail]] of table) {
    it(`sec-040 with ${what}`, () => {
      expect(levelOf(proofs)).to.equal(level);
      const finished = (enrolled: string[], needed: Level): boolean =>
        isLoginFinished({ enrolled, level: needed }, proofs);
      expect([finished([], 'aal1'), finished(['totp'], 'aal1'), finished(['email'], 'aal1')]).to.deep.equal([
        ...[none, app, mail],
      ]);
      for (const enrolled of [[], ['totp'], ['email'], ['passkey', 'email']])
        expect(finished(enrolled, 'aal2'), enrolled.join()).to.equal(level === 'aal2');
    });
  }

  it('names what was proven once, and that it was more than one', () => {
    expect(amrOf([passwordProof])).to.deep.equal(['pwd']);
    expect(amrOf([passwordProof, totp])).to.deep.equal(['pwd', 'otp', 'mfa']);
    expect(amrOf([passkey])).to.deep.equal(['swk', 'user', 'mfa']);
    expect(amrOf([passwordProof, email])).to.deep.equal(['pwd', 'otp']);
  });

  it('sec-040 counts no code by e-mail where it is refused, and never a password alone in its place', () => {
    const finished = (enrolled: string[]): boolean =>
      isLoginFinished({ enrolled: withoutEmailCodes(enrolled), level: 'aal1' }, [passwordProof, email]);
    expect([finished(['totp', 'email']), finished(['email', 'passkey'])]).to.deep.equal([false, false]);
    expect(withoutEmailCodes(['email'])).to.deep.equal(['email']);
    expect(withoutEmailCodes([])).to.deep.equal([]);
    const cases: [enrolled: string[], amr: string[], rests: boolean][] = [
      [['email'], ['pwd', 'otp'], true],
      [['email'], ['pwd'], true],
      [['totp', 'email'], ['pwd', 'otp'], true],
      [['totp', 'email'], ['pwd'], false],
      [['totp'], ['pwd', 'otp'], true], // by a code of before they had the app
      [['totp'], ['pwd'], false],
      [[], ['pwd'], false],
    ];
    for (const [enrolled, amr, rests] of cases)
      expect(restsOnEmail(enrolled, amr), `${enrolled.join()} ${amr.join()}`).to.equal(rests);
  });

  it('sec-042 the strongest is what somebody has: their own factors, or else a code by e-mail', () => {
    const cases: [enrolled: string[], level: string | undefined, amr: string[], is: boolean][] = [
      [[], 'aal1', ['pwd'], true],
      [['email'], 'aal1', ['pwd'], false],
      [['email'], 'aal1', ['pwd', 'otp'], true],
      [['email'], 'aal2', ['fed', 'mfa'], true],
      [['email', 'totp'], 'aal1', ['pwd', 'otp'], false],
      [['totp'], 'aal1', ['pwd'], false],
      [['passkey'], undefined, [], false],
      [['email', 'totp'], 'aal2', ['pwd', 'otp', 'mfa'], true],
    ];
    for (const [enrolled, level, amr, is] of cases)
      expect(isStrongest(enrolled, { level, amr }), `${enrolled.join()} ${amr.join()}`).to.equal(is);
  });

  it('takes a level that nobody knows for the lowest', () => {
    for (const level of [undefined, '', 'AAL2', 'aal3', 'aal2 '])
      expect(reaches(level, 'aal2'), String(level)).to.equal(false);
    expect(reaches(undefined, 'aal1')).to.equal(true);
  });
});
