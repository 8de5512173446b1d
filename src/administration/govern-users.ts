import { z } from 'zod';
import type { Authority } from '../kernel/actor.js';
import { parseEmail } from '../kernel/email.js';
import type { PasswordOwner } from '../credentials/index.js';
import { AppError, type FieldProblem } from '../kernel/errors.js';
import type { Message } from '../kernel/message.js';
import { newId } from '../kernel/ids.js';
import { isDuplicateKey, type Tx } from '../platform/mongo/transactions.js';
import type { Membership } from '../memberships/index.js';
import type { Profile, User } from '../users/index.js';
import type { AdministrationDeps } from './administration-deps.js';
import { requireGrantable } from './grantable.js';
import { emailText, nameText, parsed, type Precondition } from './input.js';
import { noUser } from './look-up.js';
import { tellNewAddress, tellNewPassword } from './user-notices.js';

const passwordText = z.string().max(1024);
export const profile = {
  name: nameText(200).nullable(),
  givenName: nameText(200).nullable(),
  familyName: nameText(200).nullable(),
  locale: z
    .string()
    .max(35)
    .regex(/^[A-Za-z]{2,3}(?:-[A-Za-z0-9]{2,8})*$/, 'must be a language tag')
    .nullable(),
  zoneinfo: z
    .string()
    .max(60)
    .regex(/^[A-Za-z0-9+_/-]+$/, 'must be a time zone')
    .nullable(),
};
export const newUserSchema = z.strictObject({
  email: emailText,
  /** Whether somebody has made sure that the address is theirs. */
  emailVerified: z.boolean().default(false),
  ...z.strictObject(profile).partial().shape,
  password: passwordText.optional(),
  /** In the place of a password: the hash of another system, made stronger at the first sign-in. */
  passwordHash: z.string().max(512).optional(),
});
export const userChangesSchema = z.strictObject({ email: emailText, emailVerified: z.boolean(), ...profile }).partial();
export const newPasswordSchema = z.strictObject({ password: passwordText });

/** 409 when somebody has the address. */
export async function createUser(
  deps: AdministrationDeps,
  by: Authority,
  input: z.input<typeof newUserSchema>,
): Promise<User> {
  const { email: written, emailVerified, password, passwordHash, ...given } = parsed(newUserSchema, input);
  const email = parseEmail(written) ?? '';
  const hash = await firstHash(deps, { password, passwordHash, owner: { email, name: given.name ?? undefined } });
  const at = deps.now();
  const user: User = {
    ...{ id: newId('usr'), email, emailVerified, profile: merged({}, given) },
    ...{ status: 'active', createdAt: at, updatedAt: at },
  };
  await orAddressTaken(
    deps.inTransaction(async (tx) => {
      await deps.users.createUser(tx, by.actor, user);
      if (hash !== undefined) await deps.credentials.setPasswordHash(tx, by.actor, user.id, hash);
    }),
  );
  return user;
}

export async function changeUser(
  deps: AdministrationDeps,
  by: Authority,
  userId: string,
  { changes: input, precondition }: { changes: z.input<typeof userChangesSchema>; precondition?: Precondition },
): Promise<User> {
  const { email: written, emailVerified, ...given } = parsed(userChangesSchema, input);
  if (written !== undefined || emailVerified !== undefined) requireNotSelf(by, userId); // people prove their own address
  return orAddressTaken(
    deps.inTransaction(async (tx) => {
      const user = await userOf(deps, tx, userId);
      precondition?.(user);
      await requireNotAbove(deps, by, user);
      const email = written === undefined ? user.email : (parseEmail(written) ?? '');
      // another address is proven by nobody until somebody says so
      const isVerified = emailVerified ?? (email === user.email && user.emailVerified);
      const changes = { email, emailVerified: isVerified, profile: merged(user.profile, given), updatedAt: deps.now() };
      await deps.users.updateUser(tx, by.actor, user, changes);
      // what was sent before opens nothing any more, nor does a way back to a former address: it may be a thief's
      if (email !== user.email || isVerified !== user.emailVerified) await deps.links.forgetLinksOf(tx, userId);
      if (email !== user.email) {
        await deps.factors.forgetEmailCode(tx, userId);
        await tellNewAddress(deps, tx, user, email);
      }
      if (!isVerified) await deps.factors.disallowEmailCodes(tx, by.actor, user);
      return { ...user, ...changes };
    }),
  );
}

/** `disabled`: signed out everywhere and refused within five seconds; nothing is lost. */
export async function changeUserStatus(
  deps: AdministrationDeps,
  by: Authority,
  userId: string,
  status: User['status'],
): Promise<User> {
  return deps.inTransaction(async (tx) => {
    const user = await userOf(deps, tx, userId);
    await requireNotAbove(deps, by, user);
    if (status === 'disabled') requireNotSelf(by, userId);
    if (user.deletion) {
      // who is let in again stays; who is kept out does not come back by the link that they were sent
      const deletion = status === 'active' ? null : { ...user.deletion, tokenHash: null };
      await deps.users.setUserDeletion(tx, by.actor, user, deletion);
      return userOf(deps, tx, userId);
    }
    if (user.status === status) return user;
    const changes = { status, updatedAt: deps.now() };
    await deps.users.updateUser(tx, by.actor, user, changes);
    if (status === 'disabled') await deps.endings.endAllOf(tx, by.actor, userId, 'revoked');
    return { ...user, ...changes };
  });
}

