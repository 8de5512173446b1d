/**
 * Values that may be a little old. Time is the process's monotonic clock, so that setting the wall clock back keeps
 * nothing alive. A value that is being loaded is shared by all who ask for it meanwhile; a failed load is not kept;
 * what was forgotten while it was being loaded is not kept either, since it may have been read before the change.
 */
export interface ExpiringMap<T> {
  get(key: string, load: () => Promise<T>): Promise<T>;
  forget(key: string): void;
  forgetAll(): void;
}

interface Entry<T> {
  value: Promise<T>;
  expiresAt: number;
}

const sweepAt = 10_000;

export function createExpiringMap<T>(ttlSeconds: number): ExpiringMap<T> {
  const entries = new Map<string, Entry<T>>();

  function sweep(now: number): void {
    for (const [key, entry] of entries) if (entry.expiresAt <= now) entries.delete(key);
    // still too many within one lifetime: let the oldest go
    for (const key of entries.keys()) {
      if (entries.size < sweepAt) break;
      entries.delete(key);
    }
  }

  async function loaded(key: string, load: () => Promise<T>, now: number): Promise<T> {
    if (entries.size >= sweepAt) sweep(now);
    const entry: Entry<T> = { value: load(), expiresAt: now + ttlSeconds * 1000 };
    entries.delete(key);
    entries.set(key, entry);
    try {
      return await entry.value;
    } catch (error) {
      if (entries.get(key) === entry) entries.delete(key);
      throw error;
    }
  }

  return {
    // not async: what is kept is handed out as it is, without another promise on the hottest paths
    get(key, load) {
      const now = performance.now();
      const kept = entries.get(key);
      return kept && kept.expiresAt > now ? kept.value : loaded(key, load, now);
    },
    forget: (key) => void entries.delete(key),
    forgetAll: () => entries.clear(),
  };
}

/** One expiring value. */
export function createExpiringValue<T>(
  ttlSeconds: number,
  load: () => Promise<T>,
): { get(): Promise<T>; forget(): void } {
  const map = createExpiringMap<T>(ttlSeconds);
  return { get: () => map.get('', load), forget: () => map.forget('') };
}
