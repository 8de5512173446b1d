import { createHash } from 'node:crypto';
import { AppError } from '../kernel/errors.js';
import { secondsAfter, type Clock } from '../kernel/time.js';
import type { KeyedHash } from '../platform/crypto/keyed-hash.js';
import type { Sealing } from '../platform/crypto/sealing.js';
import type { Database } from '../platform/mongo/open-database.js';
import { isDuplicateKey, mayHaveGoneThrough } from '../platform/mongo/transactions.js';

/** An answer as it was given. */
export interface KeptAnswer {
  status: number;
  headers: Record<string, string>;
  body: unknown;
}

export interface KeyedRequest {
  /** Of whom, in which tenant, for which operation: keys of others are other keys. */
  scope: readonly string[];
  key: string;
  body: unknown;
}

/** Does the work once for a key, and gives what it gave to whoever comes with the same key again. */
export type Once = (request: KeyedRequest, work: () => Promise<KeptAnswer>) => Promise<KeptAnswer>;

interface KeyRecord {
  _id: string;
  fingerprint: string;
  /** The answer; absent while the work is under way, and when its process ended before it was done. */
  sealed?: string;
  expiresAt: Date;
}

const collectionName = 'idempotency_keys';
const keptSeconds = 86_400;

/**
 * `Idempotency-Key` (draft-ietf-httpapi-idempotency-key-header). The first of any number of requests with a key is
 * decided by one insert. Answers are kept sealed: some hold a secret that is shown once. What failed is not kept, so
 * that it may be tried again, unless it may have gone through all the same.
 */
export function idempotency(deps: { database: Database; hash: KeyedHash; sealing: Sealing; now: Clock }): Once {
  const records = deps.database.collection<KeyRecord>(collectionName);
  return async ({ scope, key, body }, work) => {
    const _id = deps.hash(JSON.stringify(scope), key);
    const context = `${collectionName}:${_id}`;
    const fingerprint = deps.hash(
      createHash('sha256')
        .update(JSON.stringify(body ?? null))
        .digest('base64url'),
    );
    const earlier = await claim({ _id, fingerprint, expiresAt: secondsAfter(deps.now(), keptSeconds) });
    if (earlier) {
      requireSame(earlier, fingerprint);
      return JSON.parse(await deps.sealing.open(earlier.sealed ?? '', context)) as KeptAnswer;
    }
    const answer = await work().catch(async (error: unknown) => {
      if (!mayHaveGoneThrough(error)) await records.deleteOne({ _id });
      throw error;
    });
    const sealed = await deps.sealing.seal(JSON.stringify(answer), context);
    await records.updateOne({ _id }, { $set: { sealed } });
    return answer;
  };

  /** Null when this request is the first one. */
  async function claim(record: KeyRecord): Promise<KeyRecord | null> {
    await records.deleteOne({ _id: record._id, expiresAt: { $lte: deps.now() } });
    try {
      await records.insertOne(record);
      return null;
    } catch (error) {
      if (!isDuplicateKey(error)) throw error;
      return (await records.findOne({ _id: record._id })) ?? record;
    }
  }
}

function requireSame(earlier: KeyRecord, fingerprint: string): void {
  if (earlier.fingerprint !== fingerprint) {
    throw new AppError('idempotency.other_request', {
      status: 422,
      detail: 'This Idempotency-Key was used with another body.',
    });
  }
  if (earlier.sealed !== undefined) return;
  throw new AppError('idempotency.not_finished', {
    status: 409,
    detail: 'A request with this Idempotency-Key was begun, and its outcome is not known. Look at what is there.',
  });
}

export async function ensureIdempotencyIndexes(database: Database): Promise<void> {
  await database.collection(collectionName).createIndex({ expiresAt: 1 }, { expireAfterSeconds: 60 });
}
