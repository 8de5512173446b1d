import { Schema } from 'mongoose';
import type { KeyedHash } from '../platform/crypto/keyed-hash.js';
import type { Sealing } from '../platform/crypto/sealing.js';
import type { Database } from '../platform/mongo/open-database.js';
import { sessionOf, type Tx } from '../platform/mongo/transactions.js';
import type { Profile, User } from './user.js';

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
  /** Written at a sign-in, so that a change of password at the same moment is noticed. */
  signedInAt?: Date;
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
    signedInAt: Date,
  },
  { collection: 'users', versionKey: false, strict: 'throw' },
);

export interface UserStore {
  findById(id: string): Promise<User | null>;
  /** `email` in canonical form. */
  findByEmail(email: string): Promise<User | null>;
  /** Whether the user exists and may act; opens nothing sealed. */
  isActive(id: string): Promise<boolean>;
  insert(tx: Tx, user: User): Promise<void>;
  /** All but `credentialsChangedAt`. */
  replace(tx: Tx, user: User): Promise<void>;
  setCredentialsChangedAt(tx: Tx, id: string, at: Date): Promise<void>;
  /** False when the credentials are not those of `credentialsChangedAt` any more. */
  setSignedInAt(tx: Tx, id: string, signIn: { at: Date; credentialsChangedAt: Date | undefined }): Promise<boolean>;
}

export function createUserStore(deps: { database: Database; sealing: Sealing; emailHash: KeyedHash }): UserStore {
  const model = deps.database.connection.model('User', schema);

  async function toUser(record: UserRecord | null): Promise<User | null> {
    if (!record) return null;
    const { _id, sealed, emailHash: _emailHash, signedInAt: _signedInAt, ...plain } = record;
    const opened = JSON.parse(await deps.sealing.open(sealed, `user:${_id}`)) as { email: string; profile: Profile };
    return { id: _id, ...opened, ...plain };
  }

  async function toRecord(user: User): Promise<UserRecord> {
    const { id, email, profile, credentialsChangedAt: _, ...plain } = user;
    const sealed = await deps.sealing.seal(JSON.stringify({ email, profile }), `user:${id}`);
    return { _id: id, emailHash: deps.emailHash(email), sealed, ...plain };
  }

  return {
    findById: async (id) => toUser(await model.findById(id).lean<UserRecord>()),
    findByEmail: async (email) => toUser(await model.findOne({ emailHash: deps.emailHash(email) }).lean<UserRecord>()),
    async isActive(id) {
      return (await model.findById(id, { status: 1 }).lean<UserRecord>())?.status === 'active';
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
    async setSignedInAt(tx, _id, { at, credentialsChangedAt }) {
      const unchanged = { _id, credentialsChangedAt: credentialsChangedAt ?? { $exists: false } };
      return (await model.updateOne(unchanged, { $set: { signedInAt: at } }, sessionOf(tx))).matchedCount === 1;
    },
  };
}
