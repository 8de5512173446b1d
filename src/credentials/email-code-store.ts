import { randomInt } from 'node:crypto';
import { equalSecrets } from '../kernel/secret.js';
import { secondsAfter, type Clock } from '../kernel/time.js';
import type { KeyedHash } from '../platform/crypto/keyed-hash.js';
import type { Database } from '../platform/mongo/open-database.js';
import { sessionOf, type Tx } from '../platform/mongo/transactions.js';

interface EmailCodeRecord {
  /** User id: a new code is the only one. */
  _id: string;
  /** Of the code with the sign-in that it was sent for. */
  codeHash: string;
  tries: number;
  expiresAt: Date;
}

export interface EmailCodeStore {
  /** A new code; the former one opens nothing any more. */
  create(tx: Tx, userId: string, binding: string): Promise<string>;
  /** Uses it up. Each asking is counted before the code is compared. */
  take(userId: string, binding: string, code: string): Promise<boolean>;
  remove(tx: Tx, userId: string): Promise<void>;
  ensureIndexes(): Promise<void>;
}

export function createEmailCodeStore(deps: {
  database: Database;
  hash: KeyedHash;
  now: Clock;
  limits: { emailCodeSeconds: number; emailCodeTries: number };
}): EmailCodeStore {
  const { hash, now, limits } = deps;
  const records = deps.database.collection<EmailCodeRecord>('email_codes');
  return {
    async create(tx, userId, binding) {
      const code = String(randomInt(1_000_000)).padStart(6, '0');
      const expiresAt = secondsAfter(now(), limits.emailCodeSeconds);
      const record = { codeHash: hash(userId, binding, code), tries: 0, expiresAt };
      await records.updateOne({ _id: userId }, { $set: record }, { upsert: true, ...sessionOf(tx) });
      return code;
    },
    async take(userId, binding, code) {
      const codeHash = hash(userId, binding, code);
      const asked = { _id: userId, tries: { $lt: limits.emailCodeTries }, expiresAt: { $gt: now() } };
      const record = await records.findOneAndUpdate(asked, { $inc: { tries: 1 } });
      if (!record || !equalSecrets(record.codeHash, codeHash)) return false;
      return (await records.deleteOne({ _id: userId, codeHash })).deletedCount === 1;
    },
    async remove(tx, userId) {
      await records.deleteOne({ _id: userId }, sessionOf(tx));
    },
    async ensureIndexes() {
      await records.createIndex({ expiresAt: 1 }, { expireAfterSeconds: 60 });
    },
  };
}
