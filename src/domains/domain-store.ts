import { Schema } from 'mongoose';
import type { Database } from '../platform/mongo/open-database.js';
import { afterId, type Page } from '../platform/mongo/page.js';
import { tenantOwned } from '../platform/mongo/tenant-owned.js';
import { sessionOf, type Tx } from '../platform/mongo/transactions.js';
import type { Domain, DomainRules } from './domain.js';

interface DomainRecord extends Omit<Domain, 'id'> {
  _id: string;
  /** The name, while it is verified: so it is that of one tenant. */
  verifiedName?: string;
  /** While it is verified by a record: when to look for that again. */
  recheckAt?: Date;
}

const schema = new Schema<DomainRecord>(
  {
    _id: { type: String, required: true },
    name: { type: String, required: true },
    token: { type: String, required: true },
    verifiedAt: { type: Date, default: null },
    verifiedBy: { type: String, default: null },
    checkedAt: { type: Date, default: null },
    missingSince: { type: Date, default: null },
    connectionId: { type: String, default: null },
    enforced: { type: Boolean, default: false },
    exceptUserId: { type: String, default: null },
    joinRoles: { type: [String], default: null },
    verifiedName: { type: String },
    recheckAt: { type: Date },
    createdAt: { type: Date, required: true },
  },
  { collection: 'domains', versionKey: false, strict: 'throw' },
);
schema.plugin(tenantOwned);
schema.index({ tenantId: 1, _id: 1 });
schema.index({ tenantId: 1, name: 1 }, { unique: true });
schema.index({ verifiedName: 1 }, { unique: true, sparse: true });
schema.index({ recheckAt: 1 }, { sparse: true });

/** What was found of its record. */
export interface Check {
  at: Date;
  recheckAt: Date;
}

export interface DomainStore {
  /** Throws a duplicate key error when the tenant has it already. */
  insert(tx: Tx, domain: Domain): Promise<void>;
  find(tenantId: string, id: string, tx?: Tx): Promise<Domain | null>;
  findByName(tenantId: string, name: string): Promise<Domain | null>;
  list(tenantId: string, page: Page): Promise<Domain[]>;
  count(tx: Tx, tenantId: string): Promise<number>;
  isConnectionNamed(tx: Tx, tenantId: string, connectionId: string): Promise<boolean>;
  findVerified(name: string): Promise<Domain | null>;
  /** Whether any verified one leads to a connection, of whichever tenant. */
  isAnyLeading(): Promise<boolean>;
  /** Throws a duplicate key error while it is verified for another tenant. */
  setVerified(tx: Tx, domain: Domain, by: NonNullable<Domain['verifiedBy']>, check: Check): Promise<void>;
  setRules(tx: Tx, domain: Domain, rules: DomainRules): Promise<void>;
  setMissing(tx: Tx, domain: Domain, since: Date): Promise<void>;
  /** It is nobody's from then on. */
  setUnverified(tx: Tx, domain: Domain): Promise<void>;
  /** Not due any more, unless it is verified by now. */
  setSettled(tenantId: string, id: string): Promise<void>;
  remove(tx: Tx, domain: Domain): Promise<void>;
  /** One whose record is to be looked for, for whoever asks first; it is due again after that. */
  takeDue(check: Check): Promise<Domain | null>;
}

export function createDomainStore(database: Database): DomainStore {
  const model = database.connection.model('Domain', schema);
  const orNull = (record: DomainRecord | null): Domain | null => record && toDomain(record);
  return {
    async insert(tx, { id, ...domain }) {
      await model.insertMany([{ _id: id, ...domain }], sessionOf(tx));
    },
    find: async (tenantId, id, tx) =>
      orNull(await model.findOne({ tenantId, _id: id }, null, tx ? sessionOf(tx) : {}).lean<DomainRecord>()),
    findByName: async (tenantId, name) => orNull(await model.findOne({ tenantId, name }).lean<DomainRecord>()),
    async list(tenantId, page) {
      const found = model.find({ tenantId, ...afterId(page) });
      const records = await found.sort({ _id: 1 }).limit(page.limit).lean<DomainRecord[]>();
      return records.map(toDomain);
    },
    count: (tx, tenantId) => model.countDocuments({ tenantId }, sessionOf(tx)),
    isConnectionNamed: async (tx, tenantId, connectionId) =>
      (await model.findOne({ tenantId, connectionId }, { _id: 1 }, sessionOf(tx)).lean()) !== null,
    async findVerified(verifiedName) {
      const options = { acrossTenants: 'an address says which domain it is of, and the domain whose it is' };
      return orNull(await model.findOne({ verifiedName }, null, options).lean<DomainRecord>());
    },
    async isAnyLeading() {
      const options = { acrossTenants: 'whether there is any at all' };
      const leading = { verifiedName: { $exists: true }, connectionId: { $ne: null } };
      return (await model.findOne(leading, { _id: 1 }, options).lean()) !== null;
    },
    async setVerified(tx, { tenantId, id, name }, verifiedBy, { at, recheckAt }) {
      const changes = { verifiedName: name, verifiedAt: at, verifiedBy, checkedAt: at, missingSince: null };
      const isChecked = verifiedBy === 'record';
      const update = isChecked ? { $set: { ...changes, recheckAt } } : { $set: changes, $unset: { recheckAt: 1 } };
      await model.updateOne({ tenantId, _id: id }, update, sessionOf(tx));
    },
    async setRules(tx, { tenantId, id }, { connectionId, enforced, exceptUserId, joinRoles }) {
      const changes = { connectionId, enforced, exceptUserId, joinRoles };
      await model.updateOne({ tenantId, _id: id }, { $set: changes }, sessionOf(tx));
    },
    async setMissing(tx, { tenantId, id }, missingSince) {
      await model.updateOne({ tenantId, _id: id }, { $set: { missingSince } }, sessionOf(tx));
    },
    async setUnverified(tx, { tenantId, id }) {
      const changes = { verifiedAt: null, verifiedBy: null, missingSince: null };
      const update = { $set: changes, $unset: { verifiedName: 1 } };
      await model.updateOne({ tenantId, _id: id }, update, sessionOf(tx));
    },
    setSettled: async (tenantId, id) =>
      void (await model.updateOne({ tenantId, _id: id, verifiedAt: null }, { $unset: { recheckAt: 1 } })),
    async remove(tx, { tenantId, id }) {
      await model.deleteOne({ tenantId, _id: id }, sessionOf(tx));
    },
    async takeDue({ at, recheckAt }) {
      const due = model.findOneAndUpdate(
        { recheckAt: { $lte: at } },
        { $set: { checkedAt: at, recheckAt } },
        { acrossTenants: 'the server looks after those of all', sort: { recheckAt: 1 }, returnDocument: 'after' },
      );
      return orNull(await due.lean<DomainRecord>());
    },
  };
}

function toDomain({ _id, verifiedName: _name, recheckAt: _at, ...domain }: DomainRecord): Domain {
  return { id: _id, ...domain };
}
