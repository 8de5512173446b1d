import { secondsAfter } from '../kernel/time.js';

/** How many tries are free within a time, and how the waits grow that begin after them. */
export interface TryLimit {
  tries: number;
  windowSeconds: number;
  /** The wait after the last free try; each further one doubles it. */
  firstWaitSeconds: number;
  longestWaitSeconds: number;
}

export interface AttemptLimits {
  /** For one account from one source: a client address, or a device that is known for the account. */
  source: TryLimit;
  /** For one account from all sources together. Slows down all but the devices that are known for it. */
  account: TryLimit;
  /** Tries without a success in between after which only known devices may go on; and they up to `consecutive`. */
  consecutiveOfStrangers: number;
  consecutive: number;
  /** How long tries in a row are remembered after the last one. */
  forgetSeconds: number;
}

export interface Bucket {
  tries: number;
  /** No try before this. */
  retryAt: Date;
  /** The tries are forgotten then. */
  resetsAt: Date;
}

/** What is remembered of the tries at one account. A try counts as failed from its start until it has succeeded. */
export interface Attempts {
  account: Bucket;
  sources: readonly (Bucket & { key: string })[];
  consecutive: number;
  expiresAt: Date;
}

export interface Source {
  key: string;
  /** A device on which this person has signed in before. */
  isKnownDevice: boolean;
}

/** `until` is null where waiting does not help: too many tries in a row. */
export interface Wait {
  reason: 'source' | 'account' | 'consecutive';
  until: Date | null;
}

export type Admission =
  | { admitted: false; wait: Wait }
  /** `wait` is what a failure of this try begins. */
  | { admitted: true; attempts: Attempts; wait: Wait | null };

/** Whether one more try may be made now, and what is remembered then. The try is counted before it is made. */
export function admitAttempt(limits: AttemptLimits, remembered: Attempts | null, source: Source, now: Date): Admission {
  const before = remembered && remembered.expiresAt > now ? remembered : null;
  const consecutive = (before?.consecutive ?? 0) + 1;
  const most = source.isKnownDevice ? limits.consecutive : limits.consecutiveOfStrangers;
  if (consecutive > most) return refused('consecutive', null);

  const sources = (before?.sources ?? []).filter(({ resetsAt }) => resetsAt > now);
  const own = sources.find(({ key }) => key === source.key);
  if (own && own.retryAt > now) return refused('source', own.retryAt);
  if (before && !source.isKnownDevice && before.account.retryAt > now)
    return refused('account', before.account.retryAt);

  const ownNext = { key: source.key, ...oneMore(limits.source, own, now) };
  const account = oneMore(limits.account, before?.account, now);
  return {
    admitted: true,
    attempts: {
      account,
      sources: [...sources.filter(({ key }) => key !== source.key), ownNext],
      consecutive,
      expiresAt: secondsAfter(now, limits.forgetSeconds),
    },
    wait: consecutive === most ? { reason: 'consecutive', until: null } : waitAfter(ownNext, account, now),
  };
}

/** After a success: the tries from its source were the owner's and are forgotten, those from elsewhere are not. */
export function withoutSource(attempts: Attempts, source: Source, limits: AttemptLimits): Attempts | null {
  const own = attempts.sources.find(({ key }) => key === source.key);
  const sources = attempts.sources.filter(({ key }) => key !== source.key);
  const account = fewer(attempts.account, own?.tries ?? 0, limits.account);
  if (account.tries === 0 && sources.length === 0) return null;
  const lastReset = Math.max(...[account, ...sources].map(({ resetsAt }) => resetsAt.getTime()));
  return { account, sources, consecutive: 0, expiresAt: new Date(lastReset) };
}

/** Takes one try back that was counted and could not be made. */
export function withoutTry(attempts: Attempts, source: Source, limits: AttemptLimits): Attempts | null {
  const sources = attempts.sources
    .map((bucket) => (bucket.key === source.key ? { ...bucket, ...fewer(bucket, 1, limits.source) } : bucket))
    .filter(({ tries }) => tries > 0);
  const account = fewer(attempts.account, 1, limits.account);
  const consecutive = Math.max(0, attempts.consecutive - 1);
  if (account.tries === 0 && sources.length === 0 && consecutive === 0) return null;
  return { ...attempts, account, sources, consecutive };
}

function refused(reason: Wait['reason'], until: Date | null): Admission {
  return { admitted: false, wait: { reason, until } };
}

function oneMore(limit: TryLimit, bucket: Bucket | undefined, now: Date): Bucket {
  const kept = bucket && bucket.resetsAt > now ? bucket : null;
  const tries = (kept?.tries ?? 0) + 1;
  const windowEnds = kept?.resetsAt ?? secondsAfter(now, limit.windowSeconds);
  if (tries < limit.tries) return { tries, retryAt: now, resetsAt: windowEnds };
  const waitSeconds = Math.min(limit.firstWaitSeconds * 2 ** (tries - limit.tries), limit.longestWaitSeconds);
  const retryAt = secondsAfter(now, waitSeconds);
  // who waits and tries again is not new: the count outlives the wait
  return { tries, retryAt, resetsAt: secondsAfter(retryAt, limit.windowSeconds) };
}

function fewer(bucket: Bucket, tries: number, limit: TryLimit): Bucket {
  const left = Math.max(0, bucket.tries - tries);
  return { ...bucket, tries: left, ...(left < limit.tries ? { retryAt: new Date(0) } : {}) };
}

function waitAfter(source: Bucket, account: Bucket, now: Date): Wait | null {
  const [reason, { retryAt }] =
    source.retryAt >= account.retryAt ? (['source', source] as const) : (['account', account] as const);
  return retryAt > now ? { reason, until: retryAt } : null;
}
