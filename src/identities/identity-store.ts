import { Schema } from 'mongoose';
import type { KeyedHash } from '../platform/crypto/keyed-hash.js';
import type { Sealing } from '../platform/crypto/sealing.js';
import type { Database } from '../platform/mongo/open-database.js';
import { tenantOwned } from '../platform/mongo/tenant-owned.js';
import { sessionOf, type Tx } from '../platform/mongo/transactions.js';
import type { Identity, IdentityKey } from './identity.js';

/** What names a person at the provider lies in `sealed`; they are found through a keyed hash of it. */
interface IdentityRecord {
  _id: string;
  tenantId: string;
  connectionId: string;
  userId: string;
  subjectHash: string;
  sealed: string;
  linkedAt: Date;
  lastUsedAt: Date | null;
}

const schema = new Schema<IdentityRecord>(
  {
    _id: { type: String, required: true },
    connectionId: { type: String, required: true },
    userId: { type: String, required: true },
    subjectHash: { type: String, required: true },
    sealed: { type: String, required: true },
    linkedAt: { type: Date, required: true },
    lastUsedAt: { type: Date, default: null },
  },
  { collection: 'identities', versionKey: false, strict: 'throw' },
);
schema.plugin(tenantOwned);
schema.index({ tenantId: 1, subjectHash: 1 }, { unique: true });
schema.index({ tenantId: 1, connectionId: 1 });
schema.index({ userId: 1 });

export interface IdentityStore {
  /** Within a transaction: as it is there. */
  find(key: IdentityKey, tx?: Tx): Promise<Identity | null>;
  listOfUser(userId: string, tx?: Tx): Promise<Identity[]>;
  /** Throws a duplicate key error when somebody is linked to it. */
  insert(tx: Tx, identity: Identity): Promise<void>;
  setUsedAt(tenantId: string, id: string, at: Date): Promise<void>;
  remove(tx: Tx, tenantId: string, id: string): Promise<void>;
  removeOfUser(tx: Tx, userId: string): Promise<void>;
  removeOfConnection(tx: Tx, tenantId: string, connectionId: string): Promise<void>;
}

export function createIdentityStore(deps: { database: Database; sealing: Sealing; hash: KeyedHash }): IdentityStore {
  const model = deps.database.connection.model('Identity', schema);
  const ofPerson = { acrossTenants: 'a person is one record across all tenants, and so are their identities' };
  const contextOf = (id: string): string => `identity:${id}`;
  // the connection is part of it: two of them may name the same issuer
  const hashOf = ({ connectionId, issuer, subject }: IdentityKey): string => deps.hash(connectionId, issuer, subject);

  async function toIdentity({ _id, subjectHash: _hash, sealed, ...plain }: IdentityRecord): Promise<Identity> {
    const opened = JSON.parse(await deps.sealing.open(sealed, contextOf(_id))) as Pick<
      Identity,
      'issuer' | 'subject' | 'email'
    >;
    return { id: _id, ...plain, lastUsedAt: plain.lastUsedAt ?? null, ...opened };
  }

  return {
    async find(key, tx) {
      const filter = { tenantId: key.tenantId, subjectHash: hashOf(key) };
      const found = await model.findOne(filter, null, tx ? sessionOf(tx) : {}).lean<IdentityRecord>();
      return found && toIdentity(found);
    },
    async listOfUser(userId, tx) {
      const options = { ...ofPerson, ...(tx ? sessionOf(tx) : {}) };
      const found = await model.find({ userId }, null, options).sort({ linkedAt: 1 }).lean<IdentityRecord[]>();
      return Promise.all(found.map(toIdentity));
    },
    async insert(tx, { id, issuer, subject, email, ...plain }) {
      const sealed = await deps.sealing.seal(JSON.stringify({ issuer, subject, email }), contextOf(id));
      const subjectHash = hashOf({ ...plain, issuer, subject });
      await model.insertMany([{ _id: id, ...plain, subjectHash, sealed }], sessionOf(tx));
    },
    async setUsedAt(tenantId, id, lastUsedAt) {
      await model.updateOne({ tenantId, _id: id }, { $set: { lastUsedAt } });
    },
    async remove(tx, tenantId, id) {
      await model.deleteOne({ tenantId, _id: id }, sessionOf(tx));
    },
    async removeOfUser(tx, userId) {
      await model.deleteMany({ userId }, { ...ofPerson, ...sessionOf(tx) });
    },
    async removeOfConnection(tx, tenantId, connectionId) {
      await model.deleteMany({ tenantId, connectionId }, sessionOf(tx));
    },
  };
}
