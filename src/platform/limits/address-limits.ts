import type { IncomingMessage, ServerResponse } from 'node:http';
import { RateLimiterMemory, RateLimiterRedis, RateLimiterRes, type RateLimiterAbstract } from 'rate-limiter-flexible';
import { addressPrefix } from '../../kernel/client-address.js';
import { AppError } from '../../kernel/errors.js';
import type { RedisConnection } from '../redis/open-redis.js';
import { basicClientId } from './basic-client-id.js';

/** How many requests one source may send. */
export interface AddressLimit {
  /** In the RateLimit fields, and in the keys in Redis. */
  name: string;
  method: 'GET' | 'POST';
  /** `:name` stands for a part that varies. */
  paths: readonly string[];
  /** Each client address, or each client at each address: a client id alone could be used up by anybody. */
  per: 'address' | 'client';
  /** `failures`: only requests that were answered with 401. */
  counts: 'requests' | 'failures';
  points: number;
  seconds: number;
}

export interface AddressLimits {
  /** Counts the request. Null, or a promise of null, lets it on; the error is its answer. Needs a pinned request. */
  check(req: IncomingMessage, res: ServerResponse, path: string): null | Promise<AppError | null>;
  /** To be told how each request ended. */
  note(req: IncomingMessage, res: ServerResponse, path: string): void;
}

type Counted = Pick<AddressLimit, 'name' | 'points' | 'seconds'>;

interface Rule extends AddressLimit {
  limiter: RateLimiterAbstract;
  /** Until when (epoch ms) a source is shut out that failed too often. */
  shutOut: Map<string, number>;
}

const mostShutOut = 10_000;

export function createAddressLimits(deps: {
  limits: readonly AddressLimit[];
  /** Multiplies the points of all. */
  factor: number;
  redis: RedisConnection | null;
}): AddressLimits {
  const find = ruleFinder(
    deps.limits.map((limit): Rule => {
      const points = limit.points * deps.factor;
      return { ...limit, points, limiter: limiterOf({ ...limit, points }, deps.redis), shutOut: new Map() };
    }),
  );

  return {
    check(req, res, path) {
      const { requests, failures } = find(req.method, path);
      if (failures) {
        const leftMs = (failures.shutOut.get(sourceOf(failures, req)) ?? 0) - Date.now();
        if (leftMs > 0) return Promise.resolve(refuse(res, failures, leftMs));
      }
      if (!requests) return null;
      return requests.limiter.consume(sourceOf(requests, req)).then(
        () => null,
        (reason: unknown) => refuse(res, requests, msBeforeNext(reason)),
      );
    },

    note(req, res, path) {
      const { failures } = res.statusCode === 401 ? find(req.method, path) : none;
      if (!failures) return;
      const source = sourceOf(failures, req);
      failures.limiter.consume(source).catch((reason: unknown) => shutOut(failures, source, msBeforeNext(reason)));
    },
  };
}

/** Counts what one source does, wherever it is asked about. */
export interface Quota {
  /** Null: it may go on. */
  take(res: ServerResponse, source: string): Promise<AppError | null>;
}

export function createQuota(
  limit: { name: string; points: number; seconds: number },
  { factor, redis }: { factor: number; redis: RedisConnection | null },
): Quota {
  const points = limit.points * factor;
  const limiter = limiterOf({ ...limit, points }, redis);
  return {
    take: (res, source) =>
      limiter.consume(source).then(
        () => null,
        (reason: unknown) => refuse(res, { ...limit, points }, msBeforeNext(reason)),
      ),
  };
}

/**
 * Counts in Redis, where all processes meet. While there is none each process counts for itself with half the quota, so
 * that two of them together admit no more than usual.
 */
function limiterOf({ name, points, seconds }: Counted, redis: RedisConnection | null): RateLimiterAbstract {
  const options = { keyPrefix: `gatehouse:limit:${name}`, duration: seconds };
  if (!redis) return new RateLimiterMemory({ ...options, points });
  return new RateLimiterRedis({
    ...options,
    points,
    storeClient: redis.client,
    rejectIfRedisNotReady: true,
    inMemoryBlockOnConsumed: points + 1, // who is over the limit is not asked about again until it ends
    insuranceLimiter: new RateLimiterMemory({ ...options, points: Math.ceil(points / 2) }),
  });
}

/** What counts at one method and path. */
interface Rules {
  requests?: Rule;
  failures?: Rule;
}

const none: Rules = {};

/** The rules of a method and path. Like the router of the pages it takes any case and a slash at the end. */
function ruleFinder(rules: readonly Rule[]): (method: string | undefined, path: string) => Rules {
  const byPath = new Map<string, Rules>();
  for (const rule of rules) {
    for (const path of rule.paths) {
      const key = `${rule.method} ${path}`;
      byPath.set(key, { ...byPath.get(key), [rule.counts]: rule });
    }
  }
  const patterned = [...byPath]
    .filter(([key]) => key.includes(':'))
    .map(([key, found]) => ({ pattern: new RegExp(`^${key.replace(/:\w+/g, '[^/]+')}$`), found }));
  const methods = new Set<string | undefined>(rules.map(({ method }) => method));
  return (method, path) => {
    if (!methods.has(method)) return none;
    const key = `${method} ${(path.endsWith('/') ? path.slice(0, -1) : path).toLowerCase()}`;
    return byPath.get(key) ?? patterned.find(({ pattern }) => pattern.test(key))?.found ?? none;
  };
}

function sourceOf({ per }: Rule, req: IncomingMessage): string {
  const address = addressPrefix(String(req.headers['x-forwarded-for'] ?? '')); // written by the edge
  return per === 'address' ? address : `${address} ${basicClientId(req.headers.authorization)}`;
}

function shutOut(rule: Rule, source: string, milliseconds: number): void {
  const now = Date.now();
  if (rule.shutOut.size >= mostShutOut)
    for (const [key, until] of rule.shutOut) if (until <= now) rule.shutOut.delete(key);
  rule.shutOut.set(source, now + milliseconds);
}

/** Throws what is no answer of a limiter. */
function msBeforeNext(reason: unknown): number {
  if (reason instanceof RateLimiterRes) return reason.msBeforeNext;
  throw reason;
}

/** With the fields of draft-ietf-httpapi-ratelimit-headers-10, which say which quota it was. */
function refuse(res: ServerResponse, { name, points, seconds }: Counted, leftMs: number): AppError {
  const retryAfterSeconds = Math.max(1, Math.ceil(leftMs / 1000));
  res.setHeader('RateLimit-Policy', `"${name}";q=${points};w=${seconds}`);
  res.setHeader('RateLimit', `"${name}";r=0;t=${retryAfterSeconds}`);
  const time = retryAfterSeconds === 1 ? '1 second' : `${retryAfterSeconds} seconds`;
  return new AppError('request.too_many', {
    status: 429,
    detail: `Too many requests have come from you. Try again in ${time}.`,
    retryAfterSeconds,
  });
}
