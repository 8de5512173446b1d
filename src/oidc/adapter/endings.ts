import type { EventDraft, RecordEvent } from '../../events/index.js';
import type { Actor } from '../../kernel/actor.js';
import { secondsAfter, type Clock } from '../../kernel/time.js';
import type { Database } from '../../platform/mongo/open-database.js';
import { sessionOf, type InTransaction, type Tx } from '../../platform/mongo/transactions.js';
import type { GrantBinding } from './grant-binding.js';
import { tombstoneSeconds, type ProtocolRecord, type ProtocolRecords } from './protocol-records.js';

/** Grants that one transaction ends. */
const portion = 100;
const live = { endedAt: { $exists: false } };

export interface EndingDeps {
  database: Database;
  inTransaction: InTransaction;
  recordEvent: RecordEvent;
  now: Clock;
}

export type RevocationReason = 'reuse' | 'revoked' | 'session_ended' | 'password_changed' | 'member_removed';

/** Grants of a person, of a client, or in a tenant; what is named holds together. */
export type GrantsOf = Partial<Pick<GrantBinding, 'accountId' | 'clientId' | 'tenantId'>>;

export interface Endings {
  /** After a reuse the whole family, back to the grant that it began with. */
  revokeGrant(grantId: string, reason: RevocationReason, by?: Actor): Promise<void>;
  /** With its grants; those for offline access outlive a sign-out, but not an ending by somebody else. */
  endSession(sessionUid: string, by?: Actor): Promise<void>;
  /** Every session and every grant of the user, those for offline access too. */
  endAllOf(tx: Tx, actor: Actor, userId: string, reason: RevocationReason): Promise<void>;
  endGrantsOf(tx: Tx, actor: Actor, of: GrantsOf, reason: RevocationReason): Promise<void>;
  /** The same for any number, one portion a transaction. */
  endAllGrantsOf(actor: Actor, of: GrantsOf): Promise<void>;
  /** The live grant of this binding, if there is one. */
  findGrantId(binding: GrantBinding): Promise<string | undefined>;
}

export function createEndings(deps: EndingDeps): Endings {
  const { database, inTransaction, recordEvent } = deps;
  const grants = grantsIn(database);
  const sessions = database.collection<ProtocolRecord>('oidc_sessions');
  /** One code used fifty times at once ends its grant once; the others wait for that instead of fighting over it. */
  const underWay = new Map<string, Promise<void>>();

  return {
    revokeGrant(grantId, reason, by) {
      const running =
        underWay.get(grantId) ??
        inTransaction((tx) => endGrant(deps, tx, grantId, { reason, ...(by ? { by } : {}) })).finally(() =>
          underWay.delete(grantId),
        );
      underWay.set(grantId, running);
      return running;
    },
    async endSession(sessionUid, by) {
      await inTransaction(async (tx) => {
        const session = await sessions.findOneAndUpdate(
          { _id: sessionUid, ...live },
          { $set: tombstone(deps) },
          sessionOf(tx),
        );
        if (!session) return;
        const grants = by ? { sessionUid } : { sessionUid, offline: false };
        await endGrants(deps, tx, grants, { reason: 'session_ended', ...(by ? { by } : {}) });
        const { accountId: userId } = session;
        if (userId !== undefined) await recordEvent(tx, sessionEnded(userId, by ?? { kind: 'user', userId }));
      });
    },
    async endAllOf(tx, actor, userId, reason) {
      for (const { _id } of await sessions.find({ accountId: userId, ...live }, sessionOf(tx)).toArray()) {
        await sessions.updateOne({ _id }, { $set: tombstone(deps) }, sessionOf(tx));
        await recordEvent(tx, sessionEnded(userId, actor));
      }
      await endGrants(deps, tx, { accountId: userId }, { reason, by: actor });
    },
    async endGrantsOf(tx, actor, of, reason) {
      await endGrants(deps, tx, of, { reason, by: actor });
    },
    async endAllGrantsOf(actor, of) {
      const end = (tx: Tx): Promise<number> => endGrants(deps, tx, of, { reason: 'revoked', by: actor, portion });
      while ((await inTransaction(end)) > 0);
    },
    findGrantId: (binding) => findLiveGrant(grants, binding),
  };
}

async function endGrant(deps: EndingDeps, tx: Tx, grantId: string, ending: Ending): Promise<void> {
  const grant =
    ending.reason === 'reuse' ? await grantsIn(deps.database).findOne({ _id: grantId }, sessionOf(tx)) : null;
  await endGrants(deps, tx, { _id: grant?.exchangedFrom ?? grantId }, ending);
}

interface Ending {
  reason: RevocationReason;
  /** Whoever signed in or, after a reuse, the protocol unless given. */
  by?: Actor;
  /** At most so many; all unless given. */
  portion?: number;
}

/** Gives the number of those that were found. What came of them by exchange ends with them. */
async function endGrants(deps: EndingDeps, tx: Tx, filter: object, ending: Ending): Promise<number> {
  const grants = grantsIn(deps.database);
  const { reason, by, portion = 0 } = ending;
  const ended = await grants.find({ ...filter, ...live }, { ...sessionOf(tx), limit: portion }).toArray();
  for (const { _id, accountId: userId = '', clientId = '', tenantId = null } of ended) {
    await grants.updateOne({ _id }, { $set: tombstone(deps) }, sessionOf(tx));
    const usual: Actor = reason === 'reuse' ? { kind: 'system', reason: 'protocol' } : { kind: 'user', userId };
    const data = { reason, clientId, userId };
    await deps.recordEvent(tx, { type: 'grant.revoked', tenantId, actor: by ?? usual, subjectId: _id, data });
  }
  const ids = ended.map(({ _id }) => _id);
  if (ids.length > 0) await endGrants(deps, tx, { exchangedFrom: { $in: ids } }, { ...ending, portion: 0 });
  return ended.length;
}

function grantsIn(database: Database): ProtocolRecords['collection'] {
  return database.collection<ProtocolRecord>('oidc_grants');
}

function tombstone({ now }: EndingDeps): { endedAt: Date; expiresAt: Date } {
  return { endedAt: now(), expiresAt: secondsAfter(now(), tombstoneSeconds) };
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
