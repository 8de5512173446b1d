import { Schema } from 'mongoose';
import type { Database } from '../platform/mongo/open-database.js';
import { tenantOwned } from '../platform/mongo/tenant-owned.js';
import { sessionOf, type Tx } from '../platform/mongo/transactions.js';

/** What a user has allowed a third-party client to have of them in one tenant. */
export interface Consent {
  tenantId: string;
  userId: string;
  clientId: string;
  /** OpenID scopes, and permissions as `<resource identifier> <permission>`. */
  granted: string[];
}

export type GivenConsent = Consent & { grantedAt: Date };
type ConsentRecord = GivenConsent;

const schema = new Schema<ConsentRecord>(
  {
    userId: { type: String, required: true },
    clientId: { type: String, required: true },
    granted: { type: [String], required: true },
    grantedAt: { type: Date, required: true },
  },
  { collection: 'consents', versionKey: false, strict: 'throw' },
);
schema.plugin(tenantOwned);
schema.index({ tenantId: 1, userId: 1, clientId: 1 }, { unique: true });
schema.index({ userId: 1 });

export interface ConsentStore {
  find(tenantId: string, userId: string, clientId: string): Promise<string[]>;
  add(tx: Tx, consent: Consent, grantedAt: Date): Promise<void>;
  listOfUser(userId: string): Promise<GivenConsent[]>;
  /** False: there is none. */
  remove(tx: Tx, consent: Omit<Consent, 'granted'>): Promise<boolean>;
  removeOf(tx: Tx, tenantId: string, userId: string): Promise<void>;
}

export function createConsentStore(database: Database): ConsentStore {
  const model = database.connection.model('Consent', schema);
  return {
    async find(tenantId, userId, clientId) {
      const record = await model.findOne({ tenantId, userId, clientId }).lean<ConsentRecord>();
      return record?.granted ?? [];
    },
    async listOfUser(userId) {
      const across = { acrossTenants: 'a person looks at what they have allowed, wherever that was' };
      const records = await model.find({ userId }, null, across).sort({ grantedAt: -1 }).lean<ConsentRecord[]>();
      return records.map(({ tenantId, clientId, granted, grantedAt }) => ({
        ...{ tenantId, userId, clientId, granted, grantedAt },
      }));
    },
    async remove(tx, { tenantId, userId, clientId }) {
      return (await model.deleteOne({ tenantId, userId, clientId }, sessionOf(tx))).deletedCount === 1;
    },
    async removeOf(tx, tenantId, userId) {
      await model.deleteMany({ tenantId, userId }, sessionOf(tx));
    },
    async add(tx, { tenantId, userId, clientId, granted }, grantedAt) {
      await model.updateOne(
        { tenantId, userId, clientId },
        { $addToSet: { granted: { $each: granted } }, $set: { grantedAt } },
        { upsert: true, ...sessionOf(tx) },
      );
    },
  };
}
