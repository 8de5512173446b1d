import type { ActionLink } from '../action-links/index.js';
import { readerOf, type Language } from '../kernel/languages.js';
import type { Message } from '../kernel/message.js';
import { secondsAfter } from '../kernel/time.js';
import { isDuplicateKey, type Tx } from '../platform/mongo/transactions.js';
import type { User } from '../users/index.js';
import { byPerson, type AccountsDeps } from './accounts-deps.js';
import { setAddress, tellReplaced } from './change-email.js';
import type { OpenRecovery } from './recover.js';

/** What the page of the link shows; null: it is over. Changes nothing. */
export async function findUndo(deps: AccountsDeps, token: string): Promise<OpenRecovery | null> {
  const link = await deps.links.findLink('undo_email_change', token);
  const user = link && (await ownerOf(deps, link));
  if (!link || !user) return null;
  const email = link.data['email'] ?? '';
  const { minimumLength } = await deps.credentials.passwordRulesFor({ userId: user.id, email });
  return { email, minimumLength };
}

export type UndoResult =
  { outcome: 'done' } | { outcome: 'over' } | { outcome: 'taken' } | { outcome: 'refused'; why: Message };

/**
 * Puts the former address back, whatever the account has had since, with a new password: whoever was in is out. Ways
 * back to addresses that came later end with it, and second factors and linked accounts that were added since shortly
 * before the change, since those may be of whoever took the account; earlier ones stay.
 */
export async function undoEmailChange(
  deps: AccountsDeps,
  { token, password, language }: { token: string; password: string; language?: Language },
): Promise<UndoResult> {
  const link = await deps.links.findLink('undo_email_change', token);
  const owner = link && (await ownerOf(deps, link));
  if (!link || !owner) return { outcome: 'over' };
  const about = { userId: owner.id, email: link.data['email'] ?? '', name: owner.profile.name };
  const problem = await (await deps.credentials.passwordRulesFor(about)).problemOf(password);
  if (problem) return { outcome: 'refused', why: problem.said };
  const hash = await deps.credentials.hashPassword(password);
  try {
    return await deps.inTransaction(async (tx) => {
      const taken = await deps.links.takeLink(tx, 'undo_email_change', token);
      const owner = taken && (await ownerOf(deps, taken, tx));
      if (!taken || !owner) return { outcome: 'over' };
      const user = await kept(deps, tx, owner);
      const email = taken.data['email'] ?? '';
      if (user.email !== email) await tellReplaced(deps, tx, user, language);
      await setAddress(deps, tx, user, email);
      await deps.links.forgetLaterLinks(tx, taken);
      const since = secondsAfter(taken.createdAt, -deps.undoneFactorsSeconds);
      await deps.factors.forgetFactorsSince(tx, user.id, since);
      await unlinkSince(deps, tx, user, since);
      await deps.credentials.setPasswordHash(tx, { kind: 'user', userId: user.id }, user.id, hash);
      const letter = { name: 'email_restored', values: { email } } as const;
      await deps.queueMail(tx, { to: email, reader: readerOf(user.profile, language), ...letter });
      await deps.recordEvent(tx, byPerson('user.email_change_undone', user.id));
      return { outcome: 'done' };
    });
  } catch (error) {
    if (isDuplicateKey(error)) return { outcome: 'taken' };
    throw error;
  }
}

async function unlinkSince(deps: AccountsDeps, tx: Tx, { id: userId }: User, since: Date): Promise<void> {
  const linked = (await deps.identities.listIdentitiesOf(userId, tx)).filter(({ linkedAt }) => linkedAt >= since);
  for (const identity of linked) await deps.identities.unlinkIdentity(tx, { kind: 'user', userId }, identity);
}

/**
 * Whose account it is. Also of one that waits to be deleted: whoever took it may have asked for that. Who was kept out by
 * an operator stays out.
 */
async function ownerOf(deps: AccountsDeps, { userId }: ActionLink, tx?: Tx): Promise<User | null> {
  const user = userId === null ? null : await deps.users.findUserById(userId, tx);
  return user && (user.status === 'active' || awaitsDeletion(user)) ? user : null;
}

/** By a wish of the person's own, that they can take back. */
function awaitsDeletion({ deletion }: User): boolean {
  return deletion !== undefined && deletion.tokenHash !== null;
}

/** As they were before somebody asked for the deletion. */
async function kept(deps: AccountsDeps, tx: Tx, user: User): Promise<User> {
  if (!awaitsDeletion(user)) return user;
  await deps.users.setUserDeletion(tx, { kind: 'user', userId: user.id }, user, null);
  return { ...user, status: 'active' };
}
