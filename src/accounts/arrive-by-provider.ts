import { isDeepStrictEqual } from 'node:util';
import type { Connection, UpstreamPerson } from '../connections/index.js';
import type { IdentityKey } from '../identities/index.js';
import { AppError } from '../kernel/errors.js';
import { newId } from '../kernel/ids.js';
import { isDuplicateKey, type Tx } from '../platform/mongo/transactions.js';
import type { User } from '../users/index.js';
import { byPerson, type AccountsDeps } from './accounts-deps.js';
import { isUnproven } from './make-account.js';
import { isSignUpOpen, type SignUpThrough } from './sign-up.js';

/** Somebody whom a provider has sent, and by which connection. */
export interface ProviderArrival {
  connection: Connection;
  person: UpstreamPerson;
  /** Of the whole platform: whoever it vouches for may have an account of their own. */
  isOfPlatform: boolean;
  /** A verified domain of the connection's tenant says that it knows whose the address is. */
  isOfDomain: boolean;
  /** And that its people become members. */
  isTakenIn: boolean;
  /** The app that they come from. */
  through: SignUpThrough;
}

/** The built-in role that may do nothing by itself. */
const plainMember = 'member';
const notTakenInCode = 'domain.not_taken_in';

export type ArrivalResult =
  /** Whose account it is. */
  | { outcome: 'known'; user: User }
  /** Somebody has the address: the owner has to prove the account, in this same sign-in, to link the two. */
  | { outcome: 'to_prove'; user: User }
  /** Nobody's, and whether somebody has the address is not told. */
  | { outcome: 'unknown' }
  /** The account is closed. */
  | { outcome: 'closed' }
  /** Its tenant would take them in, and has no seat left: no account is made. */
  | { outcome: 'full' };

/**
 * Whose account somebody of a provider opens: the one that is linked to them, whatever the addresses say. The address
 * counts only where the provider is believed about it, and even then it opens no account that is somebody's already.
 */
export async function arriveByProvider(deps: AccountsDeps, arrival: ProviderArrival): Promise<ArrivalResult> {
  const { connection, person } = arrival;
  const identity = await deps.identities.findIdentity(identityKeyOf(connection, person));
  if (identity) {
    const user = await deps.users.findUserById(identity.userId);
    if (user?.status !== 'active') return { outcome: 'closed' };
    await deps.identities.noteIdentityUse(identity);
    await syncRoles(deps, arrival, user.id);
    // who somebody is called everywhere is not for the provider of one tenant to say
    const isSynced = connection.syncsProfile && arrival.isOfPlatform;
    return { outcome: 'known', user: isSynced ? await withProfileOf(deps, user, person) : user };
  }
  const isVouchedFor = arrival.isOfDomain || deps.vouchesFor(connection, person);
  if (person.email === null || !isVouchedFor) return { outcome: 'unknown' };
  const owner = await deps.users.findUserByEmail(person.email);
  if (!owner || (await isUnproven(deps, owner))) return newcomer(deps, arrival, person.email);
  // of an address that was not shown to be theirs nobody is the owner yet
  return owner.status === 'active' && owner.emailVerified
    ? { outcome: 'to_prove', user: owner }
    : { outcome: 'unknown' };
}

export function identityKeyOf(connection: Connection, { issuer, subject }: UpstreamPerson): IdentityKey {
  return { tenantId: connection.tenantId, connectionId: connection.id, issuer, subject };
}

/** An account of their own, or one that somebody else has made with their address, with nothing of what was there. */
async function newcomer(deps: AccountsDeps, arrival: ProviderArrival, email: string): Promise<ArrivalResult> {
  const { connection, isOfPlatform, through, isTakenIn } = arrival;
  const mayJoinPlatform = connection.makesAccounts && isOfPlatform && isSignUpOpen(deps, through);
  if (!isTakenIn && !mayJoinPlatform) return { outcome: 'unknown' };
  try {
    const userId = await deps.inTransaction((tx) => storeNewcomer(deps, tx, arrival, email));
    const user = userId === null ? null : await deps.users.findUserById(userId);
    return user ? { outcome: 'known', user } : { outcome: 'unknown' };
  } catch (error) {
    // two browsers at once: whoever comes second finds the account when they try again
    if (isDuplicateKey(error)) return { outcome: 'unknown' };
    if (!(error instanceof AppError)) throw error;
    if (error.code === 'seat.none_left') return { outcome: 'full' };
    if (error.code === notTakenInCode) return { outcome: 'unknown' };
    throw error;
  }
}

