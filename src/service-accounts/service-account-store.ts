import { Schema } from 'mongoose';
import type { Database } from '../platform/mongo/open-database.js';
import { afterId, type Page } from '../platform/mongo/page.js';
import { tenantOwned } from '../platform/mongo/tenant-owned.js';
import { sessionOf, type Tx } from '../platform/mongo/transactions.js';
import type { AccountChanges, ServiceAccount } from './service-account.js';

type AccountRecord = Omit<ServiceAccount, 'id'> & { _id: string };

const schema = new Schema<AccountRecord>(
  {
    _id: { type: String, required: true },
    clientId: { type: String, required: true, unique: true },
    name: { type: String, required: true },
    roles: { type: [String], required: true },
    status: { type: String, required: true },
    authentication: { type: Schema.Types.Mixed, required: true },
    authenticationSetBy: { type: String, default: null },
    ipAllowlist: { type: [String], required: true },
    createdBy: { type: String, default: null },
    tokensEndedAt: { type: Date, default: null },
    createdAt: { type: Date, required: true },
  },
  { collection: 'service_accounts', versionKey: false, strict: 'throw' },
);
schema.plugin(tenantOwned);
schema.index({ tenantId: 1, clientId: 1 });
schema.index({ tenantId: 1, _id: 1 });
schema.index({ tenantId: 1, roles: 1 });

export interface ServiceAccountStore {
  findByClientId(tenantId: string, clientId: string): Promise<ServiceAccount | null>;
  /** Within a transaction: as it is there. */
  findById(tenantId: string, id: string, tx?: Tx): Promise<ServiceAccount | null>;
  list(tenantId: string, page: Page): Promise<ServiceAccount[]>;
  insert(tx: Tx, account: ServiceAccount): Promise<void>;
  update(tx: Tx, tenantId: string, id: string, changes: AccountChanges): Promise<void>;
  remove(tx: Tx, tenantId: string, id: string): Promise<void>;
  count(tx: Tx, tenantId: string): Promise<number>;
  countWithRole(tx: Tx, tenantId: string, roleKey: string): Promise<number>;
}

export function createServiceAccountStore(database: Database): ServiceAccountStore {
  const model = database.connection.model('ServiceAccount', schema);
  return {
    async findByClientId(tenantId, clientId) {
      return toAccount(await model.findOne({ tenantId, clientId }).lean<AccountRecord>());
    },
    async findById(tenantId, id, tx) {
      const options = tx ? sessionOf(tx) : {};
      return toAccount(await model.findOne({ tenantId, _id: id }, null, options).lean<AccountRecord>());
    },
    async list(tenantId, page) {
      const found = model.find({ tenantId, ...afterId(page) });
      return (await found.sort({ _id: 1 }).limit(page.limit).lean<AccountRecord[]>()).map((record) =>
        toAccount(record),
      );
    },
    async insert(tx, { id, ...account }) {
      await model.insertMany([{ _id: id, ...account }], sessionOf(tx));
    },
    async update(tx, tenantId, id, changes) {
      await model.updateOne({ tenantId, _id: id }, { $set: changes }, sessionOf(tx));
    },
    async remove(tx, tenantId, id) {
      await model.deleteOne({ tenantId, _id: id }, sessionOf(tx));
    },
    count: (tx, tenantId) => model.countDocuments({ tenantId }, sessionOf(tx)),
    countWithRole: (tx, tenantId, roleKey) => model.countDocuments({ tenantId, roles: roleKey }, sessionOf(tx)),
  };
}

function toAccount(record: AccountRecord): ServiceAccount;
function toAccount(record: AccountRecord | null): ServiceAccount | null;
function toAccount(record: AccountRecord | null): ServiceAccount | null {
  if (!record) return null;
  const { _id, createdBy = null, authenticationSetBy = null, tokensEndedAt = null, ...account } = record; // a lean read knows no defaults
  return { id: _id, createdBy, authenticationSetBy, tokensEndedAt, ...account };
}
