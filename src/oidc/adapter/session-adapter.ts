import Provider, { errors, type Adapter, type AdapterPayload } from 'oidc-provider';
import type { EventDraft } from '../../events/index.js';
import type { EndingDeps } from './endings.js';
import { secondsAfter } from '../../kernel/time.js';
import { sessionOf, type Tx } from '../../platform/mongo/transactions.js';
import { leaveSessionUnsaved } from '../library-internals.js';
import { protocolRecords, type ProtocolRecordDeps, type ProtocolRecords } from './protocol-records.js';
import { writeUnlessEnded } from './record-adapter.js';
import { storageRules, type StorageRule } from './storage-rules.js';

export interface SessionAdapterDeps extends ProtocolRecordDeps, EndingDeps {
  /** Ends a session and every grant of it that was not meant to outlive it, in one transaction. */
  endSession(sessionUid: string): Promise<void>;
  /** False when the password is not the one any more with which the person signed in. */
  confirmSignIn(tx: Tx, userId: string, credentialsChangedAt: Date | undefined): Promise<boolean>;
}

/** How long a request may have been under way that began before the identifier was changed. */
const longestFlightSeconds = 30;

/**
 * Sessions are stored under their lasting `uid`; the identifier in the cookie changes with every rise of privilege and
 * stands beside it as a keyed hash. A change of identifier is so one atomic write: the old one stops to be found in the
 * moment in which the new one is. A slow request that saves under a former identifier saves nothing.
 */
export function sessionAdapter(deps: SessionAdapterDeps): Adapter {
  const records = protocolRecords('Session', storageRules['Session'] as StorageRule, deps);
  const { collection, idFor } = records;

  async function changesOf(payload: AdapterPayload, expiresIn: number | undefined): Promise<object> {
    const { accountId, loginTs } = payload;
    return {
      payload: await records.encode(payload.uid as string, payload),
      ...(accountId === undefined ? {} : { accountId }),
      ...(loginTs === undefined ? {} : { loginTs }),
      ...records.expiryIn(expiresIn),
    };
  }

  return {
    async upsert(id, payload, expiresIn) {
      const _id = payload.uid as string;
      const known = await collection.updateOne(
        { _id, idHash: idFor(id), endedAt: { $exists: false } },
        { $set: await changesOf(payload, expiresIn) },
      );
      if (known.matchedCount === 1) return;
      const state = Provider.ctx?.state as SessionState | undefined;
      const login = state?.login;
      await deps.inTransaction(async (tx) => {
        const before = await collection.findOne({ _id }, sessionOf(tx));
        if (before && !before.endedAt && isOvertaken()) return;
        // a page left open may bring an older sign-in than the session has had since
        const loginTs = Math.max(payload.loginTs ?? 0, before?.loginTs ?? 0) || undefined;
        const changes = await changesOf({ ...payload, ...(loginTs ? { loginTs } : {}) }, expiresIn);
        const former = before?.idHash === undefined ? {} : { formerIdHash: before.idHash, renamedAt: deps.now() };
        await writeUnlessEnded(records, _id, { idHash: idFor(id), ...former, ...changes }, tx);
        if (!login) return;
        if (state) state.overtaken = false; // a session of its own
        const { accountId, credentialsChangedAt: at } = login;
        if (!(await deps.confirmSignIn(tx, accountId, at === undefined ? undefined : new Date(at)))) {
          if (Provider.ctx) leaveSessionUnsaved(Provider.ctx); // the library would try again
          throw new errors.LoginRequired('the password was changed while the sign-in was under way');
        }
        await deps.recordEvent(tx, signedIn(accountId, payload));
      });
      if (state) state.login = undefined;
    },
    async find(id) {
      const record = await collection.findOne({ idHash: idFor(id) });
      if (!record) await noteOvertaken(collection, idFor(id), deps.now());
      return records.decode(record, id);
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

/** A request that was sent under the former identifier comes without a session, and must not begin another one. */
async function noteOvertaken(sessions: ProtocolRecords['collection'], idHash: string, now: Date): Promise<void> {
  const state = Provider.ctx?.state as SessionState | undefined;
  if (!state) return;
  const renamedAt = { $gt: secondsAfter(now, -longestFlightSeconds) };
  const renamed = { formerIdHash: idHash, renamedAt, endedAt: { $exists: false } };
  if (await sessions.findOne(renamed, { projection: { _id: 1 } })) state.overtaken = true;
}

/** What one request knows about its session beside what the library keeps. */
export interface SessionState {
  /** What the login page of this flow ended with: the session gets its person with the next save. */
  login?: { accountId: string; credentialsChangedAt?: string } | undefined;
  /** Another request has changed the identifier since this one read the session. */
  overtaken?: boolean;
}

/** A save under an identifier that is not stored, by a request that changes none: it was changed by another one. */
function isOvertaken(): boolean {
  const ctx = Provider.ctx;
  if (!ctx || (ctx.oidc.session as { oldId?: string } | undefined)?.oldId !== undefined) return false;
  (ctx.state as SessionState).overtaken = true;
  return true;
}

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
