import { z } from 'zod';
import {
  mostClientKeys,
  problemOfPublicKey,
  publicPartOf,
  secretMemberOf,
  type PublicJwk,
} from '../kernel/public-keys.js';
import type { Egress } from '../platform/egress/egress.js';
import type { Logger } from '../platform/log/logger.js';

/** Keys that clients publish at their `jwks_uri`. */
export interface ClientKeys {
  /** None where they are not known, or too old. */
  keysAt(uri: string): readonly PublicJwk[];
  /** They were asked for a moment ago, with or without success, so they are not asked for again yet. */
  isRecent(uri: string): boolean;
  /** Throws when they cannot be had, or not be used. */
  renew(uri: string): Promise<void>;
}

export interface ClientKeysDeps {
  fetch: Egress['fetch'];
  log: Logger;
  /** Within these Cache-Control decides how long keys are good; they are asked for no more often than the shortest. */
  clientKeys: { shortestSeconds: number; longestSeconds: number };
}

interface Entry {
  keys: readonly PublicJwk[];
  /** Monotonic, as the other. */
  goodUntil: number;
  askAgainAt: number;
  underway: Promise<void> | undefined;
}

const mostEntries = 5000;

/**
 * By address, and so apart from the library's clients, which are made anew with every change in their tenant. Whoever
 * asks while the keys are being fetched waits for them.
 */
export function createClientKeys({ fetch, log, clientKeys }: ClientKeysDeps): ClientKeys {
  const entries = new Map<string, Entry>();

  async function load(uri: string, entry: Entry): Promise<void> {
    try {
      const answer = await fetch(uri, { headers: { Accept: 'application/json, application/jwk-set+json' } });
      entry.keys = await usableKeys(answer);
      entry.goodUntil = performance.now() + 1000 * secondsOf(answer.headers.get('Cache-Control'));
    } catch (error) {
      log.warn({ host: new URL(uri).host, err: error }, 'the keys of a client could not be had');
      throw error;
    }
  }

  function secondsOf(cacheControl: string | null): number {
    const seconds = Number(/(?:^|[\s,])max-age=(\d{1,9})/i.exec(cacheControl ?? '')?.[1] ?? 0);
    const mayKeep = !/no-(?:store|cache)/i.test(cacheControl ?? '');
    return Math.min(Math.max(mayKeep ? seconds : 0, clientKeys.shortestSeconds), clientKeys.longestSeconds);
  }

  function entryOf(uri: string): Entry {
    const known = entries.get(uri);
    if (known) return known;
    const entry: Entry = { keys: [], goodUntil: 0, askAgainAt: 0, underway: undefined };
    entries.set(uri, entry);
    for (const oldest of entries.keys()) {
      if (entries.size <= mostEntries) break;
      entries.delete(oldest);
    }
    return entry;
  }

  const isRecent = (uri: string): boolean => {
    const entry = entries.get(uri);
    return entry !== undefined && !entry.underway && entry.askAgainAt > performance.now();
  };

  return {
    isRecent,
    keysAt(uri) {
      const entry = entries.get(uri);
      return entry && entry.goodUntil > performance.now() ? entry.keys : [];
    },
    async renew(uri) {
      if (isRecent(uri)) return;
      const entry = entryOf(uri);
      if (!entry.underway) {
        entry.askAgainAt = performance.now() + 1000 * clientKeys.shortestSeconds;
        entry.underway = load(uri, entry).finally(() => (entry.underway = undefined));
      }
      await entry.underway;
    },
  };
}

const text = z.string().max(2000).optional();
const keySet = z.looseObject({
  keys: z
    .array(
      z.looseObject({
        kty: z.string(),
        ...{ crv: text, x: text, y: text, n: text, e: text, kid: text, use: text, alg: text },
        key_ops: z.array(z.string()).optional(),
      }),
    )
    .max(mostClientKeys),
});

/**
 * Those that could be registered too. A set may hold keys for other ends, which are passed over; one that gives a secret
 * away is refused whole.
 */
async function usableKeys(answer: Response): Promise<PublicJwk[]> {
  if (answer.status !== 200) throw new Error(`answered ${answer.status}`);
  if (!/^application\/(?:[\w.-]+\+)?json(?:\s*;|$)/i.test(answer.headers.get('Content-Type') ?? ''))
    throw new Error('answered with a content type that is not JSON');
  const { keys } = keySet.parse(await answer.json());
  if (keys.some((key) => secretMemberOf(key) !== undefined)) throw new Error('holds a private or a shared key');
  const verifying = keys.filter(({ key_ops: uses }) => uses?.includes('verify') ?? true);
  return verifying.map(publicPartOf).filter((key) => problemOfPublicKey(key) === null);
}
