import { isDeepStrictEqual } from 'node:util';
import { parseEmail } from '../kernel/email.js';
import { newId } from '../kernel/ids.js';
import type { Tx } from '../platform/mongo/transactions.js';
import type { Tenant } from '../tenants/index.js';
import type { Profile, User } from '../users/index.js';
import type { Seed } from './seed.js';
import type { SeedDeps, SeedPlan } from './seed-plan.js';

type SeedUser = Seed['users'][number];

/** Plans users with their passwords and memberships. */
export async function planUsers(deps: SeedDeps, plan: SeedPlan, seed: Seed): Promise<void> {
  const seen = new Set<string>();
  for (const [index, wanted] of seed.users.entries()) {
    const path = ['users', index];
    const email = parseEmail(wanted.email);
    if (email === null) {
      plan.refuse([...path, 'email'], 'is not an e-mail address');
      continue;
    }
    if (seen.has(email)) plan.refuse([...path, 'email'], 'is there twice');
    seen.add(email);
    const problem = problemOfPassword(deps, wanted.password);
    if (problem) plan.refuse([...path, 'password'], problem);
    const hashProblem = problemOfHash(deps, wanted);
    if (hashProblem) plan.refuse([...path, 'passwordHash'], hashProblem);
    const before = await deps.users.findUserByEmail(email);
    const user = planUser(deps, plan, { email, wanted, before });
    await planPassword(deps, plan, { userId: user.id, wanted, exists: before !== null });
    await planMemberships(deps, plan, { user, wanted, isNew: before === null, path: [...path, 'memberships'] });
  }
}

function planUser(
  deps: SeedDeps,
  plan: SeedPlan,
  { email, wanted, before }: { email: string; wanted: SeedUser; before: User | null },
): User {
  const { name, givenName, familyName, locale, zoneinfo } = wanted;
  const profile = JSON.parse(JSON.stringify({ name, givenName, familyName, locale, zoneinfo })) as Profile;
  const changes = { email, emailVerified: wanted.emailVerified, profile };
  const at = deps.now();
  if (!before) {
    const user: User = { id: newId('usr'), status: 'active', createdAt: at, updatedAt: at, ...changes };
    plan.create((tx) => deps.users.createUser(tx, plan.actor, user));
    return user;
  }
  const current = { email: before.email, emailVerified: before.emailVerified, profile: before.profile };
  if (isDeepStrictEqual(current, changes)) plan.keep();
  else plan.update((tx) => deps.users.updateUser(tx, plan.actor, before, { ...changes, updatedAt: at }));
  return before;
}

async function planPassword(
  deps: SeedDeps,
  plan: SeedPlan,
  { userId, wanted, exists }: { userId: string; wanted: SeedUser; exists: boolean },
): Promise<void> {
  const { password, passwordHash } = wanted;
  if (password === undefined && passwordHash === undefined) return;
  if (exists && (await isSet(deps, userId, wanted))) return plan.keep();
  const hash = passwordHash ?? (await deps.credentials.hashPassword(password ?? ''));
  const set = (tx: Tx): Promise<void> => deps.credentials.setPasswordHash(tx, plan.actor, userId, hash);
  if (exists) plan.update(set);
  else plan.create(set);
}

/** Also when it came by this hash and was made stronger since. */
function isSet(deps: SeedDeps, userId: string, { password, passwordHash }: SeedUser): Promise<boolean> {
  if (passwordHash !== undefined) return deps.credentials.isImportOf(userId, passwordHash);
  return deps.credentials.verifyPassword(userId, password ?? '');
}

function problemOfHash({ credentials }: SeedDeps, { password, passwordHash }: SeedUser): string | null {
  if (passwordHash === undefined) return null;
  if (password !== undefined) return 'is of no use beside a password';
  return credentials.isUsableHash(passwordHash) ? null : 'is no argon2id, bcrypt, scrypt or PBKDF2 hash of usual cost';
}

/** Whoever writes the file answers for how good they are. */
function problemOfPassword({ passwordLength }: SeedDeps, password: string | undefined): string | null {
  const length = password === undefined ? passwordLength.minimum : [...password].length;
  if (length < passwordLength.minimum) return `must have at least ${passwordLength.minimum} characters`;
  return length > passwordLength.maximum ? `must have at most ${passwordLength.maximum} characters` : null;
}

interface MembershipsToPlan {
  user: User;
  wanted: SeedUser;
  isNew: boolean;
  path: readonly (string | number)[];
}

async function planMemberships(
  deps: SeedDeps,
  plan: SeedPlan,
  { user, wanted, isNew, path }: MembershipsToPlan,
): Promise<void> {
  for (const [index, { tenant: slug, roles }] of wanted.memberships.entries()) {
    const tenant = plan.tenants.get(slug) ?? (await deps.tenants.findTenantBySlug(slug));
    if (!tenant || tenant.status === 'deleted') {
      plan.refuse([...path, index, 'tenant'], `names no tenant: ${slug}`);
      continue;
    }
    const known = plan.roleKeys.get(tenant.id) ?? (await roleKeysOf(deps, tenant));
    for (const [position, key] of roles.entries()) {
      if (!known.has(key)) plan.refuse([...path, index, 'roles', position], `is no role of ${slug}: ${key}`);
    }
    if (!plan.takes('membership', `${tenant.id} ${user.id}`)) plan.refuse([...path, index, 'tenant'], 'is there twice');
    const hasOneMember = deps.tenantTypes[tenant.type].maximumMembers === 1;
    if (hasOneMember && !plan.takes('personal', tenant.id)) {
      plan.refuse([...path, index, 'tenant'], 'is personal and has its one member already');
    }
    const before = isNew ? null : await deps.memberships.findMembership(tenant.id, user.id);
    if (!before) {
      const ids = { id: newId('mem'), tenantId: tenant.id, userId: user.id };
      const membership = { ...ids, roles, createdAt: deps.now(), pickedAt: null, acceptedTerms: null };
      plan.create((tx) => deps.memberships.addMembership(tx, plan.actor, membership));
    } else if (isDeepStrictEqual(before.roles, roles)) plan.keep();
    else plan.update((tx) => deps.memberships.setMembershipRoles(tx, plan.actor, before, roles));
  }
}

export async function roleKeysOf(deps: SeedDeps, { id, type }: Tenant): Promise<Set<string>> {
  const custom = await deps.roles.listCustomRoles(id);
  return new Set([...deps.tenantTypes[type].builtInRoles, ...custom.map((role) => role.key)]);
}
