import { secondsAfter, type Clock } from '../kernel/time.js';
import type { Tx } from '../platform/mongo/transactions.js';
import type { PasswordHashing } from './password-hashing.js';
import type { PasswordProblem } from './password-rules.js';
import type { History, PasswordStore } from './password-store.js';
import { policiesFor, strictestHistory, type TenantsOfPersonDeps } from './tenants-of-person.js';

export interface PasswordHistoryDeps extends TenantsOfPersonDeps {
  store: PasswordStore;
  hashing: PasswordHashing;
  now: Clock;
  passwords: { history: number; historyCheckSeconds: number };
}

/** People that one round of `forgetFormerPasswords` looks at. */
const mostOfRound = 1000;

/**
 * Whether it is the present password or one of so many before. One hash after the other, each in its turn of the line of
 * all hashes, and all of them, so that the time of the answer does not tell which one it is.
 */
export async function problemOfFormer(
  { store, hashing }: Pick<PasswordHistoryDeps, 'store' | 'hashing'>,
  { userId, history }: { userId: string | undefined; history: number },
  password: string,
): Promise<PasswordProblem | null> {
  if (userId === undefined || history === 0) return null;
  const hashes = await store.findWithFormer(userId);
  let isFormer = false;
  for (const hash of hashes.slice(0, history + 1)) if (await hashing.verify(hash, password)) isFormer = true;
  if (!isFormer) return null;
  return { code: 'former', said: { key: 'password_problems.former' } };
}

/** How many former passwords are kept of this person, and until when that is not asked again. */
export async function historyOf(deps: PasswordHistoryDeps, userId: string, tx?: Tx): Promise<History> {
  const size = strictestHistory(deps.passwords.history, await policiesFor(deps, userId, tx));
  return { size, checkAt: secondsAfter(deps.now(), deps.passwords.historyCheckSeconds) };
}

/**
 * Deletes former passwords that no tenant of their person asks for any more: a policy has changed, or they are no member
 * now. Gives of how many people.
 */
export async function forgetFormerPasswords(
  deps: PasswordHistoryDeps,
  isOver: () => boolean = () => false,
): Promise<number> {
  let people = 0;
  for (const userId of await deps.store.listHistoriesToCheck(deps.now(), mostOfRound)) {
    if (isOver()) break;
    if (await deps.store.shortenHistory(userId, await historyOf(deps, userId))) people++;
  }
  return people;
}
