import { Schema } from 'mongoose';
import type { Database } from '../platform/mongo/open-database.js';
import { tenantOwned } from '../platform/mongo/tenant-owned.js';
import { sessionOf, type Tx } from '../platform/mongo/transactions.js';
import type { AccountChanges, ApiKey, ServiceAccount } from './service-account.js';

type AccountRecord = Omit<ServiceAccount, 'id'> & { _id: string };
type KeyRecord = Omit<ApiKey, 'id'> & { _id: string };

const accountSchema = new Schema<AccountRecord>(
  {
    _id: { type: String, required: true },
    clientId: { type: String, required: true, unique: true },
    name: { type: String, required: true },
    roles: { type: [String], required: true },
    status: { type: String, required: true },
    jwks: { type: Schema.Types.Mixed, default: null },
    tokensEndedAt: { type: Date, default: null },
    createdAt: { type: Date, required: true },
  },
  { collection: 'service_accounts', versionKey: false, strict: 'throw' },
);
accountSchema.plugin(tenantOwned);
accountSchema.index({ tenantId: 1, clientId: 1 });

const keySchema = new Schema<KeyRecord>(
  {
    _id: { type: String, required: true },
    serviceAccountId: { type: String, required: true },
    label: { type: String, required: true },
    secretHash: { type: String, required: true, unique: true },
    createdAt: { type: Date, required: true },
    expiresAt: { type: Date, default: null },
    revokedAt: { type: Date, default: null },
  },
  { collection: 'api_keys', versionKey: false, strict: 'throw' },
);
keySchema.plugin(tenantOwned);
keySchema.index({ tenantId: 1, serviceAccountId: 1, label: 1 }, { unique: true });

export interface ServiceAccountStore {
  findByClientId(tenantId: string, clientId: string): Promise<ServiceAccount | null>;
  insert(tx: Tx, account: ServiceAccount): Promise<void>;
  update(tx: Tx, tenantId: string, id: string, changes: AccountChanges): Promise<void>;
  listKeys(tenantId: string, serviceAccountId: string): Promise<ApiKey[]>;
  insertKey(tx: Tx, key: ApiKey): Promise<void>;
  count(tx: Tx, tenantId: string): Promise<number>;
  countWithRole(tx: Tx, tenantId: string, roleKey: string): Promise<number>;
}

export function createServiceAccountStore(database: Database): ServiceAccountStore {
  const accounts = database.connection.model('ServiceAccount', accountSchema);
  const keys = database.connection.model('ApiKey', keySchema);
  return {
    async findByClientId(tenantId, clientId) {
      const record = await accounts.findOne({ tenantId, clientId }).lean<AccountRecord>();
      if (!record) return null;
      const { _id, jwks = null, tokensEndedAt = null, ...account } = record; // a lean read knows no defaults
      return { id: _id, jwks, tokensEndedAt, ...account };
    },
    async insert(tx, { id, ...account }) {
      await accounts.insertMany([{ _id: id, ...account }], sessionOf(tx));
    },
    async update(tx, tenantId, id, changes) {
      await accounts.updateOne({ tenantId, _id: id }, { $set: changes }, sessionOf(tx));
    },
    async listKeys(tenantId, serviceAccountId) {
      const records = await keys.find({ tenantId, serviceAccountId }).lean<KeyRecord[]>();
      return records.map(({ _id, ...key }) => ({ id: _id, ...key }));
    },
    async insertKey(tx, { id, ...key }) {
      await keys.insertMany([{ _id: id, ...key }], sessionOf(tx));
    },
    count: (tx, tenantId) => accounts.countDocuments({ tenantId }, sessionOf(tx)),
    countWithRole: (tx, tenantId, roleKey) => accounts.countDocuments({ tenantId, roles: roleKey }, sessionOf(tx)),
  };
}
