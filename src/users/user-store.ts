import { Schema } from 'mongoose';
import type { KeyedHash } from '../platform/crypto/keyed-hash.js';
import type { Sealing } from '../platform/crypto/sealing.js';
import type { Database } from '../platform/mongo/open-database.js';
import { afterId, type Page } from '../platform/mongo/page.js';
import { sessionOf, type Tx } from '../platform/mongo/transactions.js';
import type { AcceptedTerms, Deletion, Profile, User } from './user.js';

/** What tells who a person is lies in `sealed`; the address is found through its keyed hash. */
interface UserRecord {
  _id: string;
  emailHash: string;
  sealed: string;
  emailVerified: boolean;
  status: User['status'];
  createdAt: Date;
  updatedAt: Date;
  credentialsChangedAt?: Date;
  factorKinds?: readonly string[];
  factorsChangedAt?: Date;
  browsersTrustedSince?: Date;
  /** Written at a sign-in, so that a change of password at the same moment is noticed. */
  signedInAt?: Date;
  /** How often something was decided by the person being there. */
  holds?: number;
  deletion?: Deletion;
  acceptedTerms?: AcceptedTerms;
}

const schema = new Schema<UserRecord>(
  {
    _id: { type: String, required: true },
    emailHash: { type: String, required: true, unique: true },
    sealed: { type: String, required: true },
    emailVerified: { type: Boolean, required: true },
    status: { type: String, required: true },
    createdAt: { type: Date, required: true },
    updatedAt: { type: Date, required: true },
    credentialsChangedAt: Date,
    factorKinds: { type: [String], default: undefined },
    factorsChangedAt: Date,
    browsersTrustedSince: Date,
    signedInAt: Date,
    holds: Number,
    deletion: new Schema<Deletion>(
      { dueAt: { type: Date, required: true }, tokenHash: { type: String, default: null } },
      { _id: false, strict: 'throw' },
    ),
    acceptedTerms: new Schema<AcceptedTerms>(
      {
        ...{ version: { type: String, required: true }, uri: { type: String, required: true } },
        acceptedAt: { type: Date, required: true },
      },
      { _id: false, strict: 'throw' },
    ),
  },
  { collection: 'users', versionKey: false, strict: 'throw' },
);

schema.index({ 'deletion.dueAt': 1 }, { sparse: true });
schema.index({ 'deletion.tokenHash': 1 }, { sparse: true });

/** As they were when somebody proved them. */
export type ProvenCredentials = Partial<Record<'credentialsChangedAt' | 'factorsChangedAt', Date | undefined>>;

export interface ConfirmedSignIn {
  user: User;
  /** They had never signed in before. */
  isFirst: boolean;
}

export interface UserStore {
  /** Within a transaction: as it is there. */
  findById(id: string, tx?: Tx): Promise<User | null>;
  /** `email` in canonical form. */
  findByEmail(email: string): Promise<User | null>;
  /** Null for nobody, and for who may not act; opens nothing sealed. */
  findFactorKinds(id: string): Promise<readonly string[] | null>;
  findByIds(ids: readonly string[]): Promise<User[]>;
  list(page: Page): Promise<User[]>;
  insert(tx: Tx, user: User): Promise<void>;
  remove(tx: Tx, id: string): Promise<void>;
  /** The transaction now holds the person, if there is one: it and a deletion cannot both go through. */
  hold(tx: Tx, id: string): Promise<boolean>;
  /** Of those whose time has come. */
  listToDelete(now: Date, limit: number): Promise<string[]>;
  findByDeletionToken(tokenHash: string): Promise<User | null>;
  /** Null: it is not to be deleted any more. */
  setDeletion(tx: Tx, id: string, deletion: Deletion | null): Promise<void>;
  /** All but `deletion`, `acceptedTerms` and what the credentials write. */
  replace(tx: Tx, user: User): Promise<void>;
  setCredentialsChangedAt(tx: Tx, id: string, at: Date): Promise<void>;
  setFactors(tx: Tx, id: string, factors: { kinds: readonly string[]; at: Date }): Promise<void>;
  setAcceptedTerms(tx: Tx, id: string, terms: AcceptedTerms): Promise<void>;
  setBrowsersTrustedSince(tx: Tx, id: string, at: Date): Promise<void>;
  /** Null when password or factors are not those of these times any more, or the person may not act. */
  setSignedInAt(tx: Tx, id: string, at: Date, proven: ProvenCredentials): Promise<ConfirmedSignIn | null>;
}

