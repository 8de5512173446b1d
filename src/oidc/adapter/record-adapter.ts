import { errors, type Adapter, type AdapterPayload } from 'oidc-provider';
import { epochSeconds } from '../../kernel/time.js';
import { isDuplicateKey, sessionOf, type Tx } from '../../platform/mongo/transactions.js';
import {
  protocolRecords,
  tombstoneSeconds,
  type ProtocolRecordDeps,
  type ProtocolRecords,
} from './protocol-records.js';
import type { StorageRule } from './storage-rules.js';

export interface RecordAdapterDeps extends ProtocolRecordDeps {
  /** Ends a grant and with it all that was issued under it. */
  revokeGrant(grantId: string, reason: 'reuse'): Promise<void>;
}

/** The adapter of all models that need no rule of their own. */
export function recordAdapter(model: string, rule: StorageRule, deps: RecordAdapterDeps): Adapter {
  const records = protocolRecords(model, rule, deps);
  const { collection, idFor } = records;

  return {
    async upsert(id, payload, expiresIn) {
      const _id = idFor(id);
      const changes = {
        payload: await records.encode(_id, payload),
        ...records.expiryIn(expiresIn),
        ...indexedFields(payload),
        ...(payload.userCode ? { userCodeHash: deps.hash(`${model}.userCode`, payload.userCode) } : {}),
      };
      await writeUnlessEnded(records, _id, changes);
    },
    async find(id) {
      return records.decode(await collection.findOne({ _id: idFor(id) }), id);
    },
    async findByUserCode(userCode) {
      const record = await collection.findOne({ userCodeHash: deps.hash(`${model}.userCode`, userCode) });
      return records.decode(record, undefined);
    },
    findByUid: async () => undefined,
    /** Used once means decided by one conditional write; the library itself only reads before it writes. */
    async consume(id) {
      const _id = idFor(id);
      const { modifiedCount } = await collection.updateOne(
        { _id, consumed: { $exists: false } },
        { $set: { consumed: epochSeconds(deps.now()) } },
      );
      if (modifiedCount === 1) return;
      if (rule.consumedBy !== 'grant') throw new errors.InvalidRequestUri('request_uri was already used');
      // RFC 9700 §4.14.2: whoever lost the race may be the thief or the victim, so nobody keeps the family
      const record = await collection.findOne({ _id });
      if (record?.grantId !== undefined) await deps.revokeGrant(record.grantId, 'reuse');
      throw new errors.InvalidGrant('already used');
    },
    async destroy(id) {
      const _id = idFor(id);
      if (!rule.endsForGood) return void (await collection.deleteOne({ _id }));
      const endedAt = deps.now();
      const { modifiedCount } = await collection.updateOne(
        { _id, endedAt: { $exists: false } },
        { $set: { endedAt, ...records.expiryIn(tombstoneSeconds) } },
      );
      // an interaction ends once: of several parallel resumes one goes on
      if (modifiedCount === 0) throw new errors.SessionNotFound('interaction was already finished');
    },
    /** Nothing to delete: what names an ended grant is refused at every use, and goes with its own expiry. */
    revokeByGrantId: async () => undefined,
  };
}

/** Fails with the database's duplicate-key error, as SessionNotFound, when the row has ended meanwhile. */
export async function writeUnlessEnded(
  { collection }: ProtocolRecords,
  _id: string,
  changes: Record<string, unknown>,
  tx?: Tx,
): Promise<{ inserted: boolean }> {
  try {
    const { upsertedCount } = await collection.updateOne(
      { _id, endedAt: { $exists: false } },
      { $set: changes },
      { upsert: true, ...(tx ? sessionOf(tx) : {}) },
    );
    return { inserted: upsertedCount === 1 };
  } catch (error) {
    if (isDuplicateKey(error)) throw new errors.SessionNotFound('ended while the request was under way');
    throw error;
  }
}

function indexedFields(payload: AdapterPayload): Record<string, unknown> {
  const { grantId, accountId, clientId } = payload as { grantId?: string; accountId?: string; clientId?: string };
  return {
    ...(grantId === undefined ? {} : { grantId }),
    ...(accountId === undefined ? {} : { accountId }),
    ...(clientId === undefined ? {} : { clientId }),
  };
}
