import { Schema } from 'mongoose';
import type { Database } from '../platform/mongo/open-database.js';
import { tenantOwned } from '../platform/mongo/tenant-owned.js';
import { sessionOf, type Tx } from '../platform/mongo/transactions.js';
import type { Membership } from './membership.js';

type MembershipRecord = Omit<Membership, 'id'> & { _id: string };

const schema = new Schema<MembershipRecord>(
  {
    _id: { type: String, required: true },
    userId: { type: String, required: true },
    roles: { type: [String], required: true },
    createdAt: { type: Date, required: true },
  },
  { collection: 'memberships', versionKey: false, strict: 'throw' },
);
schema.plugin(tenantOwned);
schema.index({ tenantId: 1, userId: 1 }, { unique: true });
schema.index({ userId: 1 });

export interface MembershipStore {
  find(tenantId: string, userId: string): Promise<Membership | null>;
  listOfUser(userId: string): Promise<Membership[]>;
  insert(tx: Tx, membership: Membership): Promise<void>;
  setRoles(tx: Tx, tenantId: string, id: string, roles: readonly string[]): Promise<void>;
}

export function createMembershipStore(database: Database): MembershipStore {
  const model = database.connection.model('Membership', schema);
  return {
    async find(tenantId, userId) {
      const record = await model.findOne({ tenantId, userId }).lean<MembershipRecord>();
      return record && toMembership(record);
    },
    async listOfUser(userId) {
      const options = { acrossTenants: 'a person chooses among the tenants they belong to' };
      const records = await model.find({ userId }, null, options).lean<MembershipRecord[]>();
      return records.map(toMembership);
    },
    async insert(tx, { id, ...membership }) {
      await model.insertMany([{ _id: id, ...membership }], sessionOf(tx));
    },
    async setRoles(tx, tenantId, id, roles) {
      await model.updateOne({ tenantId, _id: id }, { $set: { roles } }, sessionOf(tx));
    },
  };
}

function toMembership({ _id, ...membership }: MembershipRecord): Membership {
  return { id: _id, ...membership };
}