export function createUserStore(deps: { database: Database; sealing: Sealing; emailHash: KeyedHash }): UserStore {
  const model = deps.database.connection.model('User', schema);
  const records = deps.database.collection<UserRecord>('users'); // where many are read at once: no query is built for it

  const { toUser, toRecord } = sealedForm(deps);
  const toUsers = (records: readonly UserRecord[]): Promise<User[]> => Promise.all(records.map(toUser));
  const orNull = async (record: UserRecord | null): Promise<User | null> => record && toUser(record);

  return {
    findById: async (id, tx) => orNull(await model.findById(id, null, tx ? sessionOf(tx) : {}).lean<UserRecord>()),
    findByEmail: async (email) => orNull(await model.findOne({ emailHash: deps.emailHash(email) }).lean<UserRecord>()),
    findFactorKinds: (id) => factorKindsOf(deps.database, id),
    async findByIds(ids) {
      return toUsers(await records.find({ _id: { $in: [...ids] } }).toArray());
    },
    async list(page) {
      return toUsers(await model.find(afterId(page)).sort({ _id: 1 }).limit(page.limit).lean<UserRecord[]>());
    },
    async hold(tx, _id) {
      return (await model.updateOne({ _id }, { $inc: { holds: 1 } }, sessionOf(tx))).matchedCount === 1;
    },
    listToDelete: (now, limit) => idsToDelete(deps.database, now, limit),
    findByDeletionToken: async (tokenHash) =>
      orNull(await model.findOne({ 'deletion.tokenHash': tokenHash }).lean<UserRecord>()),
    async setDeletion(tx, _id, deletion) {
      const change = deletion ? { $set: { deletion } } : { $unset: { deletion: 1 } };
      await model.updateOne({ _id }, change, sessionOf(tx));
    },
    async remove(tx, _id) {
      await model.deleteOne({ _id }, sessionOf(tx));
    },
    async insert(tx, user) {
      await model.insertMany([await toRecord(user)], sessionOf(tx));
    },
    async replace(tx, user) {
      const { _id, ...changes } = await toRecord(user);
      await model.updateOne({ _id }, { $set: changes }, sessionOf(tx));
    },
    async setCredentialsChangedAt(tx, _id, credentialsChangedAt) {
      await model.updateOne({ _id }, { $set: { credentialsChangedAt } }, sessionOf(tx));
    },
    async setFactors(tx, _id, { kinds, at }) {
      await model.updateOne({ _id }, { $set: { factorKinds: [...kinds], factorsChangedAt: at } }, sessionOf(tx));
    },
    async setAcceptedTerms(tx, _id, acceptedTerms) {
      await model.updateOne({ _id }, { $set: { acceptedTerms } }, sessionOf(tx));
    },
    async setBrowsersTrustedSince(tx, _id, browsersTrustedSince) {
      await model.updateOne({ _id }, { $set: { browsersTrustedSince } }, sessionOf(tx));
    },
    async setSignedInAt(tx, _id, at, { credentialsChangedAt, factorsChangedAt }) {
      const unchanged = {
        ...{ _id, status: 'active' as const },
        credentialsChangedAt: credentialsChangedAt ?? { $exists: false },
        factorsChangedAt: factorsChangedAt ?? { $exists: false },
      };
      const before = await records.findOneAndUpdate(unchanged, { $set: { signedInAt: at } }, sessionOf(tx));
      return before && { user: await toUser(before), isFirst: before.signedInAt === undefined };
    },
  };
}

async function factorKindsOf(database: Database, _id: string): Promise<readonly string[] | null> {
  const found = { projection: { status: 1, factorKinds: 1 } };
  const record = await database.collection<UserRecord>('users').findOne({ _id }, found);
  return record?.status === 'active' ? (record.factorKinds ?? []) : null;
}

async function idsToDelete(database: Database, now: Date, limit: number): Promise<string[]> {
  const due = database.collection<UserRecord>('users').find({ 'deletion.dueAt': { $lte: now } }, { limit });
  return (await due.toArray()).map(({ _id }) => _id);
}

/** A person as they are kept: what says who they are is sealed. */
function sealedForm(deps: { sealing: Sealing; emailHash: KeyedHash }) {
  async function toUser(record: UserRecord): Promise<User> {
    const { _id, sealed, emailHash: _emailHash, signedInAt: _signedInAt, holds: _holds, ...plain } = record;
    const opened = JSON.parse(await deps.sealing.open(sealed, `user:${_id}`)) as { email: string; profile: Profile };
    return { id: _id, ...opened, ...plain };
  }

  async function toRecord(user: User): Promise<UserRecord> {
    const { id, email, profile, deletion: _deletion, ...others } = user;
    const {
      credentialsChangedAt: _,
      factorKinds: _kinds,
      factorsChangedAt: _at,
      acceptedTerms: _terms,
      browsersTrustedSince: _since,
      ...plain
    } = others;
    const sealed = await deps.sealing.seal(JSON.stringify({ email, profile }), `user:${id}`);
    return { _id: id, emailHash: deps.emailHash(email), sealed, ...plain };
  }

  return { toUser, toRecord };
}
