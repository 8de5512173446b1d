import { Schema } from 'mongoose';
import type { Database } from '../platform/mongo/open-database.js';
import { afterId, type Page } from '../platform/mongo/page.js';
import { tenantOwned } from '../platform/mongo/tenant-owned.js';
import { sessionOf, type Tx } from '../platform/mongo/transactions.js';
import type { Connection } from './connection.js';

type ConnectionRecord = Omit<Connection, 'id'> & { _id: string; sealedSecret: string };

const schema = new Schema<ConnectionRecord>(
  {
    _id: { type: String, required: true },
    key: { type: String, required: true },
    name: { type: String, required: true },
    status: { type: String, required: true },
    mode: { type: String, required: true },
    clientIds: { type: [String], required: true },
    upstream: { type: Schema.Types.Mixed, required: true },
    isAuthoritative: { type: Boolean, required: true },
    makesAccounts: { type: Boolean, required: true },
    syncsProfile: { type: Boolean, required: true },
    secondLevel: { type: Schema.Types.Mixed, required: true },
    sessionSeconds: { type: Number, default: null },
    roleMapping: { type: Schema.Types.Mixed, default: null },
    publicKey: { type: Schema.Types.Mixed, default: null },
    sealedSecret: { type: String, required: true },
    createdAt: { type: Date, required: true },
    updatedAt: { type: Date, required: true },
  },
  { collection: 'connections', versionKey: false, strict: 'throw' },
);
schema.plugin(tenantOwned);
schema.index({ tenantId: 1, key: 1 }, { unique: true });
schema.index({ tenantId: 1, _id: 1 });

export interface ConnectionStore {
  /** Within a transaction: as it is there. */
  find(tenantId: string, id: string, tx?: Tx): Promise<Connection | null>;
  findByKey(tenantId: string, key: string): Promise<Connection | null>;
  /** Of whichever tenant. */
  isThere(id: string): Promise<boolean>;
  list(tenantId: string, page: Page): Promise<Connection[]>;
  listEnabled(tenantId: string): Promise<Connection[]>;
  count(tx: Tx, tenantId: string): Promise<number>;
  /** Null when there is no such connection any more. */
  findSecret(tenantId: string, id: string): Promise<string | null>;
  /** Throws a duplicate key error when another one of the tenant has its key. */
  insert(tx: Tx, connection: Connection, sealedSecret: string): Promise<void>;
  /** The secret stays as it is unless another one is given. */
  replace(tx: Tx, connection: Connection, sealedSecret?: string): Promise<void>;
  remove(tx: Tx, tenantId: string, id: string): Promise<void>;
}

export function createConnectionStore(database: Database): ConnectionStore {
  const model = database.connection.model('Connection', schema);
  return {
    async find(tenantId, id, tx) {
      return toConnection(
        await model.findOne({ tenantId, _id: id }, null, tx ? sessionOf(tx) : {}).lean<ConnectionRecord>(),
      );
    },
    findByKey: async (tenantId, key) => toConnection(await model.findOne({ tenantId, key }).lean<ConnectionRecord>()),
    async isThere(id) {
      const options = { acrossTenants: 'an id is unique, whichever tenant has it' };
      return (await model.findOne({ _id: id }, { _id: 1 }, options).lean()) !== null;
    },
    async list(tenantId, page) {
      const found = model.find({ tenantId, ...afterId(page) }).sort({ _id: 1 });
      return (await found.limit(page.limit).lean<ConnectionRecord[]>()).map((record) => toConnection(record));
    },
    async listEnabled(tenantId) {
      const found = model.find({ tenantId, status: 'enabled' }).sort({ name: 1, _id: 1 });
      return (await found.lean<ConnectionRecord[]>()).map((record) => toConnection(record));
    },
    count: (tx, tenantId) => model.countDocuments({ tenantId }, sessionOf(tx)),
    async findSecret(tenantId, id) {
      const found = await model.findOne({ tenantId, _id: id }, { sealedSecret: 1 }).lean<ConnectionRecord>();
      return found?.sealedSecret ?? null;
    },
    async insert(tx, { id, ...connection }, sealedSecret) {
      await model.insertMany([{ _id: id, ...connection, sealedSecret }], sessionOf(tx));
    },
    async replace(tx, { id, tenantId, ...connection }, sealedSecret) {
      const changes = { ...connection, ...(sealedSecret === undefined ? {} : { sealedSecret }) };
      await model.updateOne({ tenantId, _id: id }, { $set: changes }, sessionOf(tx));
    },
    async remove(tx, tenantId, id) {
      await model.deleteOne({ tenantId, _id: id }, sessionOf(tx));
    },
  };
}

function toConnection(record: ConnectionRecord): Connection;
function toConnection(record: ConnectionRecord | null): Connection | null;
function toConnection(record: ConnectionRecord | null): Connection | null {
  if (!record) return null;
  const { _id, sealedSecret: _secret, publicKey = null, roleMapping = null, ...others } = record;
  const { sessionSeconds = null, ...connection } = others;
  return { id: _id, publicKey, roleMapping, sessionSeconds, ...connection };
}
