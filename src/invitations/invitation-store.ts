import { Schema } from 'mongoose';
import type { KeyedHash } from '../platform/crypto/keyed-hash.js';
import type { Sealing } from '../platform/crypto/sealing.js';
import type { Database } from '../platform/mongo/open-database.js';
import { afterId, type Page } from '../platform/mongo/page.js';
import { tenantOwned } from '../platform/mongo/tenant-owned.js';
import { sessionOf, type Tx } from '../platform/mongo/transactions.js';
import type { Invitation } from './invitation.js';

interface InvitationRecord extends Omit<Invitation, 'id' | 'email'> {
  _id: string;
  sealedEmail: string;
  tokenHash: string;
  /** The address as keyed hash, whatever the tenant; and each time it was sent there. */
  toHash: string;
  sentAt: Date[];
  /** While it is pending: tenant and address as keyed hash, so that an address has one at a time. */
  openFor?: string;
}

const schema = new Schema<InvitationRecord>(
  {
    _id: { type: String, required: true },
    sealedEmail: { type: String, required: true },
    roles: { type: [String], required: true },
    invitedBy: { type: Schema.Types.Mixed, required: true },
    answeredForBy: { type: String, default: null },
    byOperator: { type: Boolean, required: true },
    status: { type: String, required: true },
    sendings: { type: Number, required: true },
    tokenHash: { type: String, required: true, unique: true },
    toHash: { type: String, required: true },
    sentAt: { type: [Date], required: true },
    openFor: { type: String },
    createdAt: { type: Date, required: true },
    expiresAt: { type: Date, required: true },
    acceptedAt: { type: Date, default: null },
  },
  { collection: 'invitations', versionKey: false, strict: 'throw' },
);
schema.plugin(tenantOwned);
schema.index({ tenantId: 1, _id: 1 });
schema.index({ tenantId: 1, status: 1 });
schema.index({ openFor: 1 }, { unique: true, sparse: true });
schema.index({ toHash: 1, sentAt: 1 });
schema.index({ tenantId: 1, sentAt: 1 });
schema.index({ expiresAt: 1 }, { expireAfterSeconds: 90 * 86_400 }); // what became of it is in the events

export interface InvitationStore {
  /** Throws a duplicate key error while the address has one that is pending. */
  insert(tx: Tx, invitation: Invitation, token: string): Promise<void>;
  find(tenantId: string, id: string, tx?: Tx): Promise<Invitation | null>;
  findByToken(token: string): Promise<Invitation | null>;
  list(tenantId: string, page: Page): Promise<Invitation[]>;
  /** Those to the address that can still be accepted. */
  listPendingTo(email: string, now: Date): Promise<Invitation[]>;
  /** Those that can still be accepted. */
  countPending(tx: Tx, tenantId: string, now: Date): Promise<number>;
  /** Mails to the address since then, from whichever tenants. */
  countSentTo(tx: Tx, email: string, since: Date): Promise<number>;
  /** Invitations of the tenant of which a mail was sent since then. */
  countSentBy(tx: Tx, tenantId: string, since: Date): Promise<number>;
  /** The former token opens nothing from then on. */
  renew(tx: Tx, invitation: Invitation, sending: { token: string; at: Date }): Promise<void>;
  /** Ends what is pending and, when it is to be accepted, in time. False: somebody else was first, or time was. */
  close(tx: Tx, invitation: Invitation, ending: { status: 'accepted' | 'revoked'; at: Date }): Promise<boolean>;
}

/** To one address: nobody answers more. */
const mostOpen = 100;

const contextOf = (id: string): string => `invitation:${id}`;

