import { expect } from 'chai';
import { assurance, type Level } from '../../../src/credentials/index.js';
import { levelOfPerson } from '../../../src/oidc/required-level.js';

describe('what somebody has to reach wherever they go', () => {
  const levelFor = (
    everybodysLevel: Level,
    person: { acr?: string; amr: string[]; enrolled: string[]; refuses?: boolean },
  ): Promise<Level> => {
    const { acr, amr, enrolled, refuses = false } = person;
    const deps = { assurance, everybodysLevel, refusesEmailCodes: async () => refuses };
    return levelOfPerson(deps, { userId: 'usr_1', acr, amr, enrolled });
  };

  it('is what everybody has to', async () => {
    const person = { acr: 'aal1', amr: ['pwd'], enrolled: [] };
    expect(await levelFor('aal1', person)).to.equal('aal1');
    expect(await levelFor('aal2', person)).to.equal('aal2');
  });

  it('is two factors for a sign-in by a code by e-mail, where a tenant of theirs refuses those', async () => {
    const byCode = { acr: 'aal1', amr: ['pwd', 'otp'], enrolled: ['email', 'totp'] };
    expect(await levelFor('aal1', byCode)).to.equal('aal1');
    expect(await levelFor('aal1', { ...byCode, refuses: true })).to.equal('aal2');
    expect(await levelFor('aal1', { ...byCode, enrolled: ['totp'], refuses: true }), 'of before').to.equal('aal2');
    expect(await levelFor('aal1', { ...byCode, amr: ['pwd'], refuses: true }), 'a trusted browser').to.equal('aal1');
  });
});
