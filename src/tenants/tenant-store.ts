import { Schema } from 'mongoose';
import type { Database } from '../platform/mongo/open-database.js';
import { sessionOf, type Tx } from '../platform/mongo/transactions.js';
import { tenantTypes, type Tenant } from './tenant.js';

type TenantRecord = Omit<Tenant, 'id'> & { _id: string };

const schema = new Schema<TenantRecord>(
  {
    _id: { type: String, required: true },
    slug: { type: String, required: true, unique: true },
    name: { type: String, required: true },
    type: { type: String, required: true, enum: tenantTypes },
    plan: { type: String, required: true },
    status: { type: String, required: true },
    policies: { type: Schema.Types.Mixed, required: true },
    createdAt: { type: Date, required: true },
  },
  { collection: 'tenants', versionKey: false, strict: 'throw', minimize: false },
);

export interface TenantStore {
  findById(id: string): Promise<Tenant | null>;
  findBySlug(slug: string): Promise<Tenant | null>;
  findByIds(ids: readonly string[]): Promise<Tenant[]>;
  insert(tx: Tx, tenant: Tenant): Promise<void>;
  update(tx: Tx, id: string, changes: Partial<Omit<Tenant, 'id' | 'slug' | 'createdAt'>>): Promise<void>;
}

export function createTenantStore(database: Database): TenantStore {
  const model = database.connection.model('Tenant', schema);
  return {
    findById: async (id) => toTenant(await model.findById(id).lean<TenantRecord>()),
    findBySlug: async (slug) => toTenant(await model.findOne({ slug }).lean<TenantRecord>()),
    async findByIds(ids) {
      const records = await model.find({ _id: { $in: [...ids] } }).lean<TenantRecord[]>();
      return records.map((record) => toTenant(record));
    },
    async insert(tx, { id, ...tenant }) {
      await model.insertMany([{ _id: id, ...tenant }], sessionOf(tx));
    },
    async update(tx, id, changes) {
      await model.updateOne({ _id: id }, { $set: changes }, sessionOf(tx));
    },
  };
}

function toTenant(record: TenantRecord): Tenant;
function toTenant(record: TenantRecord | null): Tenant | null;
function toTenant(record: TenantRecord | null): Tenant | null {
  if (!record) return null;
  const { _id, ...tenant } = record;
  return { id: _id, ...tenant };
}
