import { Schema } from 'mongoose';
import type { Database } from '../platform/mongo/open-database.js';
import { tenantOwned } from '../platform/mongo/tenant-owned.js';
import { sessionOf, type Tx } from '../platform/mongo/transactions.js';
import type { CustomRole } from './role.js';

type RoleRecord = Omit<CustomRole, 'id' | 'builtIn' | 'permissions'> & { _id: string; permissions: string[] };

const schema = new Schema<RoleRecord>(
  {
    _id: { type: String, required: true },
    key: { type: String, required: true },
    name: { type: String, required: true },
    permissions: { type: [String], required: true },
    createdAt: { type: Date, required: true },
  },
  { collection: 'roles', versionKey: false, strict: 'throw' },
);
schema.plugin(tenantOwned);
schema.index({ tenantId: 1, key: 1 }, { unique: true });

export interface RoleStore {
  /** Within a transaction: as they are there. */
  list(tenantId: string, tx?: Tx): Promise<CustomRole[]>;
  listOfTenants(tenantIds: readonly string[]): Promise<CustomRole[]>;
  insert(tx: Tx, role: CustomRole): Promise<void>;
  update(
    tx: Tx,
    tenantId: string,
    id: string,
    changes: { name?: string; permissions?: readonly string[] },
  ): Promise<void>;
  remove(tx: Tx, tenantId: string, id: string): Promise<void>;
}

export function createRoleStore(database: Database): RoleStore {
  const model = database.connection.model('Role', schema);
  return {
    async list(tenantId, tx) {
      const records = await model.find({ tenantId }, null, tx ? sessionOf(tx) : {}).lean<RoleRecord[]>();
      return records.map(toRole);
    },
    async listOfTenants(tenantIds) {
      const options = { acrossTenants: 'a person is shown their roles in each tenant they belong to' };
      const records = await model.find({ tenantId: { $in: [...tenantIds] } }, null, options).lean<RoleRecord[]>();
      return records.map(toRole);
    },
    async insert(tx, { id, builtIn: _builtIn, ...role }) {
      await model.insertMany([{ _id: id, ...role, permissions: [...role.permissions] }], sessionOf(tx));
    },
    async update(tx, tenantId, id, changes) {
      await model.updateOne({ tenantId, _id: id }, { $set: changes }, sessionOf(tx));
    },
    async remove(tx, tenantId, id) {
      await model.deleteOne({ tenantId, _id: id }, sessionOf(tx));
    },
  };
}

function toRole({ _id, ...role }: RoleRecord): CustomRole {
  return { id: _id, builtIn: false, ...role };
}
