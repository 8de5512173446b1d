import type { Database } from '../platform/mongo/open-database.js';
import { sessionOf, type Tx } from '../platform/mongo/transactions.js';
import type { Factor, FactorKind } from './factor.js';

/** What is kept of one factor. A TOTP secret is sealed; of a passkey there is only its public half. */
export interface FactorRecord {
  _id: string;
  userId: string;
  kind: FactorKind;
  name: string;
  createdAt: Date;
  lastUsedAt: Date | null;
  /** Shown and not yet confirmed; goes then. */
  expiresAt?: Date;
  sealedSecret?: string;
  /** Of TOTP: the last step whose code was taken. */
  lastStep?: number;
  credentialId?: string;
  publicKey?: string;
  counter?: number;
  transports?: readonly string[];
  /** May be on several devices (WebAuthn BE), and is (BS). */
  isBackupEligible?: boolean;
  isBackedUp?: boolean;
}

export interface FactorStore {
  list(userId: string, tx?: Tx): Promise<FactorRecord[]>;
  findOfKind(userId: string, kind: FactorKind): Promise<FactorRecord | null>;
  findPending(userId: string, id: string, now: Date): Promise<FactorRecord | null>;
  findByCredentialId(credentialId: string): Promise<FactorRecord | null>;
  insert(record: FactorRecord, tx?: Tx): Promise<void>;
  /** Throws away what waits for its first code. */
  removePending(userId: string): Promise<void>;
  /** False: it was confirmed by somebody else, or its time is over. */
  confirm(tx: Tx, record: FactorRecord, lastStep: number, now: Date): Promise<boolean>;
  /** False: a code of this step or a later one was taken before. */
  takeStep(id: string, step: number, now: Date): Promise<boolean>;
  /** False: it was removed. */
  noteUse(tx: Tx, id: string, use: { at: Date; counter: number; isBackedUp: boolean }): Promise<boolean>;
  rename(tx: Tx, userId: string, id: string, name: string): Promise<boolean>;
  remove(tx: Tx, userId: string, id: string): Promise<FactorRecord | null>;
  removeAll(tx: Tx, userId: string): Promise<number>;
  /** Those made then or later, confirmed or not. */
  removeMadeSince(tx: Tx, userId: string, since: Date): Promise<void>;
  ensureIndexes(): Promise<void>;
}

export function createFactorStore(database: Database): FactorStore {
  const records = database.collection<FactorRecord>('factors');
  const confirmed = { expiresAt: { $exists: false } };
  const within = (tx: Tx | undefined): object => (tx ? sessionOf(tx) : {});

  return {
    list: (userId, tx) =>
      records
        .find({ userId, ...confirmed }, within(tx))
        .sort({ _id: 1 })
        .toArray(),
    findOfKind: (userId, kind) => records.findOne({ userId, kind, ...confirmed }),
    findPending: (userId, _id, now) => records.findOne({ _id, userId, expiresAt: { $gt: now } }),
    findByCredentialId: (credentialId) => records.findOne({ credentialId, ...confirmed }),
    async insert(record, tx) {
      await records.insertOne(record, within(tx));
    },
    async removePending(userId) {
      await records.deleteMany({ userId, expiresAt: { $exists: true } });
    },
    async confirm(tx, { _id, userId }, lastStep, now) {
      const { modifiedCount } = await records.updateOne(
        { _id, userId, expiresAt: { $gt: now } },
        { $set: { lastStep, lastUsedAt: now }, $unset: { expiresAt: 1 } },
        sessionOf(tx),
      );
      return modifiedCount === 1;
    },
    async takeStep(_id, step, now) {
      const { modifiedCount } = await records.updateOne(
        { _id, lastStep: { $lt: step }, ...confirmed },
        { $set: { lastStep: step, lastUsedAt: now } },
      );
      return modifiedCount === 1;
    },
    async noteUse(tx, _id, { at, counter, isBackedUp }) {
      const changes = { $set: { lastUsedAt: at, isBackedUp }, $max: { counter } };
      return (await records.updateOne({ _id }, changes, sessionOf(tx))).matchedCount === 1;
    },
    async rename(tx, userId, _id, name) {
      const { matchedCount } = await records.updateOne(
        { _id, userId, ...confirmed },
        { $set: { name } },
        sessionOf(tx),
      );
      return matchedCount === 1;
    },
    remove: (tx, userId, _id) => records.findOneAndDelete({ _id, userId, ...confirmed }, sessionOf(tx)),
    async removeAll(tx, userId) {
      return (await records.deleteMany({ userId }, sessionOf(tx))).deletedCount;
    },
    async removeMadeSince(tx, userId, since) {
      await records.deleteMany({ userId, createdAt: { $gte: since } }, sessionOf(tx));
    },
    async ensureIndexes() {
      await records.createIndex({ userId: 1 });
      await records.createIndex({ credentialId: 1 }, { unique: true, sparse: true });
      await records.createIndex({ expiresAt: 1 }, { expireAfterSeconds: 60 });
    },
  };
}

export function toFactor(record: FactorRecord): Factor {
  const { _id: id, userId, kind, name, createdAt, lastUsedAt, isBackupEligible } = record;
  const isSynced = isBackupEligible === undefined ? {} : { isSynced: isBackupEligible };
  return { id, userId, kind, name, createdAt, lastUsedAt, ...isSynced };
}
