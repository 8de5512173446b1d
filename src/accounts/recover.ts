import { foldName, parseEmail } from '../kernel/email.js';
import { readerOf, type Language } from '../kernel/languages.js';
import type { Message } from '../kernel/message.js';
import type { ActionLink } from '../action-links/index.js';
import type { Tx } from '../platform/mongo/transactions.js';
import type { User } from '../users/index.js';
import { byPerson, type AccountsDeps } from './accounts-deps.js';
import { isUnproven } from './make-account.js';

/**
 * Sends a link to whoever has an account with this address. For an address that nobody has, one
 * whose domain has another way in, a disabled account and one
 * too many in the hour all the same work is done, and nobody gets anything.
 */
export async function requestRecovery(
  deps: AccountsDeps,
  { login, from, language }: { login: string; from?: string | undefined; language?: Language },
): Promise<void> {
  const email = parseEmail(login);
  const name = email ?? foldName(login);
  const isAdmitted = await deps.links.countMail('reset_password', name);
  const found = await deps.users.findUserByEmail(name);
  const isOpen = await deps.maySignInWith({ id: found?.id ?? '', email: name }, null);
  const user = isAdmitted && isOpen && email !== null && found?.status === 'active' ? found : null;
  const ofOperator = await isOperator(deps, user?.id ?? 'nobody'); // asked for nobody too: it takes time
  await deps.inTransaction(async (tx) => {
    const data = { email: name, ...(from === undefined ? {} : { from }) };
    const link = { purpose: 'reset_password', userId: user?.id ?? null, data, ofOperator } as const;
    const { token, expiresAt } = await deps.links.createLink(tx, link);
    await deps.queueMail(tx, {
      ...{ to: user?.email ?? null, name: 'recovery', reader: readerOf(user?.profile ?? {}, language) },
      ...{ values: { email: name, expiresAt }, path: `/recover/${token}` },
    });
    await deps.recordEvent(tx, byPerson('user.recovery_requested', user?.id ?? null));
  });
}

async function isOperator(deps: AccountsDeps, userId: string): Promise<boolean> {
  const platform = await deps.findTenantBySlug(deps.platformSlug);
  return platform !== null && (await deps.findMembership(platform.id, userId)) !== null;
}

export interface OpenRecovery {
  email: string;
  minimumLength: number;
}

/** What the page of the link shows; null: it is over. Changes nothing. */
export async function findRecovery(deps: AccountsDeps, token: string): Promise<OpenRecovery | null> {
  const link = await deps.links.findLink('reset_password', token);
  const user = link && (await ownerOf(deps, link));
  if (!user) return null;
  const { minimumLength } = await rulesFor(deps, user);
  return { email: user.email, minimumLength };
}

export type RecoveryResult =
  /** `from` is the sign-in to go back to. */
  { outcome: 'done'; from: string | null } | { outcome: 'over' } | { outcome: 'refused'; why: Message };

/**
 * A new password for whoever has the link: it ends sessions, grants, known browsers and waits, and all other links.
 * The mail proves the address too. What somebody has made with it who had not proven it is gone then; a member keeps
 * their second factors, since a mailbox alone opens no account that has some.
 */
export async function resetPassword(
  deps: AccountsDeps,
  { token, password, language }: { token: string; password: string; language?: Language },
): Promise<RecoveryResult> {
  const link = await deps.links.findLink('reset_password', token);
  const owner = link && (await ownerOf(deps, link));
  if (!owner) return { outcome: 'over' };
  const problem = await (await rulesFor(deps, owner)).problemOf(password);
  if (problem) return { outcome: 'refused', why: problem.said };
  const hash = await deps.credentials.hashPassword(password);
  return deps.inTransaction(async (tx) => {
    const taken = await deps.links.takeLink(tx, 'reset_password', token);
    const user = taken && (await ownerOf(deps, taken, tx));
    if (!taken || !user) return { outcome: 'over' };
    await setProvenPassword(deps, tx, user, hash);
    const letter = { name: 'password_reset', values: { email: user.email }, path: '/recover' } as const;
    await deps.queueMail(tx, { to: user.email, reader: readerOf(user.profile, language), ...letter });
    await deps.recordEvent(tx, byPerson('user.recovered', user.id));
    return { outcome: 'done', from: taken.data['from'] ?? null };
  });
}

async function setProvenPassword(deps: AccountsDeps, tx: Tx, user: User, hash: string): Promise<void> {
  const actor = { kind: 'user', userId: user.id } as const;
  if (!user.emailVerified) {
    if (await isUnproven(deps, user, tx)) await deps.credentials.forgetCredentials(tx, user.id);
    await deps.users.updateUser(tx, actor, user, { emailVerified: true, updatedAt: deps.now() });
  }
  await deps.credentials.setPasswordHash(tx, actor, user.id, hash);
}

/** Whose account the link still opens: it was sent to the address that they have now. */
async function ownerOf(deps: AccountsDeps, { userId, data }: ActionLink, tx?: Tx): Promise<User | null> {
  const user = userId === null ? null : await deps.users.findUserById(userId, tx);
  if (user?.status !== 'active' || user.email !== data['email']) return null;
  return (await deps.maySignInWith(user, null)) ? user : null;
}

function rulesFor(
  deps: AccountsDeps,
  { id, email, profile }: User,
): ReturnType<AccountsDeps['credentials']['passwordRulesFor']> {
  return deps.credentials.passwordRulesFor({ userId: id, email, name: profile.name });
}
