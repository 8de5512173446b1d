import type { Wait } from '../credentials/index.js';
import type { EventDraft } from '../events/index.js';
import type { Language } from '../kernel/languages.js';
import type { User } from '../users/index.js';
import { accountClientId } from './account-client.js';
import type { AccountDeps } from './account-deps.js';

type Deps = Pick<AccountDeps, 'administration' | 'credentials' | 'inTransaction' | 'recordEvent'>;

export interface PasswordChange {
  user: User;
  sessionUid: string;
  current: string;
  wanted: string;
  /** Client address, and the cookie of a browser in which the person has signed in. */
  address: string;
  device: string | undefined;
  /** Of the page. */
  language: Language;
}

export type PasswordChangeResult =
  /** With the new identifier of the session, and a mark of this browser that counts with the new password. */
  | { outcome: 'changed'; identifier: string; mark: string }
  | { outcome: 'wrong' }
  /** Too many tries; the password was not looked at. */
  | { outcome: 'blocked'; wait: Wait };

/**
 * The present password is tried by the counters of the sign-in: whoever finds a browser signed in has no more guesses
 * here than there. Throws 400 for a new password that the rules do not allow.
 */
export function changePassword(deps: Deps, change: PasswordChange): Promise<PasswordChangeResult> {
  return deps.credentials.inLine(async () => {
    const { user, address, device } = change;
    const attempt = await deps.credentials.beginAttempt({ user, name: user.email, address, device });
    if (!attempt.admitted) return { outcome: 'blocked', wait: attempt.wait };
    const matches = await deps.credentials.verifyPassword(user.id, change.current).catch(async (error: unknown) => {
      await attempt.notMade().catch(() => undefined); // the first error is the one to tell of
      throw error;
    });
    if (!matches) {
      await tellOfFailure(deps, user, attempt.wait);
      return { outcome: 'wrong' };
    }
    await attempt.succeeded();
    const { sessionUid, language } = change;
    const self = { userId: user.id, sessionUid, language };
    const { identifier, changedAt } = await deps.administration.changeOwnPassword(self, change.wanted);
    const mark = deps.credentials.knownDevices.mark(device, { id: user.id, credentialsChangedAt: changedAt });
    return { outcome: 'changed', identifier, mark };
  });
}

async function tellOfFailure(deps: Deps, { id: userId }: User, wait: Wait | null): Promise<void> {
  const data = { clientId: accountClientId, method: 'pwd' };
  const about = { tenantId: null, actor: { kind: 'user', userId }, subjectId: userId } as const;
  const events: EventDraft[] = [{ ...about, type: 'user.sign_in_failed', data }];
  if (wait) {
    const until = wait.until ? { until: wait.until.toISOString() } : {};
    events.push({ ...about, type: 'user.sign_in_blocked', data: { ...data, reason: wait.reason, ...until } });
  }
  await deps.inTransaction(async (tx) => {
    for (const event of events) await deps.recordEvent(tx, event);
  });
}
