import type { AdapterPayload } from 'oidc-provider';
import { randomSecret } from '../../kernel/secret.js';
import { epochSeconds, secondsAfter } from '../../kernel/time.js';
import { sessionOf, type Tx } from '../../platform/mongo/transactions.js';
import { protocolRecords, type ProtocolRecord, type ProtocolRecordDeps } from './protocol-records.js';
import { sealDevice, type Sender } from './session-device.js';
import { storageRules, type StorageRule } from './storage-rules.js';

/** The session that a cookie names, read outside of the library. */
export interface StoredSession {
  record: ProtocolRecord;
  payload: AdapterPayload & { uid: string; accountId: string; loginTs: number };
}

export interface BrowserSessions {
  /** Null when nobody is signed in there, or the session is over. */
  find(id: string): Promise<StoredSession | null>;
  /** Notes that it was used and lets it live on. False: another request has written it meanwhile. */
  touch(session: StoredSession, use: { sender: Sender; lifetimeSeconds: number }): Promise<boolean>;
  /**
   * Of a session in which the person changes their password: it goes on with the new one, and its former identifier is
   * found no more. What was proven in it is no fresher for that. Gives the new identifier, or null when the session has
   * ended meanwhile.
   */
  renew(tx: Tx, sessionUid: string): Promise<string | null>;
  /** The same for a person who has proven more: they signed in when they did, and nothing lives longer for it. */
  raise(tx: Tx, sessionUid: string, proven: Proven): Promise<string | null>;
}

/** How somebody has proven who they are. */
export interface Proven {
  acr: string;
  amr: readonly string[];
}

export function browserSessions(deps: ProtocolRecordDeps): BrowserSessions {
  const { collection, idFor, encode, decode } = protocolRecords(
    'Session',
    storageRules['Session'] as StorageRule,
    deps,
  );

  /** The same session under a new identifier, with these changes. */
  async function rename(
    tx: Tx,
    sessionUid: string,
    changed: { at: Date; payload?: { acr: string; amr: string[] }; record?: { credentialsAsOf: Date } },
  ): Promise<string | null> {
    const record = await collection.findOne({ _id: sessionUid, endedAt: { $exists: false } }, sessionOf(tx));
    const id = randomSecret();
    const payload = await decode(record, id);
    if (!record || !payload) return null;
    const changes = {
      payload: await encode(sessionUid, { ...payload, ...changed.payload }),
      ...{ idHash: idFor(id), renamedAt: changed.at, ...changed.record },
      ...(record.idHash === undefined ? {} : { formerIdHash: record.idHash }),
    };
    await collection.updateOne({ _id: sessionUid }, { $set: changes }, sessionOf(tx));
    return id;
  }

  return {
    async find(id) {
      const record = await collection.findOne({ idHash: idFor(id) });
      if (!record?.expiresAt || record.expiresAt <= deps.now()) return null;
      const payload = await decode(record, id);
      return payload?.accountId === undefined ? null : { record, payload: payload as StoredSession['payload'] };
    },
    async touch({ record, payload }, { sender, lifetimeSeconds }) {
      const { _id, idHash = '' } = record;
      const seenAt = deps.now();
      const exp = epochSeconds(seenAt) + lifetimeSeconds;
      const changes = {
        payload: await encode(_id, { ...payload, exp }),
        ...{ expiresAt: secondsAfter(seenAt, lifetimeSeconds), seenAt },
        device: await sealDevice(deps.sealing, _id, sender),
      };
      // what is sealed is sealed anew at each write, so this is the session as it was read
      const asRead = { _id, idHash, payload: record.payload, endedAt: { $exists: false } };
      return (await collection.updateOne(asRead, { $set: changes })).matchedCount === 1;
    },
    async renew(tx, sessionUid) {
      const at = deps.now();
      return rename(tx, sessionUid, { at, record: { credentialsAsOf: at } });
    },
    raise: (tx, sessionUid, { acr, amr }) =>
      rename(tx, sessionUid, { at: deps.now(), payload: { acr, amr: [...amr] } }),
  };
}
