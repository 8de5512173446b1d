import Provider, { type Adapter, type AdapterPayload } from 'oidc-provider';
import { protocolRecords, type ProtocolRecordDeps } from './protocol-records.js';
import { writeUnlessEnded } from './record-adapter.js';
import { storageRules, type StorageRule } from './storage-rules.js';

export interface SessionAdapterDeps extends ProtocolRecordDeps {
  /** Ends a session and every grant of it that was not meant to outlive it, in one transaction. */
  endSession(sessionUid: string): Promise<void>;
}

/**
 * Sessions are stored under their lasting `uid`; the identifier in the cookie changes with every rise of privilege and
 * stands beside it as a keyed hash. A change of identifier is so one atomic write: the old one stops to be found in the
 * moment in which the new one is.
 */
export function sessionAdapter(deps: SessionAdapterDeps): Adapter {
  const records = protocolRecords('Session', storageRules['Session'] as StorageRule, deps);
  const { collection, idFor } = records;

  return {
    async upsert(id, payload, expiresIn) {
      const uid = payload.uid as string;
      await writeUnlessEnded(records, uid, {
        idHash: idFor(id),
        payload: await records.encode(uid, payload),
        ...(payload.accountId === undefined ? {} : { accountId: payload.accountId }),
        ...records.expiryIn(expiresIn),
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

/** The library destroys the old identifier just before it saves the session under the new one. */
function isChangeOfIdentifier(id: string): boolean {
  const session = Provider.ctx?.oidc.session as { oldId?: string } | undefined;
  return session?.oldId === id;
}
