import Provider, { errors, type Adapter, type AdapterPayload } from 'oidc-provider';
import type { EventDraft, RecordEvent } from '../../events/index.js';
import type { Actor } from '../../kernel/actor.js';
import type { Clock } from '../../kernel/time.js';
import type { Database } from '../../platform/mongo/open-database.js';
import { sessionOf, type InTransaction, type Tx } from '../../platform/mongo/transactions.js';
import { secondsAfter } from '../../kernel/time.js';
import {
  protocolRecords,
  tombstoneSeconds,
  type ProtocolRecord,
  type ProtocolRecordDeps,
  type ProtocolRecords,
} from './protocol-records.js';
import { writeUnlessEnded } from './record-adapter.js';
import { storageRules, type StorageRule } from './storage-rules.js';

/** What we add to the library's Grant: its tenant, its session, whether it outlives that session, and where it came from. */
export interface GrantBinding {
  accountId: string;
  clientId: string;
  tenantId: string;
  sessionUid: string;
  offline: boolean;
  /** The grant whose token was exchanged for tokens of this one; it ends with that. */
  exchangedFrom?: string;
}

const live = { endedAt: { $exists: false } };

export interface GrantAdapterDeps extends ProtocolRecordDeps, EndingDeps {
  revokeGrant: Endings['revokeGrant'];
}

/** The grant that the poll of a device goes on with (see the device code adapter). */
export interface PollState {
  grantBeforeUse?: AdapterPayload;
}

/**
 * Grants. The grant is the master switch: code, refresh token, opaque access token, introspection and userinfo read it
 * again at every use, so ending it ends all of them at once.
 */
export function grantAdapter(deps: GrantAdapterDeps): Adapter {
  const records = protocolRecords('Grant', storageRules['Grant'] as StorageRule, deps);
  return {
    async upsert(id, payload, expiresIn) {
      const { accountId, clientId, tenantId, sessionUid, offline, exchangedFrom } = payload as unknown as GrantBinding;
      const changes = {
        payload: await records.encode(id, payload),
        ...{ accountId, clientId, tenantId, sessionUid, offline, createdAt: deps.now() },
        ...(exchangedFrom === undefined ? {} : { exchangedFrom }),
        ...records.expiryIn(expiresIn),
      };
      await deps.inTransaction(async (tx) => {
        const { inserted } = await writeUnlessEnded(records, id, changes, tx);
        if (!inserted) return;
        if (exchangedFrom === undefined) await requireLiveSession(deps.database, tx, sessionUid, deps.now());
        else await requireLiveSource(records, tx, exchangedFrom, deps.now());
        const actor = { kind: 'user', userId: accountId } as const;
        await deps.recordEvent(tx, {
          type: 'grant.created',
          tenantId,
          actor,
          subjectId: id,
          data: { clientId, offline },
        });
      });
    },
    async find(id) {
      const { grantBeforeUse } = (Provider.ctx?.state ?? {}) as PollState;
      if (grantBeforeUse?.jti === id) return grantBeforeUse;
      return records.decode(await records.collection.findOne({ _id: id }), id);
    },
    destroy: (id) => deps.revokeGrant(id, reasonOfRequest()),
    findByUid: async () => undefined,
    findByUserCode: async () => undefined,
    consume: async () => undefined,
    revokeByGrantId: async () => undefined,
  };
}

/**
 * A sign-out ends the grants that it finds. One that is made at the same moment meets it at the session: both write its
 * row, so one of the two transactions sees the other. A session that is not stored yet has nobody to sign out.
 */
async function requireLiveSession(database: Database, tx: Tx, sessionUid: string, grantedAt: Date): Promise<void> {
  const sessions = database.collection<ProtocolRecord>('oidc_sessions');
  const session = await sessions.findOneAndUpdate({ _id: sessionUid }, { $set: { grantedAt } }, sessionOf(tx));
  if (session?.endedAt) throw new errors.SessionNotFound('the session ended while the request was under way');
}

/** The same for a grant that comes of another one: whoever ends that one meets it there. */
async function requireLiveSource(
  { collection }: ProtocolRecords,
  tx: Tx,
  grantId: string,
  exchangedAt: Date,
): Promise<void> {
  const { matchedCount } = await collection.updateOne(
    { _id: grantId, ...live },
    { $set: { exchangedAt } },
    sessionOf(tx),
  );
  if (matchedCount === 0) throw new errors.InvalidGrant('the grant ended while the request was under way');
}