/** The password opens nothing any more, and the person is signed out everywhere. */
export async function requirePasswordReset(deps: AdministrationDeps, by: Authority, userId: string): Promise<void> {
  await deps.inTransaction(async (tx) => {
    const user = await userOf(deps, tx, userId);
    await requireNotAbove(deps, by, user);
    await deps.credentials.requirePasswordReset(tx, by.actor, userId);
  });
}

/** For who has lost their second factors, which somebody may have found: asked for none any more, and signed out everywhere. */
export async function resetUserFactors(deps: AdministrationDeps, by: Authority, userId: string): Promise<void> {
  requireNotSelf(by, userId); // one's own are changed with fresh proof of them
  await deps.inTransaction(async (tx) => {
    const user = await userOf(deps, tx, userId);
    await requireNotAbove(deps, by, user);
    await deps.factors.resetFactors(tx, by.actor, user);
    await deps.endings.endAllOf(tx, by.actor, userId, 'revoked');
  });
}

/** A new password, which ends what the former one opened. */
export async function setUserPassword(
  deps: AdministrationDeps,
  by: Authority,
  userId: string,
  input: z.input<typeof newPasswordSchema>,
): Promise<void> {
  const { password } = parsed(newPasswordSchema, input);
  requireNotSelf(by, userId); // one's own is changed with fresh proof of who one is
  const { email, profile } = await userOf(deps, undefined, userId);
  const hash = await hashed(deps, password, { userId, email, name: profile.name });
  await deps.inTransaction(async (tx) => {
    const user = await userOf(deps, tx, userId);
    await requireNotAbove(deps, by, user);
    await deps.credentials.setPasswordHash(tx, by.actor, userId, hash);
    await tellNewPassword(deps, tx, user);
    await deps.links.forgetLinksOf(tx, userId); // a way back to a former address too: it may be a thief's
  });
}

export async function endUserSessions(
  deps: AdministrationDeps,
  by: Authority,
  userId: string,
  sessionId?: string,
): Promise<void> {
  const user = await userOf(deps, undefined, userId);
  if (by.actor.kind !== 'user' || by.actor.userId !== userId) await requireNotAbove(deps, by, user);
  if (sessionId === undefined)
    return deps.inTransaction((tx) => deps.endings.endAllOf(tx, by.actor, userId, 'revoked'));
  const sessions = await deps.sessions.listSessionsOf(userId);
  if (!sessions.some(({ id }) => id === sessionId)) throw noSession();
  await deps.endings.endSession(sessionId, by.actor);
}

/** Of one member: what the sessions opened in this tenant ends, and nothing elsewhere. */
export async function endMemberSessions(
  deps: AdministrationDeps,
  by: Authority,
  { tenantId, userId }: { tenantId: string; userId: string },
  sessionId?: string,
): Promise<void> {
  const membership = await deps.memberships.findMembership(tenantId, userId);
  if (!membership) throw noUser();
  if (by.actor.kind !== 'user' || by.actor.userId !== userId) await requireRolesOf(deps, by, membership);
  const sessions = await deps.sessions.listSessionsIn(tenantId, userId);
  if (sessionId !== undefined && !sessions.some(({ id }) => id === sessionId)) throw noSession();
  const of = { accountId: userId, tenantId, ...(sessionId === undefined ? {} : { sessionUid: sessionId }) };
  await deps.inTransaction((tx) => deps.endings.endGrantsOf(tx, by.actor, of, 'revoked'));
}

/**
 * With all that is theirs: memberships and seats, sessions, grants, password, consents. Personal tenants are archived.
 * 409, with each tenant, where they are the last owner of another kind of tenant.
 */
export async function deleteUser(
  deps: AdministrationDeps,
  by: Authority,
  userId: string,
  precondition?: Precondition,
): Promise<void> {
  requireNotSelf(by, userId);
  await deps.inTransaction(async (tx) => {
    const user = await userOf(deps, tx, userId);
    precondition?.(user);
    await requireNotAbove(deps, by, user);
    await removeUser(deps, tx, by, user);
  });
}

/** What `deleteUser` does, for who has asked everything before in this transaction. */
export async function removeUser(deps: AdministrationDeps, tx: Tx, { actor }: Authority, user: User): Promise<void> {
  const ownerless: string[] = [];
  for (const membership of await deps.memberships.listMembershipsOfUser(user.id, tx)) {
    const tenant = await deps.tenants.holdTenant(tx, membership.tenantId).catch(orNone);
    if (!tenant) continue;
    const leavesNone = tenant.status !== 'archived' && (await isLastOwner(deps, tx, membership));
    if (leavesNone && tenant.type !== 'personal') ownerless.push(tenant.id);
    if (leavesNone && tenant.type === 'personal')
      await deps.tenants.updateTenant(tx, actor, tenant, { status: 'archived', deleteAfter: deps.now() });
    await deps.memberships.removeMembership(tx, actor, membership);
    await deps.serviceAccounts.revokeKeysOf(tx, actor, tenant.id, user.id);
    await deps.forgetConsents(tx, tenant.id, user.id);
  }
  if (ownerless.length > 0) throw lastOwner(ownerless);
  await deps.endings.endAllOf(tx, actor, user.id, 'revoked');
  await deps.credentials.forgetCredentials(tx, user.id);
  await deps.links.forgetLinksOf(tx, user.id);
  await deps.users.deleteUser(tx, actor, user);
}

