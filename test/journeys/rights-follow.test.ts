import { expect } from 'chai';
import fc from 'fast-check';
import { decodeJwt } from 'jose';
import { operator, tenantIdOf } from '../support/administered.js';
import { browser } from '../support/browser.js';
import { contractSeed, projectsApi, webSecret } from '../support/contract-seed.js';
import { signInWith } from '../support/load.js';
import { closeApps, startApp, type RunningApp } from '../support/start-app.js';
import { post, refreshing, type TokenSet } from '../http/requests.js';

const web: [string, string] = ['web', webSecret];
const permissions = ['projects:read', 'projects:write', 'projects:delete'];
const bob = { email: 'bob@example.com', password: 'correct horse battery' };
const wanted = `openid offline_access ${permissions.join(' ')}`;

const seed = {
  ...contractSeed,
  resources: [{ ...contractSeed.resources![0]!, permissions }],
  users: [
    ...(contractSeed.users ?? []),
    { ...bob, emailVerified: true, memberships: [{ tenant: 'acme', roles: ['one'] }] },
  ],
  tenants: [
    {
      ...contractSeed.tenants![0]!,
      roles: [
        { key: 'editor', permissions: ['projects:read'] },
        { key: 'one', permissions: [permissions[0]!] },
        { key: 'two', permissions: [permissions[1]!] },
      ],
    },
  ],
};

/** What the test itself knows of the world: which roles Bob has, what the two custom ones allow, and who is let in. */
interface World {
  roles: string[];
  isMember: boolean;
  isOpen: boolean;
  allowedBy: Record<string, string[]>;
}

type Change =
  | { kind: 'roles'; roles: string[] }
  | { kind: 'role'; key: 'one' | 'two'; permissions: string[] }
  | { kind: 'removed' }
  | { kind: 'status'; isOpen: boolean };

const change: fc.Arbitrary<Change> = fc.oneof(
  fc.record({
    kind: fc.constant('roles' as const),
    roles: fc.uniqueArray(fc.constantFrom('one', 'two', 'viewer', 'admin', 'member'), { minLength: 1 }),
  }),
  fc.record({
    kind: fc.constant('role' as const),
    key: fc.constantFrom('one' as const, 'two' as const),
    permissions: fc.uniqueArray(fc.constantFrom(...permissions)),
  }),
  fc.constant({ kind: 'removed' as const }),
  fc.record({ kind: fc.constant('status' as const), isOpen: fc.boolean() }),
);

function allowedIn({ roles, isMember, isOpen, allowedBy }: World): string[] {
  if (!isMember || !isOpen) return [];
  return permissions.filter((permission) => roles.some((role) => allowedBy[role]?.includes(permission)));
}

const permissionsIn = (scope: unknown): string[] =>
  (typeof scope === 'string' ? scope : '')
    .split(' ')
    .filter((name) => permissions.includes(name))
    .sort();

describe('sec-015 sec-056 rights follow every change', function () {
  this.timeout(300_000);
  let running: RunningApp;
  let tenantId: string;
  let userId: string;
  let tokens: TokenSet | null;
  let world: World;
  afterEach(closeApps);

  const signInAsBob = (): Promise<TokenSet> =>
    signInWith(running.issuer, browser(running.issuer), {
      who: bob,
      changes: { scope: wanted, resource: projectsApi },
    });

  async function begin(): Promise<void> {
    running = await startApp({ seed });
    tenantId = await tenantIdOf(running, 'acme');
    userId = (await running.app.administration.getUserByEmail(bob.email)).id;
    world = {
      ...{ roles: ['one'], isMember: true, isOpen: true },
      allowedBy: {
        ...{ one: [permissions[0]!], two: [permissions[1]!] },
        ...{ viewer: ['projects:read'], admin: permissions, member: [] },
      },
    };
    tokens = await signInAsBob();
  }

  async function apply(made: Change): Promise<void> {
    const { administration } = running.app;
    switch (made.kind) {
      case 'roles':
        if (world.isMember)
          await administration.changeMemberRoles(operator, { tenantId, userId }, { roles: made.roles });
        else await administration.addMember(operator, tenantId, { userId, roles: made.roles });
        Object.assign(world, { roles: made.roles, isMember: true });
        return;
      case 'role': {
        const found = running.database.collection<{ _id: string }>('roles').findOne({ tenantId, key: made.key });
        const { _id: roleId } = (await found)!;
        await administration.changeRole(operator, { tenantId, roleId }, { permissions: made.permissions });
        world.allowedBy[made.key] = made.permissions;
        return;
      }
      case 'removed':
        if (world.isMember) await administration.removeMember(operator, { tenantId, userId });
        world.isMember = false;
        tokens = null;
        return;
      case 'status':
        await administration.changeStatus(operator, tenantId, made.isOpen ? 'active' : 'suspended');
        world.isOpen = made.isOpen;
    }
  }

  /** What the tokens say is what the roles allow, of what was granted when the person signed in. */
  async function compare(granted: readonly string[]): Promise<void> {
    if (!tokens) return;
    const expected = allowedIn(world)
      .filter((permission) => granted.includes(permission))
      .sort();
    const isIn = world.isMember && world.isOpen;
    const told = (await post(running.issuer, 'introspect', { token: tokens.access_token }, web)).json;
    expect(told['active'], JSON.stringify(world)).to.equal(isIn);
    const held = permissionsIn(decodeJwt(tokens.access_token)['scope']);
    expect(permissionsIn(told['scope'])).to.deep.equal(isIn ? expected.filter((each) => held.includes(each)) : []);
    const refreshed = await post(running.issuer, 'token', refreshing(tokens), web);
    expect(refreshed.status, refreshed.text).to.equal(isIn ? 200 : 400);
    if (!isIn) return void expect(refreshed.json['error']).to.equal('invalid_grant');
    tokens = refreshed.json as unknown as TokenSet;
    expect(permissionsIn(decodeJwt(tokens.access_token)['scope'])).to.deep.equal(expected);
  }

  it('no sequence of changes leaves a token with a permission that the roles do not give', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(change, { minLength: 5, maxLength: 12 }), async (changes) => {
        await begin();
        try {
          let granted = permissionsIn(decodeJwt(tokens!.access_token)['scope']);
          for (const made of changes) {
            await apply(made);
            await compare(granted);
            if (tokens !== null || !world.isMember || !world.isOpen) continue;
            tokens = await signInAsBob();
            granted = permissionsIn(decodeJwt(tokens.access_token)['scope']);
            expect(granted).to.deep.equal(allowedIn(world).sort());
          }
        } finally {
          await closeApps();
        }
      }),
      { numRuns: 25 },
    );
  });
});