/** At the token endpoint the library ends a grant for one reason only: a code or refresh token came a second time. */
function reasonOfRequest(): RevocationReason {
  return Provider.ctx?.oidc.route === 'token' ? 'reuse' : 'revoked';
}

export interface EndingDeps {
  database: Database;
  inTransaction: InTransaction;
  recordEvent: RecordEvent;
  now: Clock;
}

export type RevocationReason = 'reuse' | 'revoked' | 'session_ended' | 'password_changed';

export interface Endings {
  revokeGrant(grantId: string, reason: RevocationReason): Promise<void>;
  endSession(sessionUid: string): Promise<void>;
  /** Every session and every grant of the user, those for offline access too. */
  endAllOf(tx: Tx, actor: Actor, userId: string): Promise<void>;
  /** The live grant of this binding, if there is one. */
  findGrantId(binding: GrantBinding): Promise<string | undefined>;
}

export function createEndings({ database, inTransaction, recordEvent, now }: EndingDeps): Endings {
  const grants = database.collection<ProtocolRecord>('oidc_grants');
  const sessions = database.collection<ProtocolRecord>('oidc_sessions');
  /** One code used fifty times at once ends its grant once; the others wait for that instead of fighting over it. */
  const ending = new Map<string, Promise<void>>();

  async function endGrants(tx: Tx, filter: object, reason: RevocationReason, by?: Actor): Promise<void> {
    const ended = await grants.find({ ...filter, ...live }, sessionOf(tx)).toArray();
    for (const grant of ended) {
      await grants.updateOne({ _id: grant._id }, { $set: tombstone() }, sessionOf(tx));
      await recordEvent(tx, {
        type: 'grant.revoked',
        tenantId: grant.tenantId ?? null,
        actor:
          by ??
          (reason === 'reuse'
            ? { kind: 'system', reason: 'protocol' }
            : { kind: 'user', userId: grant.accountId ?? '' }),
        subjectId: grant._id,
        data: { reason, clientId: grant.clientId ?? '', userId: grant.accountId ?? '' },
      });
    }
    const ids = ended.map(({ _id }) => _id);
    if (ids.length > 0) await endGrants(tx, { exchangedFrom: { $in: ids } }, reason, by);
  }

  function tombstone(): { endedAt: Date; expiresAt: Date } {
    return { endedAt: now(), expiresAt: secondsAfter(now(), tombstoneSeconds) };
  }

  return {
    revokeGrant(grantId, reason) {
      const running =
        ending.get(grantId) ??
        inTransaction((tx) => endGrants(tx, { _id: grantId }, reason)).finally(() => ending.delete(grantId));
      ending.set(grantId, running);
      return running;
    },
    async endSession(sessionUid) {
      await inTransaction(async (tx) => {
        const session = await sessions.findOneAndUpdate(
          { _id: sessionUid, ...live },
          { $set: tombstone() },
          sessionOf(tx),
        );
        if (!session) return;
        await endGrants(tx, { sessionUid, offline: false }, 'session_ended');
        const { accountId: userId } = session;
        if (userId !== undefined) await recordEvent(tx, sessionEnded(userId, { kind: 'user', userId }));
      });
    },
    async endAllOf(tx, actor, userId) {
      for (const { _id } of await sessions.find({ accountId: userId, ...live }, sessionOf(tx)).toArray()) {
        await sessions.updateOne({ _id }, { $set: tombstone() }, sessionOf(tx));
        await recordEvent(tx, sessionEnded(userId, actor));
      }
      await endGrants(tx, { accountId: userId }, 'password_changed', actor);
    },
    findGrantId: (binding) => findLiveGrant(grants, binding),
  };
}

/** The newest of this binding. One that came of an exchange is nobody else's: it ends sooner. */
async function findLiveGrant(
  grants: ProtocolRecords['collection'],
  binding: GrantBinding,
): Promise<string | undefined> {
  const origin = { exchangedFrom: binding.exchangedFrom ?? { $exists: false } };
  const newest = { projection: { _id: 1 }, sort: { createdAt: -1 } } as const;
  return (await grants.findOne({ ...binding, ...origin, ...live }, newest))?._id;
}

function sessionEnded(userId: string, actor: Actor): EventDraft {
  return { type: 'session.ended', tenantId: null, actor, subjectId: userId };
}
