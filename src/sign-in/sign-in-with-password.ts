import { foldName, parseEmail } from '../kernel/email.js';
import type { AttemptedSignIn, CredentialsModule, OpenAttempt, Wait } from '../credentials/index.js';
import type { EventDraft, RecordEvent } from '../events/index.js';
import type { HomeRealms } from '../domains/index.js';
import type { InTransaction } from '../platform/mongo/transactions.js';
import type { User } from '../users/index.js';

export interface SignInWithPasswordDeps extends Pick<CredentialsModule, 'verifyPassword' | 'beginAttempt'> {
  findUserByEmail(email: string): Promise<User | null>;
  homeRealms: Pick<HomeRealms, 'maySignInWith'>;
  inTransaction: InTransaction;
  recordEvent: RecordEvent;
}

export interface PasswordAttempt extends Pick<AttemptedSignIn, 'address' | 'device'> {
  login: string;
  password: string;
  clientId: string;
  /** By which connection somebody has come who is to be linked to the account. */
  linking: { userId: string; connectionId: string } | null;
}

export type PasswordResult =
  | { outcome: 'accepted'; user: User }
  | { outcome: 'refused' }
  /** Too many tries; the password was not looked at. */
  | { outcome: 'blocked'; wait: Wait };

/**
 * Whether this address and password open an account. An unknown address, a wrong password and a disabled account take
 * the same path and the same time, are counted and made to wait by the same rules, and are told apart in the events
 * only; so is a password where the domain of the address has another way in alone. That the sign-in was finished too is recorded where the session gets its person.
 */
export async function signInWithPassword(
  deps: SignInWithPasswordDeps,
  { login, password, clientId, address, device, linking }: PasswordAttempt,
): Promise<PasswordResult> {
  const email = parseEmail(login);
  // a spelling that is no address opens nothing, but it is counted at the account that it means
  const name = email ?? foldName(login);
  const user = await deps.findUserByEmail(name);
  const connectionId = linking !== null && linking.userId === user?.id ? linking.connectionId : null;
  // asked before the password is looked at, so that its answer takes the same time for everybody of the domain
  const isOpen = await deps.homeRealms.maySignInWith({ id: user?.id ?? '', email: name }, connectionId);
  const attempt = await deps.beginAttempt({ user, name, address, device });
  if (!attempt.admitted) return { outcome: 'blocked', wait: attempt.wait };

  const matches = await verify(deps, attempt, email === null ? null : (user?.id ?? null), password);
  const accepted = user !== null && matches && isOpen && user.status === 'active';
  const about = aboutUser(user, { clientId, method: 'pwd' });
  const events: EventDraft[] = [{ ...about, type: accepted ? 'user.password_accepted' : 'user.sign_in_failed' }];
  if (!accepted && attempt.wait) events.push(blockedBy(attempt.wait, about));
  await Promise.all([
    accepted ? attempt.succeeded() : null,
    deps.inTransaction(async (tx) => {
      for (const event of events) await deps.recordEvent(tx, event);
    }),
  ]);
  return accepted ? { outcome: 'accepted', user } : { outcome: 'refused' };
}

async function verify(
  deps: SignInWithPasswordDeps,
  attempt: OpenAttempt,
  userId: string | null,
  password: string,
): Promise<boolean> {
  try {
    return await deps.verifyPassword(userId, password);
  } catch (error) {
    await attempt.notMade().catch(() => undefined); // the first error is the one to tell of
    throw error;
  }
}

type AboutUser = Omit<EventDraft, 'type'>;

function aboutUser(user: User | null, data: { clientId: string; method: string }): AboutUser {
  if (!user) return { tenantId: null, actor: { kind: 'system', reason: 'protocol' }, subjectId: 'unknown', data };
  return { tenantId: null, actor: { kind: 'user', userId: user.id }, subjectId: user.id, data };
}

function blockedBy({ reason, until }: Wait, about: AboutUser): EventDraft {
  const data = { ...about.data, reason, ...(until ? { until: until.toISOString() } : {}) };
  return { ...about, type: 'user.sign_in_blocked', data };
}