export function createInvitationStore(deps: {
  database: Database;
  sealing: Sealing;
  hash: KeyedHash;
}): InvitationStore {
  const model = modelIn(deps.database);
  const { tokenHash, toHash, openFor } = hashesOf(deps.hash);
  const toInvitation = (record: InvitationRecord): Promise<Invitation> => opened(deps.sealing, record);
  const orNull = async (record: InvitationRecord | null): Promise<Invitation | null> => record && toInvitation(record);

  return {
    async insert(tx, invitation, token) {
      const { id, email, ...plain } = invitation;
      const open = openFor(invitation);
      const over = { tenantId: invitation.tenantId, openFor: open, expiresAt: { $lte: invitation.createdAt } };
      await model.updateMany(over, { $unset: { openFor: 1 } }, sessionOf(tx));
      const sealedEmail = await deps.sealing.seal(email, contextOf(id));
      const sending = { toHash: toHash(email), sentAt: [invitation.createdAt] };
      const record = { _id: id, sealedEmail, tokenHash: tokenHash(token), openFor: open, ...sending, ...plain };
      await model.insertMany([record], sessionOf(tx));
    },
    async find(tenantId, id, tx) {
      const options = tx ? sessionOf(tx) : {};
      return orNull(await model.findOne({ tenantId, _id: id }, null, options).lean<InvitationRecord>());
    },
    async findByToken(token) {
      const options = { acrossTenants: 'whoever has the token is who was invited, to whichever tenant' };
      return orNull(await model.findOne({ tokenHash: tokenHash(token) }, null, options).lean<InvitationRecord>());
    },
    async list(tenantId, page) {
      const found = model.find({ tenantId, ...afterId(page) });
      const records = await found.sort({ _id: 1 }).limit(page.limit).lean<InvitationRecord[]>();
      return Promise.all(records.map(toInvitation));
    },
    listPendingTo: (email, now) => pendingTo(model, deps.sealing, toHash(email), now),
    countPending: (tx, tenantId, now) => model.countDocuments({ tenantId, ...pendingAt(now) }, sessionOf(tx)),
    async countSentTo(tx, email, since) {
      const across = { acrossTenants: 'a mailbox is not filled from several tenants either', ...sessionOf(tx) };
      const sent = model.find({ toHash: toHash(email), sentAt: { $gt: since } }, { sentAt: 1 }, across);
      return countSince(await sent.lean<Pick<InvitationRecord, 'sentAt'>[]>(), since);
    },
    countSentBy: (tx, tenantId, since) => model.countDocuments({ tenantId, sentAt: { $gt: since } }, sessionOf(tx)),
    async renew(tx, invitation, { token, at }) {
      const { tenantId, id, expiresAt, sendings, invitedBy, answeredForBy, byOperator } = invitation;
      const by = { invitedBy, answeredForBy, byOperator };
      const changes = { tokenHash: tokenHash(token), openFor: openFor(invitation), expiresAt, sendings, ...by };
      const pending = { tenantId, _id: id, status: 'pending' as const };
      await model.updateOne(pending, { $set: changes, $push: { sentAt: at } }, sessionOf(tx));
    },
    async close(tx, { tenantId, id }, { status, at }) {
      const inTime = status === 'accepted' ? { expiresAt: { $gt: at } } : {};
      const changes = { status, ...(status === 'accepted' ? { acceptedAt: at } : {}) };
      const closed = await model.updateOne(
        { tenantId, _id: id, status: 'pending', ...inTime },
        { $set: changes, $unset: { openFor: 1 } },
        sessionOf(tx),
      );
      return closed.modifiedCount === 1;
    },
  };
}

function hashesOf(hash: KeyedHash) {
  return {
    tokenHash: (token: string) => hash('token', token),
    toHash: (email: string) => hash('mailbox', email),
    openFor: ({ tenantId, email }: Invitation) => hash('address', tenantId, email),
  };
}

function countSince(records: readonly Pick<InvitationRecord, 'sentAt'>[], since: Date): number {
  return records.flatMap(({ sentAt }) => sentAt).filter((at) => at > since).length;
}

async function opened(sealing: Sealing, record: InvitationRecord): Promise<Invitation> {
  const {
    _id,
    sealedEmail,
    tokenHash: _token,
    openFor: _open,
    acceptedAt = null,
    answeredForBy = null,
    ...rest
  } = record;
  const { toHash: _to, sentAt: _sent, ...plain } = rest;
  const email = await sealing.open(sealedEmail, contextOf(_id));
  return { id: _id, email, acceptedAt, answeredForBy, ...plain };
}

function modelIn(database: Database) {
  return database.connection.model('Invitation', schema);
}

async function pendingTo(
  model: ReturnType<typeof modelIn>,
  sealing: Sealing,
  toHash: string,
  now: Date,
): Promise<Invitation[]> {
  const across = { acrossTenants: 'whoever has the address is who was invited, to whichever tenant' };
  const open = { toHash, ...pendingAt(now) };
  const found = model.find(open, null, across).sort({ createdAt: -1 }).limit(mostOpen);
  return Promise.all((await found.lean<InvitationRecord[]>()).map((record) => opened(sealing, record)));
}

function pendingAt(now: Date) {
  return { status: 'pending' as const, expiresAt: { $gt: now } };
}
