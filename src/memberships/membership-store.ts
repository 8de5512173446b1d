import { Schema } from 'mongoose';
import type { Database } from '../platform/mongo/open-database.js';
import type { Page } from '../platform/mongo/page.js';
import { tenantOwned } from '../platform/mongo/tenant-owned.js';
import { sessionOf, type Tx } from '../platform/mongo/transactions.js';
import type { AcceptedTerms } from '../users/index.js';
import type { Membership } from './membership.js';

type MembershipRecord = Omit<Membership, 'id'> & { _id: string };

const schema = new Schema<MembershipRecord>(
  {
    _id: { type: String, required: true },
    userId: { type: String, required: true },
    roles: { type: [String], required: true },
    createdAt: { type: Date, required: true },
    pickedAt: { type: Date, default: null },
    acceptedTerms: { type: Schema.Types.Mixed, default: null },
  },
  { collection: 'memberships', versionKey: false, strict: 'throw' },
);
schema.plugin(tenantOwned);
schema.index({ tenantId: 1, userId: 1 }, { unique: true });
schema.index({ tenantId: 1, roles: 1 });
schema.index({ userId: 1 });

export interface MembershipStore {
  /** Within a transaction: as it is there. */
  find(tenantId: string, userId: string, tx?: Tx): Promise<Membership | null>;
  listOfUser(userId: string, tx?: Tx): Promise<Membership[]>;
  /** In the order of the ids of their users, after which the page asks. */
  list(tenantId: string, page: Page): Promise<Membership[]>;
  insert(tx: Tx, membership: Membership): Promise<void>;
  setRoles(tx: Tx, tenantId: string, id: string, roles: readonly string[]): Promise<void>;
  remove(tx: Tx, tenantId: string, id: string): Promise<void>;
  count(tx: Tx, tenantId: string): Promise<number>;
  countWithRole(tx: Tx, tenantId: string, roleKey: string): Promise<number>;
  setAcceptedTerms(tx: Tx, tenantId: string, id: string, terms: AcceptedTerms): Promise<void>;
  setPickedAt(tenantId: string, userId: string, at: Date): Promise<void>;
}

export function createMembershipStore(database: Database): MembershipStore {
  const model = database.connection.model('Membership', schema);
  return {
    async find(tenantId, userId, tx) {
      const record = await model.findOne({ tenantId, userId }, null, tx ? sessionOf(tx) : {}).lean<MembershipRecord>();
      return record && toMembership(record);
    },
    async listOfUser(userId, tx) {
      const across = { acrossTenants: 'a person chooses among the tenants they belong to' };
      const options = tx ? { ...across, ...sessionOf(tx) } : across;
      const records = await model.find({ userId }, null, options).lean<MembershipRecord[]>();
      return records.map(toMembership);
    },
    async list(tenantId, { limit, after }) {
      const filter = { tenantId, ...(after === undefined ? {} : { userId: { $gt: after } }) };
      const records = await model.find(filter).sort({ userId: 1 }).limit(limit).lean<MembershipRecord[]>();
      return records.map(toMembership);
    },
    async insert(tx, { id, ...membership }) {
      await model.insertMany([{ _id: id, ...membership }], sessionOf(tx));
    },
    async setRoles(tx, tenantId, id, roles) {
      await model.updateOne({ tenantId, _id: id }, { $set: { roles } }, sessionOf(tx));
    },
    async remove(tx, tenantId, id) {
      await model.deleteOne({ tenantId, _id: id }, sessionOf(tx));
    },
    count: (tx, tenantId) => model.countDocuments({ tenantId }, sessionOf(tx)),
    countWithRole: (tx, tenantId, roleKey) => model.countDocuments({ tenantId, roles: roleKey }, sessionOf(tx)),
    async setAcceptedTerms(tx, tenantId, id, acceptedTerms) {
      await model.updateOne({ tenantId, _id: id }, { $set: { acceptedTerms } }, sessionOf(tx));
    },
    async setPickedAt(tenantId, userId, at) {
      await model.updateOne({ tenantId, userId }, { $set: { pickedAt: at } });
    },
  };
}

function toMembership({ _id, pickedAt = null, acceptedTerms = null, ...membership }: MembershipRecord): Membership {
  return { id: _id, pickedAt, acceptedTerms, ...membership }; // a lean read knows no defaults
}
