import type { Connection } from '../connections/index.js';
import type { Identity, IdentityKey } from '../identities/index.js';
import { AppError } from '../kernel/errors.js';
import { readerOf } from '../kernel/languages.js';
import { isDuplicateKey, type Tx } from '../platform/mongo/transactions.js';
import type { User } from '../users/index.js';
import type { AccountsDeps } from './accounts-deps.js';

export interface IdentityToLink extends IdentityKey {
  userId: string;
  /** At the provider. */
  email: string | null;
  /**
   * In a sign-in: the address by which the account was found whose owner was asked to prove it, and the app on the way
   * into which that was. Whatever it rested on is looked at again.
   */
  asked?: { email: string; clientId: string };
}

export type LinkResult = 'linked' | 'over' | 'taken';

/**
 * From now on somebody of a provider opens this account. Whoever calls it knows that the person has proven both in one
 * go. They are told by mail.
 */
export async function linkIdentity(deps: AccountsDeps, wanted: IdentityToLink): Promise<LinkResult> {
  const { asked, ...identity } = wanted;
  const actor = { kind: 'user', userId: wanted.userId } as const;
  try {
    return await deps.inTransaction(async (tx) => {
      const user = await deps.users.findUserById(wanted.userId, tx);
      const isOver = asked !== undefined && (user?.email !== asked.email || !user.emailVerified);
      if (user?.status !== 'active' || isOver || !(await deps.users.holdUser(tx, user.id))) return 'over';
      const connection = await (asked
        ? deps.connections.findUsable(identity, asked.clientId, tx)
        : deps.connections.findLinkable(identity, tx));
      if (!connection || (asked && !(await isVouchedFor(deps, connection, asked)))) return 'over';
      await deps.identities.linkIdentity(tx, actor, identity);
      const who = identity.email === null ? connection.name : `${identity.email} (${connection.name})`;
      await tell(deps, tx, user, { name: 'identity_linked', values: { who }, path: '/account/identities' });
      return 'linked';
    });
  } catch (error) {
    if (!isDuplicateKey(error)) throw error;
    // proven once more in a sign-in, as by a second press of the button
    const isOwn = asked && (await deps.identities.findIdentity(identity))?.userId === identity.userId;
    return isOwn ? 'linked' : 'taken';
  }
}

/** What the provider has said of the address was looked at when it came; here it is whether it is still believed. */
async function isVouchedFor(
  deps: AccountsDeps,
  connection: Connection,
  { email }: { email: string },
): Promise<boolean> {
  const claimed = { email, isEmailVerified: true };
  return deps.vouchesFor(connection, claimed) || (await deps.findDomainVouching(connection, claimed)) !== null;
}

/**
 * What was opened by it, or by anything else, ends with it but for the session in which it is unlinked. Throws 404 for
 * one that is not theirs, and 409 where it is their last way in.
 */
export async function unlinkIdentity(
  deps: AccountsDeps,
  { userId, sessionUid, identityId }: { userId: string; sessionUid: string; identityId: string },
): Promise<void> {
  await deps.inTransaction(async (tx) => {
    // two at once would each find the other one left
    const isThere = await deps.users.holdUser(tx, userId);
    const identities = isThere ? await deps.identities.listIdentitiesOf(userId, tx) : [];
    const identity = identities.find(({ id }) => id === identityId);
    const user = identity && (await deps.users.findUserById(userId, tx));
    if (!user) throw new AppError('identity.not_found', { status: 404, detail: 'There is no such linked account.' });
    const others = identities.filter(({ id }) => id !== identityId);
    const hasPasskey = user.factorKinds?.includes('passkey') ?? false;
    const hasOther =
      hasPasskey || (await hasOpenOther(deps, others)) || (await deps.credentials.hasPassword(tx, userId));
    if (!hasOther)
      throw new AppError('identity.last_way_in', {
        status: 409,
        detail: 'This is the only way into the account. Set a password first: “Forgot your password?” sends a link.',
      });
    const self = { kind: 'user', userId } as const;
    await deps.identities.unlinkIdentity(tx, self, identity);
    await deps.endOthersOf(tx, self, { userId, sessionUid }, 'session_ended');
    const who = identity.email ?? identity.issuer;
    await tell(deps, tx, user, { name: 'identity_unlinked', values: { who }, path: '/account/identities' });
  });
}

function tell(
  deps: AccountsDeps,
  tx: Tx,
  { email, profile }: User,
  letter: { name: 'identity_linked' | 'identity_unlinked'; values: { who: string }; path: string },
): Promise<void> {
  return deps.queueMail(tx, { to: email, reader: readerOf(profile), ...letter });
}

/** Those of the platform alone: a tenant's connection opens that tenant, and not the account. */
async function hasOpenOther(deps: AccountsDeps, others: readonly Identity[]): Promise<boolean> {
  for (const { tenantId, connectionId } of others) {
    const connection = await deps.connections.findConnection(tenantId, connectionId);
    if (
      connection?.status === 'enabled' &&
      connection.mode === 'login' &&
      (await deps.connections.isOfPlatform(connection))
    )
      return true;
  }
  return false;
}
