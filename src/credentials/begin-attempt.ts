import { temporarilyUnavailable } from '../kernel/errors.js';
import type { Clock } from '../kernel/time.js';
import {
  admitAttempt,
  withoutSource,
  withoutTry,
  type AttemptLimits,
  type Attempts,
  type Source,
  type Wait,
} from './sign-in-attempts.js';
import type { Seen, SignInAttemptsStore } from './sign-in-attempts-store.js';

/** A try that was admitted and is counted; nothing more is to be done about one that failed. */
export interface OpenAttempt {
  admitted: true;
  /** What begins should it fail. */
  wait: Wait | null;
  succeeded(): Promise<void>;
  /** The try could not be made after all, so it does not count. */
  notMade(): Promise<void>;
}

export type BeginAttempt = (subject: string, source: Source) => Promise<OpenAttempt | { admitted: false; wait: Wait }>;

/** Each round that is lost was won by another try, of which few are admitted; so many are only lost to a fault. */
const mostRounds = 100;

/**
 * Admits tries one by one, however many processes ask at the same moment: each is a conditional write over what was read,
 * and who was overtaken reads again. So parallel guesses get no more tries than guesses in a row.
 */
export function attemptOpener(deps: { store: SignInAttemptsStore; limits: AttemptLimits; now: Clock }): BeginAttempt {
  const { store, limits, now } = deps;

  async function settle(subject: string, admitted: Seen, next: (now: Attempts) => Attempts | null): Promise<void> {
    let seen: Seen | null = admitted;
    for (let round = 0; seen && round < mostRounds; round++) {
      if ((await store.replace(subject, seen, next(seen.attempts))) !== 'overtaken') return;
      seen = await store.find(subject);
    }
  }

  return async (subject, source) => {
    let seen: Seen | null = null; // most people have no failed tries, so the first round does not look
    for (let round = 0; round < mostRounds; round++) {
      const admission = admitAttempt(limits, seen?.attempts ?? null, source, now());
      if (!admission.admitted) return admission;
      const counted = await store.replace(subject, seen, admission.attempts);
      if (counted !== null && counted !== 'overtaken') {
        return {
          admitted: true,
          wait: admission.wait,
          succeeded: () => settle(subject, counted, (attempts) => withoutSource(attempts, source, limits)),
          notMade: () => settle(subject, counted, (attempts) => withoutTry(attempts, source, limits)),
        };
      }
      seen = await store.find(subject);
    }
    throw temporarilyUnavailable();
  };
}
