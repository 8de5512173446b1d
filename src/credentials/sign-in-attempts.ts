import { secondsAfter } from '../kernel/time.js';
import type { AttemptPolicy } from '../tenants/index.js';

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

/**
 * Of the platform, and where a tenant is stricter, of that. How often all sources together may try stays the platform's:
 * it makes the owner wait too.
 */
export function strictestLimits(platform: AttemptLimits, policies: readonly AttemptPolicy[]): AttemptLimits {
  const of = (name: keyof AttemptPolicy, own: number): number[] => [own, ...policies.map((each) => each[name] ?? own)];
  const { source } = platform;
  const consecutive = Math.min(...of('consecutive', platform.consecutive));
  const share = platform.consecutiveOfStrangers / platform.consecutive;
  return {
    ...{ ...platform, consecutive, consecutiveOfStrangers: Math.floor(consecutive * share) },
    source: {
      tries: Math.min(...of('tries', source.tries)),
      windowSeconds: Math.max(...of('windowSeconds', source.windowSeconds)),
      firstWaitSeconds: Math.max(...of('firstWaitSeconds', source.firstWaitSeconds)),
      longestWaitSeconds: Math.max(...of('longestWaitSeconds', source.longestWaitSeconds)),
    },
  };
}

/** Its tries are forgotten when the time of the limit is over, from its begin or from the end of its wait. */
export interface Bucket {
  tries: number;
  since: Date;
  /** No try before this. */
  retryAt: Date;
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

  const sources = (before?.sources ?? []).filter((bucket) => resetOf(limits.source, bucket) > now);
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
  const resets = [resetOf(limits.account, account), ...sources.map((bucket) => resetOf(limits.source, bucket))];
  return { account, sources, consecutive: 0, expiresAt: resets.reduce(later) };
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
  const kept = bucket && resetOf(limit, bucket) > now ? bucket : null;
  const tries = (kept?.tries ?? 0) + 1;
  const since = kept?.since ?? now;
  if (tries < limit.tries) return { tries, since, retryAt: since };
  const waitSeconds = Math.min(limit.firstWaitSeconds * 2 ** (tries - limit.tries), limit.longestWaitSeconds);
  return { tries, since, retryAt: secondsAfter(now, waitSeconds) };
}

/** Who waits and tries again is not new: the count outlives the wait. */
function resetOf({ windowSeconds }: TryLimit, { since, retryAt }: Bucket): Date {
  return secondsAfter(later(since, retryAt), windowSeconds);
}

function later(left: Date, right: Date): Date {
  return left > right ? left : right;
}

function fewer(bucket: Bucket, tries: number, limit: TryLimit): Bucket {
  const left = Math.max(0, bucket.tries - tries);
  if (left >= limit.tries) return { ...bucket, tries: left };
  return { tries: left, since: later(bucket.since, bucket.retryAt), retryAt: new Date(0) };
}

function waitAfter(source: Bucket, account: Bucket, now: Date): Wait | null {
  const [reason, { retryAt }] =
    source.retryAt >= account.retryAt ? (['source', source] as const) : (['account', account] as const);
  return retryAt > now ? { reason, until: retryAt } : null;
}
