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

/** Whose account it is: the limits are those of their tenants too. Null for a name that nobody has. */
export type BeginAttempt = (
  subject: string,
  source: Source,
  userId: string | null,
) => Promise<OpenAttempt | { admitted: false; wait: Wait }>;

export interface AttemptOpenerDeps {
  store: SignInAttemptsStore;
  /** Of the platform. */
  limits: AttemptLimits;
  /** The strictest of the platform and of all tenants of the person. */
  limitsFor(userId: string | null): Promise<AttemptLimits>;
  now: Clock;
}

/** Each round that is lost was won by another try, of which few are admitted; so many are only lost to a fault. */
const mostRounds = 100;

/**
 * Admits tries one by one, however many processes ask at the same moment: each is a conditional write over what was read,
 * and who was overtaken reads again. So parallel guesses get no more tries than guesses in a row.
 */
export function attemptOpener({ store, limits: platform, limitsFor, now }: AttemptOpenerDeps): BeginAttempt {
  type Next = (attempts: Attempts, limits: AttemptLimits) => Attempts | null;

  return async (subject, source, userId) => {
    let limits = platform;

    async function look(): Promise<Seen | null> {
      if (limits === platform) limits = await limitsFor(userId);
      return store.find(subject);
    }

    async function settle(admitted: Seen, next: Next): Promise<void> {
      let seen: Seen | null = admitted;
      for (let round = 0; seen && round < mostRounds; round++) {
        if ((await store.replace(subject, seen, next(seen.attempts, limits))) !== 'overtaken') return;
        seen = await look();
      }
    }

    // Most people have no failed tries: the first round neither looks nor asks their tenants, none of which makes wait after
    // a first try. A name that nobody has goes the same way.
    let seen: Seen | null = null;
    for (let round = 0; round < mostRounds; round++) {
      const admission = admitAttempt(limits, seen?.attempts ?? null, source, now());
      if (!admission.admitted) return admission;
      const counted = await store.replace(subject, seen, admission.attempts);
      if (counted !== null && counted !== 'overtaken') {
        return {
          admitted: true,
          wait: admission.wait,
          succeeded: () => settle(counted, (attempts, by) => withoutSource(attempts, source, by)),
          notMade: () => settle(counted, (attempts, by) => withoutTry(attempts, source, by)),
        };
      }
      seen = await look();
    }
    throw temporarilyUnavailable();
  };
}
