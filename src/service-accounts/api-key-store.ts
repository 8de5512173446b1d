import { Schema } from 'mongoose';
import type { Database } from '../platform/mongo/open-database.js';
import { tenantOwned } from '../platform/mongo/tenant-owned.js';
import { sessionOf, type Tx } from '../platform/mongo/transactions.js';
import type { ApiKey, ServiceAccount } from './service-account.js';

type KeyRecord = Omit<ApiKey, 'id'> & { _id: string };

const schema = new Schema<KeyRecord>(
  {
    _id: { type: String, required: true },
    serviceAccountId: { type: String, required: true },
    label: { type: String, required: true },
    secretHash: { type: String, required: true, unique: true },
    createdBy: { type: String, default: null },
    createdAt: { type: Date, required: true },
    expiresAt: { type: Date, default: null },
    revokedAt: { type: Date, default: null },
    lastUsedAt: { type: Date, default: null },
  },
  { collection: 'api_keys', versionKey: false, strict: 'throw' },
);
schema.plugin(tenantOwned);
schema.index({ tenantId: 1, serviceAccountId: 1, label: 1 }, { unique: true });
schema.index({ tenantId: 1, createdBy: 1 });

export interface ApiKeyStore {
  /** All of them, also the expired and revoked ones. Within a transaction: as they are there. */
  list(tenantId: string, serviceAccountId: string, tx?: Tx): Promise<ApiKey[]>;
  /** Those that this member has made. */
  listLiveOf(tx: Tx, tenantId: string, createdBy: string): Promise<ApiKey[]>;
  /** Throws a duplicate key error when the account has a key with this label. */
  insert(tx: Tx, key: ApiKey): Promise<void>;
  update(tx: Tx, key: ApiKey, changes: Pick<ApiKey, 'revokedAt'>): Promise<void>;
  /** Of all keys of the account. */
  setCreatorOf(tx: Tx, account: Pick<ServiceAccount, 'tenantId' | 'id'>, createdBy: string | null): Promise<void>;
  removeEach(tx: Tx, keys: readonly ApiKey[]): Promise<void>;
  removeOf(tx: Tx, tenantId: string, serviceAccountId: string): Promise<void>;
  noteUse(tenantId: string, id: string, at: Date): Promise<void>;
}

export function createApiKeyStore(database: Database): ApiKeyStore {
  const model = database.connection.model('ApiKey', schema);
  return {
    async list(tenantId, serviceAccountId, tx) {
      const found = model.find({ tenantId, serviceAccountId }, null, tx ? sessionOf(tx) : {});
      return (await found.lean<KeyRecord[]>()).map(toKey);
    },
    async listLiveOf(tx, tenantId, createdBy) {
      const found = model.find({ tenantId, createdBy, revokedAt: null }, null, sessionOf(tx));
      return (await found.lean<KeyRecord[]>()).map(toKey);
    },
    async insert(tx, { id, ...key }) {
      await model.insertMany([{ _id: id, ...key }], sessionOf(tx));
    },
    async update(tx, { tenantId, id }, changes) {
      await model.updateOne({ tenantId, _id: id }, { $set: changes }, sessionOf(tx));
    },
    async setCreatorOf(tx, { tenantId, id }, createdBy) {
      await model.updateMany({ tenantId, serviceAccountId: id }, { $set: { createdBy } }, sessionOf(tx));
    },
    async removeEach(tx, keys) {
      for (const { tenantId, id } of keys) await model.deleteOne({ tenantId, _id: id }, sessionOf(tx));
    },
    async removeOf(tx, tenantId, serviceAccountId) {
      await model.deleteMany({ tenantId, serviceAccountId }, sessionOf(tx));
    },
    async noteUse(tenantId, id, at) {
      await model.updateOne({ tenantId, _id: id }, { $max: { lastUsedAt: at } });
    },
  };
}

function toKey({ _id, createdBy = null, lastUsedAt = null, ...key }: KeyRecord): ApiKey {
  return { id: _id, createdBy, lastUsedAt, ...key }; // a lean read knows no defaults
}