async function storeNewcomer(
  deps: AccountsDeps,
  tx: Tx,
  arrival: ProviderArrival,
  email: string,
): Promise<string | null> {
  const { connection, person, isTakenIn } = arrival;
  if (!(await isStillTakenIn(deps, tx, arrival, email))) return null;
  const found = await deps.users.findUserByEmail(email);
  const before = found && (await deps.users.findUserById(found.id, tx));
  if (before && (before.email !== email || !(await isUnproven(deps, before, tx)))) return null;
  const userId = before?.id ?? newId('usr');
  const actor = { kind: 'user', userId } as const;
  const at = deps.now();
  const proven = { emailVerified: true, profile: person.profile, updatedAt: at };
  if (before) {
    await deps.credentials.dropCredentials(tx, actor, userId);
    await deps.links.forgetLinksOf(tx, userId);
    await deps.users.updateUser(tx, actor, before, proven);
  } else await deps.users.createUser(tx, actor, { id: userId, email, status: 'active', createdAt: at, ...proven });
  await deps.createPersonalTenant(tx, userId);
  await deps.identities.linkIdentity(tx, actor, { ...identityKeyOf(connection, person), userId, email });
  await deps.recordEvent(tx, byPerson('user.email_verified', userId));
  if (isTakenIn && (await deps.joinByDomainIn(tx, { userId, connection, person })) !== 'member') throw notTakenIn();
  return userId;
}

/** The provider may have taken its time to answer: what an account rests on is looked at again where it is made. */
async function isStillTakenIn(
  deps: AccountsDeps,
  tx: Tx,
  { connection, isTakenIn, through }: ProviderArrival,
  email: string,
): Promise<boolean> {
  const reference = { tenantId: connection.tenantId, connectionId: connection.id };
  const now = await deps.connections.findUsable(reference, through.clientId, tx);
  return now !== null && (isTakenIn || (now.makesAccounts && deps.vouchesFor(now, { email, isEmailVerified: true })));
}

/** Ends the transaction in which the account would be made. */
function notTakenIn(): AppError {
  return new AppError(notTakenInCode, { status: 403, detail: 'The tenant of the domain takes nobody in any more.' });
}

/**
 * Roles that the mapping names follow the provider, and no others: whoever has written it could give those, and might not
 * take the others. An owner stays as they are. Where the provider says nothing of them, nothing changes; whoever would be
 * left with none is a plain member.
 */
async function syncRoles(
  deps: AccountsDeps,
  { connection, person, isOfPlatform }: ProviderArrival,
  userId: string,
): Promise<void> {
  const { roleMapping } = connection;
  if (isOfPlatform || !roleMapping?.syncs || person.claims[roleMapping.claim] === undefined) return;
  const wanted = deps.mappedRoles(connection, person);
  const named = roleMapping.values.map(({ role }) => role);
  await deps.inTransaction(async (tx) => {
    const membership = await deps.findMembership(connection.tenantId, userId, tx);
    if (!membership || membership.roles.includes('owner')) return;
    const others = membership.roles.filter((role) => !named.includes(role));
    const kept = [...new Set([...others, ...wanted])];
    const roles = kept.length > 0 ? kept : [plainMember];
    if (isDeepStrictEqual(membership.roles.toSorted(), roles.toSorted())) return;
    const actor = { kind: 'system', reason: 'protocol' } as const;
    await deps.setMembershipRoles(tx, actor, membership, roles);
  });
}

/** Names follow the provider; what it does not tell stays. */
async function withProfileOf(deps: AccountsDeps, user: User, person: UpstreamPerson): Promise<User> {
  const profile = { ...user.profile, ...person.profile };
  if (JSON.stringify(profile) === JSON.stringify(user.profile)) return user;
  const changes = { profile, updatedAt: deps.now() };
  await deps.inTransaction(async (tx) => {
    const current = await deps.users.findUserById(user.id, tx);
    if (current) await deps.users.updateUser(tx, { kind: 'user', userId: user.id }, current, changes);
  });
  return { ...user, ...changes };
}
