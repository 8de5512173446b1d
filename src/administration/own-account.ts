import { z } from 'zod';
import { systemAuthority, type Actor } from '../kernel/actor.js';
import { AppError } from '../kernel/errors.js';
import { readerOf, type Language } from '../kernel/languages.js';
import { randomSecret } from '../kernel/secret.js';
import { secondsAfter } from '../kernel/time.js';
import type { Tx } from '../platform/mongo/transactions.js';
import type { Tenant } from '../tenants/index.js';
import type { Deletion, User } from '../users/index.js';
import type { AdministrationDeps } from './administration-deps.js';
import {
  hashed,
  isLastOwner,
  lastOwner,
  merged,
  noSession,
  orNone,
  profile,
  removeUser,
  userOf,
} from './govern-users.js';
import { parsed, type Precondition } from './input.js';

const atOnce = 100;
const maintenance = systemAuthority('maintenance');

/** What people write about themselves: the address, what is proven of it, and all that gives rights is not in it. */
export const ownProfileSchema = z.strictObject(profile).partial();

export async function changeOwnProfile(
  deps: AdministrationDeps,
  userId: string,
  { changes, precondition }: { changes: z.input<typeof ownProfileSchema>; precondition?: Precondition },
): Promise<User> {
  const given = parsed(ownProfileSchema, changes);
  return deps.inTransaction(async (tx) => {
    const user = await userOf(deps, tx, userId);
    precondition?.(user);
    const after = { profile: merged(user.profile, given), updatedAt: deps.now() };
    await deps.users.updateUser(tx, { kind: 'user', userId }, user, after);
    return { ...user, ...after };
  });
}

/**
 * A new password, by the person, who has just proven the former one. Ends what that opened, but for the session in which
 * it is done. Gives the new identifier of that session, and from when the password counts.
 */
export async function changeOwnPassword(
  deps: AdministrationDeps,
  { userId, sessionUid, language }: { userId: string; sessionUid: string; language?: Language },
  password: string,
): Promise<{ identifier: string; changedAt: Date }> {
  const { email, profile } = await userOf(deps, undefined, userId);
  const hash = await hashed(deps, password, { userId, email, name: profile.name });
  return deps.inTransaction(async (tx) => {
    const user = await userOf(deps, tx, userId);
    const changedAt = await deps.credentials.changePasswordHash(tx, { userId, hash, keptSessionUid: sessionUid });
    const letter = { name: 'password_changed', values: { email: user.email }, path: '/recover' } as const;
    await deps.queueMail(tx, { to: user.email, reader: readerOf(user.profile, language), ...letter });
    const identifier = await deps.renewSession(tx, sessionUid);
    if (identifier === null) throw noSession();
    return { identifier, changedAt };
  });
}

/** Tenants that would be left without an owner, but for personal ones, which go with their person. */
export function listTenantsOwnedAlone(deps: AdministrationDeps, userId: string): Promise<Tenant[]> {
  return deps.inTransaction((tx) => ownedAlone(deps, tx, userId, deps.tenants.findTenantById));
}

/**
 * From now on nobody signs in to the account; after the grace period it is deleted with all that is theirs. A link sent
 * to the person takes it back, also to former addresses that they can still return to: it may be a thief who asks. 409, with each tenant, while they are the last owner of one.
 */
export async function requestDeletion(deps: AdministrationDeps, userId: string, language?: Language): Promise<Date> {
  const token = randomSecret();
  const dueAt = secondsAfter(deps.now(), deps.portal.deletionGraceSeconds);
  const actor: Actor = { kind: 'user', userId };
  await deps.inTransaction(async (tx) => {
    const user = await userOf(deps, tx, userId);
    if (user.status !== 'active') throw notToBeDeleted();
    const tenants = await heldAlone(deps, tx, userId);
    if (tenants.length > 0) throw lastOwner(tenants.map(({ id }) => id));
    const deletion: Deletion = { dueAt, tokenHash: deps.users.hashDeletionToken(token) };
    await deps.users.setUserDeletion(tx, actor, user, deletion);
    await deps.endings.endAllOf(tx, actor, userId, 'revoked');
    const letter = {
      name: 'deletion',
      reader: readerOf(user.profile, language),
      path: `/account/deletion/${token}`,
    } as const;
    for (const email of await addressesOf(deps, tx, user))
      await deps.queueMail(tx, { to: email, ...letter, values: { email, dueAt } });
  });
  return dueAt;
}

