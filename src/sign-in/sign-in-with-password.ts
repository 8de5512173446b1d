import { parseEmail } from '../kernel/email.js';
import type { RecordEvent } from '../events/index.js';
import type { InTransaction } from '../platform/mongo/transactions.js';
import type { User } from '../users/index.js';

export interface SignInWithPasswordDeps {
  findUserByEmail(email: string): Promise<User | null>;
  verifyPassword(userId: string | null, password: string): Promise<boolean>;
  inTransaction: InTransaction;
  recordEvent: RecordEvent;
}

/**
 * The user with this address and password, or null. An unknown address, a wrong password and a disabled account take
 * the same path and the same time, and are told apart in the events only. That the sign-in was finished too is recorded where the
 * session gets its person.
 */
export async function signInWithPassword(
  deps: SignInWithPasswordDeps,
  attempt: { login: string; password: string; clientId: string },
): Promise<User | null> {
  const email = parseEmail(attempt.login);
  const user = await deps.findUserByEmail(email ?? '');
  const matches = await deps.verifyPassword(user?.id ?? null, attempt.password);
  const accepted = user !== null && matches && user.status === 'active';
  await deps.inTransaction((tx) =>
    deps.recordEvent(tx, {
      type: accepted ? 'user.password_accepted' : 'user.sign_in_failed',
      tenantId: null,
      actor: user ? { kind: 'user', userId: user.id } : { kind: 'system', reason: 'protocol' },
      subjectId: user?.id ?? 'unknown',
      data: { clientId: attempt.clientId, method: 'pwd' },
    }),
  );
  return accepted ? user : null;
}
