import type { Database } from '../../platform/mongo/open-database.js';

export const revokedCollection = 'oidc_revoked_jwts';

/** A JWT access token that was revoked before its end. */
export interface RevokedToken {
  /** Its `jti`. */
  _id: string;
  revokedAt: Date;
  expiresAt: Date;
}

export interface RevokedTokens {
  /** As of at most as long ago as any decision about rights; what this process revoked shows at once. */
  isRevoked(jti: string): Promise<boolean>;
  note(jti: string, expiresAt: Date): void;
}

/** How far the clocks of two processes may be apart for one to see what the other has revoked. */
const clocksApartMs = 60_000;

/**
 * The few tokens that were revoked, kept here, so that a good one costs no read of its own: what has come is asked for
 * every two seconds, whatever the number of requests.
 */
export function revokedTokens({ database, cacheSeconds }: { database: Database; cacheSeconds: number }): RevokedTokens {
  const records = database.collection<RevokedToken>(revokedCollection);
  const known = new Map<string, number>();
  let seenUpTo = new Date(0);
  let readAt = -Infinity;
  let reading: Promise<void> | undefined;

  async function read(): Promise<void> {
    const since = new Date(seenUpTo.getTime() - clocksApartMs);
    for await (const { _id, revokedAt, expiresAt } of records.find({ revokedAt: { $gt: since } })) {
      known.set(_id, expiresAt.getTime());
      if (revokedAt > seenUpTo) seenUpTo = revokedAt;
    }
    const now = Date.now() - clocksApartMs;
    for (const [jti, expiresAt] of known) if (expiresAt < now) known.delete(jti);
    readAt = performance.now();
  }

  return {
    async isRevoked(jti) {
      if (readAt + cacheSeconds * 1000 <= performance.now())
        await (reading ??= read().finally(() => (reading = undefined)));
      return known.has(jti);
    },
    note: (jti, expiresAt) => void known.set(jti, expiresAt.getTime()),
  };
}
