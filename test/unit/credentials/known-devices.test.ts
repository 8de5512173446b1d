import { expect } from 'chai';
import { randomBytes } from 'node:crypto';
import { knownDevices, type KnownDevices } from '../../../src/credentials/known-devices.js';
import { keyedHash } from '../../../src/platform/crypto/keyed-hash.js';

const lifetimeSeconds = 1000;
const ada = { id: 'usr_ada' };
const bob = { id: 'usr_bob' };

describe('known devices', () => {
  let now: Date;
  let devices: KnownDevices;
  beforeEach(() => {
    now = new Date('2027-01-01T00:00:00Z');
    devices = knownDevices({ hash: keyedHash(randomBytes(32), 'test'), lifetimeSeconds, now: () => now });
  });

  it('a mark is good for its person alone', () => {
    const cookie = devices.mark(undefined, ada);
    expect(devices.findMark(cookie, ada)).to.match(/^[\w-]{22}$/);
    expect(devices.findMark(cookie, bob)).to.equal(null);
  });

  it('a mark ends', () => {
    const cookie = devices.mark(undefined, ada);
    now = new Date(now.getTime() + (lifetimeSeconds - 1) * 1000);
    expect(devices.findMark(cookie, ada)).not.to.equal(null);
    now = new Date(now.getTime() + 1000);
    expect(devices.findMark(cookie, ada)).to.equal(null);
  });

  it('sec-032 a mark ends with the password with which it was made', () => {
    const cookie = devices.mark(undefined, ada);
    const changed = { ...ada, credentialsChangedAt: now };
    expect(devices.findMark(cookie, changed)).to.equal(null);
    const next = devices.mark(cookie, changed);
    expect(devices.findMark(next, changed)).not.to.equal(null);
    now = new Date(now.getTime() + 1);
    expect(devices.findMark(next, { ...ada, credentialsChangedAt: now })).to.equal(null);
  });

  it('people who share a browser keep their marks, five at most', () => {
    let cookie: string | undefined;
    for (let person = 0; person < 7; person++) cookie = devices.mark(cookie, { id: `usr_${person}` });
    const known = Array.from({ length: 7 }, (_, person) => devices.findMark(cookie, { id: `usr_${person}` }) !== null);
    expect(known).to.deep.equal([false, false, true, true, true, true, true]);
  });

  it('signing in again replaces the mark', () => {
    const first = devices.mark(undefined, ada);
    const second = devices.mark(first, ada);
    expect(second.split('~')).to.have.length(1);
    expect(devices.findMark(second, ada)).not.to.equal(devices.findMark(first, ada));
  });

  it('sec-048 nothing but a mark of this server is one', () => {
    const cookie = devices.mark(undefined, ada);
    const [id = '', endsAt = '', signature = ''] = cookie.split('.');
    const other = knownDevices({ hash: keyedHash(randomBytes(32), 'test'), lifetimeSeconds, now: () => now });
    for (const forged of [
      '',
      '~',
      'junk',
      `${id}.${endsAt}`,
      `${id}.${endsAt}.`,
      `${id}.${Number(endsAt) + 1}.${signature}`,
      `${id.slice(1)}A.${endsAt}.${signature}`,
      `${cookie}x`,
      ` ${cookie}`,
      `${id}.${endsAt}.${'A'.repeat(43)}`,
      other.mark(undefined, ada),
      ['a', 'b', 'c', 'd', 'e', cookie].join('~'),
    ]) {
      expect(devices.findMark(forged, ada), forged).to.equal(null);
    }
    expect(devices.mark('junk~<script>~a.b.c', ada).split('~')).to.have.length(1);
  });
});
