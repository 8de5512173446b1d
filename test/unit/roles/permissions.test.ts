import { expect } from 'chai';
import { builtInRoles, coversPermission } from '../../../src/roles/index.js';

const cases: readonly [granted: string[], permission: string, covered: boolean][] = [
  [[], 'projects:read', false],
  [['projects:read'], 'projects:read', true],
  [['projects:read'], 'projects:write', false],
  [['projects:read'], 'project:read', false],
  [['projects:read'], 'projects:read:all', false],
  [['projects:read:all'], 'projects:read', false],
  [['projects:read', 'members:read'], 'members:read', true],
  [['*:*'], 'projects:write', true],
  [['*:*'], 'projects:parts:write', true],
  [['*:*'], 'platform:read', false],
  [['*:*'], 'platform:tenants:write', false],
  [['*:read'], 'projects:read', true],
  [['*:read'], 'projects:write', false],
  [['*:read'], 'projects:parts:read', false],
  [['*:read'], 'platform:read', false],
  [['projects:*'], 'projects:write', true],
  [['projects:*'], 'projects:parts:write', true],
  [['projects:*'], 'projects-archive:write', false],
  [['projects:*'], 'members:read', false],
  [['platform:*'], 'platform:tenants:write', true],
  [['platform:*'], 'projects:read', false],
  [['platform:tenants:write'], 'platform:tenants:write', true],
  [['platform:*:write'], 'platform:tenants:write', true],
  [['platform:*:write'], 'platform:tenants:read', false],
  [['*:tenants:write'], 'platform:tenants:write', false],
];

describe('what a permission covers', () => {
  for (const [granted, permission, covered] of cases) {
    it(`[${granted.join(', ')}] ${covered ? 'covers' : 'does not cover'} ${permission}`, () =>
      expect(coversPermission(granted, permission)).to.equal(covered));
  }

  it('no built-in role of a tenant reaches a permission of the platform', () => {
    const reaching = builtInRoles.filter((role) => coversPermission(role.permissions, 'platform:tenants:write'));
    expect(reaching.map((role) => role.key)).to.deep.equal([]);
  });

  it('a viewer only reads and a member does nothing by the role alone', () => {
    const byKey = new Map(builtInRoles.map((role) => [role.key, role.permissions]));
    expect(coversPermission(byKey.get('viewer') ?? [], 'projects:read')).to.be.true;
    expect(coversPermission(byKey.get('viewer') ?? [], 'projects:write')).to.be.false;
    expect(coversPermission(byKey.get('member') ?? [], 'projects:read')).to.be.false;
  });
});
