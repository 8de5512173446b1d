import { Schema } from 'mongoose';
import type { Database } from '../platform/mongo/open-database.js';
import { afterId, type Page } from '../platform/mongo/page.js';
import { sessionOf, type Tx } from '../platform/mongo/transactions.js';
import { withAllSettings } from './settings.js';
import { tenantStatuses, tenantTypes, type SeatKind, type Tenant, type TenantStatus } from './tenant.js';

/** All names of a tenant stand in one field under one unique index, the present one first. */
type TenantRecord = Omit<Tenant, 'id' | 'slug' | 'formerSlugs'> & {
  _id: string;
  slugs: string[];
  /** How often it was held: what makes two transactions that decide by it meet. */
  holds?: number;
};

const schema = new Schema<TenantRecord>(
  {
    _id: { type: String, required: true },
    slugs: { type: [String], required: true },
    name: { type: String },
    type: { type: String, required: true, enum: tenantTypes },
    plan: { type: String, required: true },
    status: { type: String, required: true, enum: tenantStatuses },
    deleteAfter: { type: Date, default: null },
    template: { type: Schema.Types.Mixed, required: true },
    overrides: { type: [String], required: true },
    policies: { type: Schema.Types.Mixed, required: true },
    features: { type: [String], required: true },
    limits: { type: Schema.Types.Mixed, required: true },
    branding: { type: Schema.Types.Mixed, required: true },
    seats: { type: Schema.Types.Mixed, required: true },
    tokensEndedAt: { type: Date, default: null },
    holds: { type: Number },
    createdAt: { type: Date, required: true },
  },
  { collection: 'tenants', versionKey: false, strict: 'throw', minimize: false },
);
schema.index({ slugs: 1 }, { unique: true });
schema.index({ status: 1, deleteAfter: 1 });
schema.index({ 'branding.logo.digest': 1 }, { sparse: true });

export type StoredChanges = Partial<Omit<Tenant, 'id' | 'slug' | 'formerSlugs' | 'createdAt'>>;

export interface TenantStore {
  findById(id: string): Promise<Tenant | null>;
  /** By its present slug or one that it had before. */
  findBySlug(slug: string): Promise<Tenant | null>;
  findByIds(ids: readonly string[]): Promise<Tenant[]>;
  list(page: Page): Promise<Tenant[]>;
  /** Throws a duplicate key error when another tenant has or had the slug. */
  insert(tx: Tx, tenant: Tenant): Promise<void>;
  /**
   * The tenant as it stands after these seats were taken or given back. The transaction now holds it: another one that
   * decides by it starts again once this one has ended.
   */
  hold(tx: Tx, id: string, seats?: Partial<Record<SeatKind, number>>): Promise<Tenant | null>;
  update(tx: Tx, id: string, changes: StoredChanges): Promise<void>;
  setSlugs(tx: Tx, id: string, slugs: readonly string[]): Promise<void>;
  showsLogo(tx: Tx, digest: string): Promise<boolean>;
  /** Ids of those whose time has come, or whose deletion was begun. */
  listToDelete(now: Date, limit: number): Promise<string[]>;
}

export function createTenantStore(database: Database): TenantStore {
  const model = database.connection.model('Tenant', schema);
  return {
    findById: async (id) => toTenant(await model.findById(id).lean<TenantRecord>()),
    findBySlug: async (slug) => toTenant(await model.findOne({ slugs: slug }).lean<TenantRecord>()),
    async findByIds(ids) {
      const records = await model.find({ _id: { $in: [...ids] } }).lean<TenantRecord[]>();
      return records.map((record) => toTenant(record));
    },
    async list(page) {
      const found = model.find({ ...afterId(page), status: { $ne: 'deleted' } });
      const records = await found.sort({ _id: 1 }).limit(page.limit).lean<TenantRecord[]>();
      return records.map((record) => toTenant(record));
    },
    async insert(tx, { id, slug, formerSlugs, ...tenant }) {
      await model.insertMany([{ _id: id, slugs: [slug, ...formerSlugs], ...tenant }], sessionOf(tx));
    },
    async hold(tx, id, seats = {}) {
      const changes: { $inc: Record<string, number> } = { $inc: { holds: 1 } };
      for (const [kind, count] of Object.entries(seats)) changes.$inc[`seats.${kind}`] = count;
      const options = { ...sessionOf(tx), returnDocument: 'after' } as const;
      return toTenant(await model.findOneAndUpdate({ _id: id }, changes, options).lean<TenantRecord>());
    },
    async update(tx, id, changes) {
      await model.updateOne({ _id: id }, { $set: changes }, sessionOf(tx));
    },
    async setSlugs(tx, id, slugs) {
      await model.updateOne({ _id: id }, { $set: { slugs: [...slugs] } }, sessionOf(tx));
    },
    async showsLogo(tx, digest) {
      return (await model.exists({ 'branding.logo.digest': digest }).session(sessionOf(tx).session)) !== null;
    },
    async listToDelete(now, limit) {
      const filter = { status: { $in: ['archived', 'deleted'] as TenantStatus[] }, deleteAfter: { $lte: now } };
      const found = await model.find(filter, { _id: 1 }).limit(limit).lean<{ _id: string }[]>();
      return found.map(({ _id }) => _id);
    },
  };
}

function toTenant(record: TenantRecord): Tenant;
function toTenant(record: TenantRecord | null): Tenant | null;
function toTenant(record: TenantRecord | null): Tenant | null {
  if (!record) return null;
  const { _id, slugs, holds: _holds, ...tenant } = record;
  const [slug = '', ...formerSlugs] = slugs;
  return { id: _id, slug, formerSlugs, ...withAllSettings(tenant) };
}