export async function userOf(deps: AdministrationDeps, tx: Tx | undefined, userId: string): Promise<User> {
  const user = await deps.users.findUserById(userId, tx);
  if (user) return user;
  throw noUser();
}

/** Whoever is an operator is changed only by who holds what they hold: nobody takes over an account above their own. */
export async function requireNotAbove(deps: AdministrationDeps, by: Authority, { id }: User): Promise<void> {
  const platform = await deps.tenants.findTenantBySlug(deps.platformSlug);
  const membership = platform && (await deps.memberships.findMembership(platform.id, id));
  if (membership) await requireRolesOf(deps, by, membership);
}

/** Whoever holds more than the caller is not their affair. */
async function requireRolesOf(deps: AdministrationDeps, by: Authority, { tenantId, roles }: Membership): Promise<void> {
  const platform = await deps.tenants.findTenantBySlug(deps.platformSlug);
  const held = await deps.roles.findRoles(tenantId, roles);
  const isOfOperators = tenantId === platform?.id;
  requireGrantable(
    by,
    held.map((role) => ({ ...role, permissions: deps.permissionsOf([role], isOfOperators) })),
  );
}

/** The tenant is held, so nobody else becomes or ceases to be an owner meanwhile. */
export async function isLastOwner(deps: AdministrationDeps, tx: Tx, { roles, tenantId }: Membership): Promise<boolean> {
  return roles.includes('owner') && (await deps.memberships.countMembersWithRole(tx, tenantId, 'owner')) === 1;
}

export function requireNotSelf({ actor }: Authority, userId: string): void {
  if (actor.kind !== 'user' || actor.userId !== userId) return;
  throw new AppError('user.is_self', { status: 409, detail: 'Nobody does this to their own account from here.' });
}

/** A hash of a password that the rules allow; 400 for another one. */
export async function hashed(deps: AdministrationDeps, password: string, owner: PasswordOwner): Promise<string> {
  const problem = await (await deps.credentials.passwordRulesFor(owner)).problemOf(password);
  if (problem) {
    const detail = deps.inEnglish(problem.said);
    throw unacceptable({ pointer: '/password', code: problem.code, detail }, problem.said);
  }
  return deps.credentials.hashPassword(password);
}

/** Of a new account: of its password, or as another system has stored it. */
async function firstHash(
  deps: AdministrationDeps,
  first: { password: string | undefined; passwordHash: string | undefined; owner: PasswordOwner },
): Promise<string | undefined> {
  const { password, passwordHash } = first;
  if (passwordHash === undefined) return password === undefined ? undefined : hashed(deps, password, first.owner);
  const problem = (code: string, detail: string): AppError => unacceptable({ pointer: '/passwordHash', code, detail });
  if (password !== undefined) throw problem('ambiguous', 'is of no use beside a password');
  if (!deps.credentials.isUsableHash(passwordHash))
    throw problem('unknown', 'must be an argon2id, bcrypt, scrypt or PBKDF2 hash of usual cost');
  return passwordHash;
}

function unacceptable(problem: FieldProblem, said?: Message): AppError {
  return new AppError('password.unacceptable', {
    ...{ status: 400, detail: 'The password cannot be taken.', fields: [problem], ...(said ? { said } : {}) },
  });
}

/** JSON Merge Patch (RFC 7396): null removes. */
export function merged(before: Profile, given: Readonly<Record<string, string | null | undefined>>): Profile {
  const changes = Object.entries(given).filter(([, value]) => value !== undefined);
  const after = Object.entries({ ...before, ...Object.fromEntries(changes) }).filter(([, value]) => value !== null);
  return Object.fromEntries(after);
}

async function orAddressTaken<T>(change: Promise<T>): Promise<T> {
  try {
    return await change;
  } catch (error) {
    if (!isDuplicateKey(error)) throw error;
    throw new AppError('user.email_taken', {
      status: 409,
      detail: 'Somebody has this e-mail address.',
      fields: [{ pointer: '/email', code: 'taken', detail: 'is taken' }],
      cause: error,
    });
  }
}

export function lastOwner(tenantIds: readonly string[]): AppError {
  return new AppError('user.last_owner', {
    status: 409,
    detail: `The user is the last owner of ${tenantIds.join(', ')}. Give them another owner, or archive them.`,
  });
}

export function noSession(): AppError {
  return new AppError('session.not_found', { status: 404, detail: 'There is no such session.' });
}

export function orNone(error: unknown): null {
  if (error instanceof AppError && error.status === 404) return null;
  throw error;
}
