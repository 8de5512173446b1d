import { parseEmail } from '../kernel/email.js';
import { AppError } from '../kernel/errors.js';
import { readerOf, type Language } from '../kernel/languages.js';
import { secondsAfter } from '../kernel/time.js';
import { isDuplicateKey, type Tx } from '../platform/mongo/transactions.js';
import type { User } from '../users/index.js';
import { byPerson, type AccountsDeps } from './accounts-deps.js';
import { shownOf, type AskedFrom, type OpenProof, type ProofGiven } from './verify-email.js';

export interface EmailChange extends AskedFrom {
  /** As it was typed. */
  email: string;
  /** When the person last proved, with the strongest thing they have, who they are. */
  provenAt: Date;
}

export type EmailChangeStarted = 'sent' | 'no_address' | 'same' | 'too_many' | 'of_domain';

/**
 * Sends a link to the new address. Until it is opened nothing is changed: sign-in and recovery stay with the address
 * there is. Whether somebody else has the new one is not told; then nothing is sent. An address of a domain that is
 * enforced stays: with another one its people would sign in past their organisation. Throws 403 for a proof that is old.
 */
export async function startEmailChange(
  deps: AccountsDeps,
  { userId, browserId, email: typed, provenAt, language }: EmailChange,
): Promise<EmailChangeStarted> {
  if (provenAt < secondsAfter(deps.now(), -deps.freshProofSeconds)) throw proofTooOld();
  const email = parseEmail(typed);
  const user = await deps.users.findUserById(userId);
  if (email === null || user?.status !== 'active') return 'no_address';
  if (email === user.email) return 'same';
  if (!(await mayLeaveAddress(deps, user))) return 'of_domain';
  if (!(await deps.links.countMail('change_email', email))) return 'too_many';
  const isTaken = (await deps.users.findUserByEmail(email)) !== null;
  await deps.inTransaction(async (tx) => {
    await deps.links.forgetLinksOf(tx, userId, ['change_email']);
    const data = { email, former: user.email, browserId, since: sinceOf(user) };
    const link = { purpose: 'change_email', userId: isTaken ? null : userId, data } as const;
    const { token, expiresAt } = await deps.links.createLink(tx, link);
    await deps.queueMail(tx, {
      ...{ to: isTaken ? null : email, name: 'email_change', reader: readerOf(user.profile, language) },
      ...{ values: { email, expiresAt }, path: `/change-email/${token}` },
    });
    await deps.recordEvent(tx, byPerson('user.email_change_requested', userId));
  });
  return 'sent';
}

/** What the page of the link shows; null: it is over. Changes nothing. */
export async function findEmailChange(
  deps: AccountsDeps,
  { token, browserId }: { token: string; browserId: string },
): Promise<OpenProof | null> {
  const link = await deps.links.findLink('change_email', token);
  return link && shownOf(link, browserId);
}

/**
 * The account has the new address from now on. Only in the browser that asked: a typing mistake makes nobody the owner.
 * The former address is told, with a link that puts it back, unless the account returns to one that it had before.
 */
export async function proveEmailChange(
  deps: AccountsDeps,
  { token, browserId, language }: ProofGiven,
): Promise<'done' | 'over' | 'elsewhere' | 'taken'> {
  const link = await deps.links.findLink('change_email', token);
  if (!link) return 'over';
  if (!shownOf(link, browserId).isAsked) return 'elsewhere';
  const before = link.userId && (await deps.users.findUserById(link.userId));
  if (before && !(await mayLeaveAddress(deps, before))) return 'over';
  try {
    return await deps.inTransaction(async (tx) => {
      const taken = await deps.links.takeLink(tx, 'change_email', token);
      const user = taken?.userId ? await deps.users.findUserById(taken.userId, tx) : null;
      if (!taken || user?.status !== 'active' || user.email !== taken.data['former']) return 'over';
      // whoever asked may have been a thief, who was to be kept out meanwhile
      if (taken.data['since'] !== sinceOf(user)) return 'over';
      const email = taken.data['email'] ?? '';
      await setAddress(deps, tx, user, email);
      if (await isReturn(deps, tx, user.id, email)) await tellReplaced(deps, tx, user, language);
      else await offerUndo(deps, tx, user, language);
      await deps.recordEvent(tx, byPerson('user.email_changed', user.id));
      return 'done';
    });
  } catch (error) {
    if (isDuplicateKey(error)) return 'taken';
    throw error;
  }
}

/**
 * Since when password and factors are what they are, and nobody was signed out. The link of a request that is overtaken by
 * such a change is made after that has ended those that there were.
 */
function sinceOf({ credentialsChangedAt, factorsChangedAt, browsersTrustedSince }: User): string {
  const moments = [credentialsChangedAt, factorsChangedAt, browsersTrustedSince];
  return moments.map((at) => at?.toISOString() ?? '').join(' ');
}

const mayLeaveAddress = (deps: AccountsDeps, user: User): Promise<boolean> => deps.maySignInWith(user, null);

/** Links and codes that went to the former address open nothing any more, but for the way back. */
export async function setAddress(deps: AccountsDeps, tx: Tx, user: User, email: string): Promise<void> {
  const actor = { kind: 'user', userId: user.id } as const;
  await deps.users.updateUser(tx, actor, user, { email, emailVerified: true, updatedAt: deps.now() });
  await deps.links.forgetWaysIn(tx, user.id);
  await deps.factors.forgetEmailCode(tx, user.id);
}

/**
 * Whether it could be put back to this address anyhow. Then whoever had it meanwhile gets no way back: neither to the
 * address that is left nor to those in between.
 */
async function isReturn(deps: AccountsDeps, tx: Tx, userId: string, email: string): Promise<boolean> {
  const undos = await deps.links.listLinksOf(tx, userId, 'undo_email_change');
  const first = undos.find(({ data }) => data['email'] === email);
  if (first) await deps.links.forgetLaterLinks(tx, first);
  return first !== undefined;
}

/** To an address that was proven, that it is not the one of the account any more. */
export async function tellReplaced(
  deps: AccountsDeps,
  tx: Tx,
  { email, emailVerified, profile }: User,
  language: Language | undefined,
): Promise<void> {
  if (!emailVerified) return;
  await deps.queueMail(tx, {
    ...{ to: email, name: 'email_replaced', reader: readerOf(profile, language), values: { email } },
  });
}

/** An address that nobody had proven gets no way back: it may be that of somebody else. */
async function offerUndo(
  deps: AccountsDeps,
  tx: Tx,
  { id, email, emailVerified, profile }: User,
  language: Language | undefined,
): Promise<void> {
  if (!emailVerified) return;
  const link = { purpose: 'undo_email_change', userId: id, data: { email } } as const;
  const { token, expiresAt } = await deps.links.createLink(tx, link);
  await deps.queueMail(tx, {
    ...{ to: email, name: 'email_changed', reader: readerOf(profile, language) },
    ...{ values: { email, expiresAt }, path: `/undo-email-change/${token}` },
  });
}

function proofTooOld(): AppError {
  return new AppError('account.proof_too_old', {
    status: 403,
    detail: 'Show once more who you are, then change the address.',
  });
}
