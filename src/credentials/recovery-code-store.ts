import { randomBytes } from 'node:crypto';
import type { KeyedHash } from '../platform/crypto/keyed-hash.js';
import type { Database } from '../platform/mongo/open-database.js';
import { sessionOf, type Tx } from '../platform/mongo/transactions.js';
import { recoveryCodeCount } from './factor.js';
import { base32 } from './totp.js';

interface RecoveryCodesRecord {
  /** User id. */
  _id: string;
  /** Of those that were not used. */
  hashes: string[];
  createdAt: Date;
}

export interface RecoveryCodeStore {
  /** Ten new ones, which are shown once; the former ones open nothing any more. */
  replace(tx: Tx, userId: string, now: Date): Promise<string[]>;
  /** Uses it up. False: it is none, or was used. */
  take(tx: Tx, userId: string, code: string): Promise<boolean>;
  count(userId: string): Promise<number>;
  remove(tx: Tx, userId: string): Promise<void>;
  /** If they were made then or later. */
  removeMadeSince(tx: Tx, userId: string, since: Date): Promise<void>;
}

/** 80 bits: 16 letters and digits, in groups that can be read and typed. */
const codeForm = /^[a-z2-7]{16}$/;
const bytesOfCode = 10;

/** In one spelling; null for what can be none. */
export function parseRecoveryCode(typed: string): string | null {
  const code = typed.normalize('NFKC').toLowerCase().replace(/[\s-]/g, '');
  return codeForm.test(code) ? code : null;
}

export function createRecoveryCodeStore(database: Database, hash: KeyedHash): RecoveryCodeStore {
  const records = database.collection<RecoveryCodesRecord>('recovery_codes');
  return {
    async replace(tx, userId, createdAt) {
      const codes = Array.from({ length: recoveryCodeCount }, () => base32(randomBytes(bytesOfCode)).toLowerCase());
      const hashes = codes.map((code) => hash(userId, code));
      await records.updateOne({ _id: userId }, { $set: { hashes, createdAt } }, { upsert: true, ...sessionOf(tx) });
      return codes.map((code) => (code.match(/.{4}/g) ?? []).join('-'));
    },
    async take(tx, userId, code) {
      const hashed = hash(userId, code);
      const { modifiedCount } = await records.updateOne(
        { _id: userId, hashes: hashed },
        { $pull: { hashes: hashed } },
        sessionOf(tx),
      );
      return modifiedCount === 1;
    },
    async count(userId) {
      return (await records.findOne({ _id: userId }))?.hashes.length ?? 0;
    },
    async remove(tx, userId) {
      await records.deleteOne({ _id: userId }, sessionOf(tx));
    },
    async removeMadeSince(tx, _id, since) {
      await records.deleteOne({ _id, createdAt: { $gte: since } }, sessionOf(tx));
    },
  };
}
