import { expect } from 'chai';
import { createHash } from 'node:crypto';
import { connectionFrom } from '../../../src/connections/draft.js';
import { readPerson, requireSoundIdToken } from '../../../src/connections/read-person.js';
import { vouchesFor, type Connection, type UpstreamPerson } from '../../../src/connections/connection.js';
import { draftFrom, type ConnectionPart } from '../../../src/platform/schemas/connection.js';

const at = new Date(0);
const issuer = 'https://login.example.com';

function connection(members: ConnectionPart = {}): Connection {
  const draft = draftFrom({ name: 'A provider', issuer, clientId: 'us', authoritative: true }, members);
  const own = { id: 'con_1', tenantId: 'ten_1', key: 'a', publicKey: null, createdAt: at, updatedAt: at };
  return connectionFrom(draft, own);
}

const personOf = (documents: object[], of = connection()): UpstreamPerson =>
  readPerson(of, { documents: documents as Record<string, unknown>[], issuer });

describe('what a provider says of a person', () => {
  it('sec-002 an address is verified by JSON true alone', () => {
    const values = [true, 'true', 'false', 1, 0, [], [true], {}, null, 'yes', undefined];
    const verified = values.filter((email_verified) => {
      const person = personOf([{ sub: 's', email: 'ada@example.com', email_verified }]);
      return vouchesFor(connection(), person);
    });
    expect(verified).to.deep.equal([true]);
  });

  it('sec-003 address and proof come from the same document', () => {
    const verified = { sub: 's', email_verified: true };
    const other = { sub: 's', email: 'victim@example.com' };
    expect(personOf([verified, other])).to.include({ email: 'victim@example.com', isEmailVerified: false });
    const own = { ...verified, email: 'own@example.com' };
    expect(personOf([own, other])).to.include({ email: 'own@example.com', isEmailVerified: true });
    expect(personOf([{ sub: 's' }, { ...own }])).to.include({ email: 'own@example.com', isEmailVerified: true });
  });

  it('sec-009 what is no one address is none', () => {
    for (const email of ['a@evil.com@corp.com', 'a@corp.com.', 'a b@corp.com', 'a@corp..com', '@corp.com', 'a', ''])
      expect(personOf([{ sub: 's', email, email_verified: true }]).email, email).to.equal(null);
    expect(personOf([{ sub: 's', email: 'A@CORP.com', email_verified: true }]).email).to.equal('a@corp.com');
  });

  it('sec-011 a person is named by their subject, whatever else looks like a name', () => {
    expect(personOf([{ sub: 's', preferred_username: 'usr_1', name: 'admin' }]).subject).to.equal('s');
    const byNumber = connection({ protocol: 'oauth2', claims: { subject: 'id' } });
    expect(personOf([{ id: 583231 }], byNumber).subject).to.equal('583231');
    for (const sub of [undefined, '', null, {}, [], true, 1.5, 'x'.repeat(256), 'a\0b'])
      expect(() => personOf([{ sub }]), JSON.stringify(sub)).to.throw('names no person');
  });

  it('takes of a profile what is a name, and leaves the rest', () => {
    const claims = { sub: 's', name: 'Ada\u202e', given_name: 'Ada', family_name: 7, locale: 'en-GB', zoneinfo: 'a b' };
    expect(personOf([claims]).profile).to.deep.equal({ givenName: 'Ada', locale: 'en-GB' });
  });

  it('a second factor there counts by the values that the connection trusts alone', () => {
    const trusting = connection({ secondLevel: { acr: ['urn:two'], amr: ['mfa'] } });
    const levels = (claims: object): boolean[] =>
      [connection(), trusting].map((of) => personOf([{ sub: 's', ...claims }], of).hasSecondLevel);
    expect(levels({ acr: 'urn:two' })).to.deep.equal([false, true]);
    expect(levels({ amr: ['pwd', 'mfa'] })).to.deep.equal([false, true]);
    expect(levels({ amr: 'mfa', acr: 'urn:one' })).to.deep.equal([false, false]);
  });

  it('of how somebody signed in there it hands on what the connection names, by registered names, and never pwd', () => {
    const named = ['hwk', 'pwd', 'mfa', 'fed', 'urn:own:card'];
    const trusting = connection({ secondLevel: { acr: ['urn:two'], amr: named } });
    const methods = (claims: object, of = trusting): readonly string[] =>
      personOf([{ sub: 's', ...claims }], of).methods;
    expect(methods({ amr: ['pwd', 'otp', 'mfa', 'hwk', 'hwk', 'fed', 'urn:own:card'] })).to.deep.equal(['hwk', 'mfa']);
    expect(methods({ amr: Array.from({ length: 10_000 }, (_, index) => `m${index}`).concat('mfa') })).to.deep.equal([
      'mfa',
    ]);
    for (const amr of ['hwk', 'mfa hwk', 1, true, null, {}, { 0: 'hwk', length: 1 }, [1, null, ['hwk'], { hwk: true }]])
      expect(methods({ amr, acr: 'urn:two' }), JSON.stringify(amr)).to.deep.equal([]);
    expect(methods({ amr: ['otp'], acr: 'urn:two' }), 'trusted by acr alone').to.deep.equal([]);
    expect(methods({ amr: named }, connection())).to.deep.equal([]);
    const oauth2 = connection({ protocol: 'oauth2', secondLevel: { acr: [], amr: named } });
    expect(methods({ amr: named }, oauth2)).to.deep.equal([]);
    expect(personOf([{ sub: 's' }, { sub: 's', amr: ['mfa'] }], trusting), 'of userinfo').to.deep.include({
      ...{ hasSecondLevel: false, methods: [] },
    });
  });
});

describe('sec-006 an ID token, as far as the library leaves it to us', () => {
  const accessToken = 'an access token';
  const about = { clientId: 'us', algorithm: 'RS256', accessToken };
  const now = (): number => Math.floor(Date.now() / 1000);
  const half = (name: string): string => {
    const digest = createHash(name).update(accessToken).digest();
    return digest.subarray(0, digest.length / 2).toString('base64url');
  };

  it('is for us, of now, and of this access token', () => {
    requireSoundIdToken({ iat: now() }, about);
    requireSoundIdToken({ iat: now() + 10, azp: 'us', at_hash: half('sha256') }, about);
    requireSoundIdToken({ iat: now(), at_hash: half('sha512') }, { ...about, algorithm: 'EdDSA' });
    for (const claims of [
      { iat: now(), azp: 'somebody-else' },
      { iat: now(), azp: ['us'] },
      { iat: now() + 60 },
      { iat: String(now()) },
      {},
      { iat: now(), at_hash: 'x' },
      { iat: now(), at_hash: half('sha384') },
    ])
      expect(() => requireSoundIdToken(claims, about), JSON.stringify(claims)).to.throw();
  });
});