/** That of the account, and those to which a change of it can still be undone. */
async function addressesOf({ links }: AdministrationDeps, tx: Tx, { id, email }: User): Promise<Set<string>> {
  const undos = await links.listLinksOf(tx, id, 'undo_email_change');
  return new Set([email, ...undos.map(({ data }) => data['email'] ?? email)]);
}

/** Whose deletion this link takes back. Throws 404 when it is of no use any more. */
export async function getDeletion(deps: AdministrationDeps, token: string): Promise<{ user: User; dueAt: Date }> {
  const user = await deps.users.findUserByDeletionToken(token);
  if (!user?.deletion || user.deletion.dueAt <= deps.now()) throw notToBeDeleted();
  return { user, dueAt: user.deletion.dueAt };
}

/** The account is as it was, but that everybody is signed out of it. */
export async function cancelDeletion(deps: AdministrationDeps, token: string): Promise<void> {
  const { user } = await getDeletion(deps, token);
  const tokenHash = deps.users.hashDeletionToken(token);
  await deps.inTransaction(async (tx) => {
    const current = await userOf(deps, tx, user.id);
    if (current.deletion?.tokenHash !== tokenHash || current.deletion.dueAt <= deps.now()) throw notToBeDeleted();
    await deps.users.setUserDeletion(tx, { kind: 'user', userId: user.id }, current, null);
  });
}

/** Deletes whom it is time for. Gives how many are gone; one that cannot be deleted keeps no other. */
export async function deleteDueUsers(deps: AdministrationDeps, isOver: () => boolean = () => false): Promise<number> {
  const failures: unknown[] = [];
  let gone = 0;
  for (const userId of await deps.users.listUsersToDelete(deps.now(), atOnce)) {
    if (isOver()) break;
    try {
      await deps.inTransaction(async (tx) => {
        const user = await userOf(deps, tx, userId);
        requireDue(deps, user); // they may have taken it back since
        await closeOwnedAlone(deps, tx, userId);
        await removeUser(deps, tx, maintenance, user);
      });
      gone++;
    } catch (error) {
      failures.push(error);
    }
  }
  if (failures.length > 0) throw new AggregateError(failures, `${failures.length} users could not be deleted`);
  return gone;
}

function requireDue(deps: AdministrationDeps, { deletion }: User): void {
  if (!deletion || deletion.dueAt > deps.now()) throw notToBeDeleted();
}

/** Of tenants in which the other owners have left since. They are archived, so operators can still save them. */
async function closeOwnedAlone(deps: AdministrationDeps, tx: Tx, userId: string): Promise<void> {
  for (const tenant of await heldAlone(deps, tx, userId)) {
    if (tenant.slug === deps.platformSlug) continue; // never without an operator: the deletion fails
    const deleteAfter = secondsAfter(deps.now(), deps.deletionGraceSeconds);
    await deps.tenants.updateTenant(tx, maintenance.actor, tenant, { status: 'archived', deleteAfter });
  }
}

/** With the tenants held, so that nobody else becomes or ceases to be an owner meanwhile. */
function heldAlone(deps: AdministrationDeps, tx: Tx, userId: string): Promise<Tenant[]> {
  return ownedAlone(deps, tx, userId, (tenantId) => deps.tenants.holdTenant(tx, tenantId).catch(orNone));
}

async function ownedAlone(
  deps: AdministrationDeps,
  tx: Tx,
  userId: string,
  findTenant: (id: string) => Promise<Tenant | null>,
): Promise<Tenant[]> {
  const found: Tenant[] = [];
  for (const membership of await deps.memberships.listMembershipsOfUser(userId, tx)) {
    const tenant = await findTenant(membership.tenantId);
    if (!tenant || tenant.type === 'personal' || tenant.status === 'archived') continue;
    if (await isLastOwner(deps, tx, membership)) found.push(tenant);
  }
  return found;
}

function notToBeDeleted(): AppError {
  return new AppError('user.not_to_be_deleted', {
    status: 404,
    detail: 'This link is of no use any more.',
  });
}
