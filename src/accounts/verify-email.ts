import type { ActionLink } from '../action-links/index.js';
import { readerOf, type Language } from '../kernel/languages.js';
import { byPerson, type AccountsDeps } from './accounts-deps.js';

/** A browser in which somebody asked for something that a mail finishes. */
export interface AskedFrom {
  userId: string;
  browserId: string;
  /** Of the page on which it was asked for. */
  language?: Language | undefined;
}

/**
 * Sends a person, who is signed in in this browser, a link with which they show that their address is theirs. False:
 * there is nothing to show, or there were too many mails in this hour.
 */
export async function requestEmailVerification(
  deps: AccountsDeps,
  { userId, browserId, language }: AskedFrom,
): Promise<boolean> {
  const user = await deps.users.findUserById(userId);
  if (user?.status !== 'active' || user.emailVerified) return false;
  if (!(await deps.links.countMail('verify_email', user.email))) return false;
  const { email } = user;
  await deps.inTransaction(async (tx) => {
    const link = { purpose: 'verify_email', userId, data: { email, browserId } } as const;
    const { token, expiresAt } = await deps.links.createLink(tx, link);
    await deps.queueMail(tx, {
      ...{ to: email, name: 'verification', reader: readerOf(user.profile, language) },
      ...{ values: { email, expiresAt }, path: `/verify-email/${token}` },
    });
  });
  return true;
}

/** A link that is used in a browser. */
export interface ProofGiven {
  token: string;
  browserId: string;
  /** Of the page. */
  language?: Language | undefined;
}

export interface OpenProof {
  email: string;
  /** It was asked for in this browser, so whoever reads the mail is who is signed in. */
  isAsked: boolean;
}

/** What the page of the link shows; null: it is over. Changes nothing. */
export async function findVerification(
  deps: AccountsDeps,
  { token, browserId }: { token: string; browserId: string },
): Promise<OpenProof | null> {
  const link = await deps.links.findLink('verify_email', token);
  return link && shownOf(link, browserId);
}

/**
 * Only in the browser that asked: otherwise somebody could make an account with the address of another person, have
 * them prove it with one click, and keep the password. Who reads the mail elsewhere sets a new password instead.
 */
export async function verifyEmail(
  deps: AccountsDeps,
  { token, browserId }: ProofGiven,
): Promise<'done' | 'over' | 'elsewhere'> {
  const link = await deps.links.findLink('verify_email', token);
  if (!link) return 'over';
  if (!shownOf(link, browserId).isAsked) return 'elsewhere';
  return deps.inTransaction(async (tx) => {
    const taken = await deps.links.takeLink(tx, 'verify_email', token);
    const user = taken?.userId ? await deps.users.findUserById(taken.userId, tx) : null;
    if (!taken || user?.status !== 'active' || user.email !== taken.data['email']) return 'over';
    const actor = { kind: 'user', userId: user.id } as const;
    await deps.users.updateUser(tx, actor, user, { emailVerified: true, updatedAt: deps.now() });
    await deps.links.forgetLinksOf(tx, user.id, ['verify_email']);
    await deps.recordEvent(tx, byPerson('user.email_verified', user.id));
    return 'done';
  });
}

export function shownOf({ data }: ActionLink, browserId: string): OpenProof {
  return { email: data['email'] ?? '', isAsked: data['browserId'] === browserId };
}
