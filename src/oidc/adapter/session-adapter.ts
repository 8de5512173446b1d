import Provider, { type Adapter, type AdapterPayload } from 'oidc-provider';
import type { EventDraft } from '../../events/index.js';
import type { EndingDeps } from './grant-adapter.js';
import { sessionOf } from '../../platform/mongo/transactions.js';
import { protocolRecords, type ProtocolRecordDeps } from './protocol-records.js';
import { writeUnlessEnded } from './record-adapter.js';
import { storageRules, type StorageRule } from './storage-rules.js';

export interface SessionAdapterDeps extends ProtocolRecordDeps, EndingDeps {
  /** Ends a session and every grant of it that was not meant to outlive it, in one transaction. */
  endSession(sessionUid: string): Promise<void>;
}

/**
 * Sessions are stored under their lasting `uid`; the identifier in the cookie changes with every rise of privilege and
 * stands beside it as a keyed hash. A change of identifier is so one atomic write: the old one stops to be found in the
 * moment in which the new one is. A save that changes nothing about it leaves the stored one alone, so that a slow
 * request cannot bring a former identifier back.
 */
export function sessionAdapter(deps: SessionAdapterDeps): Adapter {
  const records = protocolRecords('Session', storageRules['Session'] as StorageRule, deps);
  const { collection, idFor } = records;

  return {
    async upsert(id, payload, expiresIn) {
      const uid = payload.uid as string;
      const { accountId } = payload;
      const changes = {
        payload: await records.encode(uid, payload),
        ...(accountId === undefined ? {} : { accountId }),
        ...records.expiryIn(expiresIn),
      };
      const known = await collection.updateOne(
        { _id: uid, idHash: idFor(id), endedAt: { $exists: false } },
        { $set: changes },
      );
      if (known.matchedCount === 1) return;
      await deps.inTransaction(async (tx) => {
        const before = await collection.findOne({ _id: uid }, { ...sessionOf(tx), projection: { loginTs: 1 } });
        const { loginTs } = payload;
        await writeUnlessEnded(records, uid, { idHash: idFor(id), ...changes, ...(loginTs ? { loginTs } : {}) }, tx);
        if (accountId !== undefined && loginTs !== before?.loginTs)
          await deps.recordEvent(tx, signedIn(accountId, payload));
      });
    },
    async find(id) {
      return records.decode(await collection.findOne({ idHash: idFor(id) }), id);
    },
    async findByUid(uid) {
      return records.decode(await collection.findOne({ _id: uid }), undefined);
    },
    async destroy(id) {
      if (isChangeOfIdentifier(id)) return; // the write that follows replaces it
      const record = await collection.findOne({ idHash: idFor(id) }, { projection: { _id: 1 } });
      if (record) await deps.endSession(record._id);
    },
    findByUserCode: async (): Promise<AdapterPayload | undefined> => undefined,
    consume: async () => undefined,
    revokeByGrantId: async () => undefined,
  };
}

/** A finished login always brings a new identifier and a new `loginTs`; the event tells of it in the same transaction. */
function signedIn(userId: string, { amr }: AdapterPayload): EventDraft {
  const clientId = Provider.ctx?.oidc.client?.clientId ?? '';
  return {
    type: 'user.signed_in',
    tenantId: null,
    actor: { kind: 'user', userId },
    subjectId: userId,
    data: { clientId, amr: amr ?? [] },
  };
}

/** The library destroys the old identifier just before it saves the session under the new one. */
function isChangeOfIdentifier(id: string): boolean {
  const session = Provider.ctx?.oidc.session as { oldId?: string } | undefined;
  return session?.oldId === id;
}
