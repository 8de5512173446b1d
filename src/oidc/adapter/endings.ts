import type { EventDraft, RecordEvent } from '../../events/index.js';
import type { Actor } from '../../kernel/actor.js';
import { secondsAfter, type Clock } from '../../kernel/time.js';
import type { Database } from '../../platform/mongo/open-database.js';
import { sessionOf, type InTransaction, type Tx } from '../../platform/mongo/transactions.js';
import type { GrantBinding } from './grant-binding.js';
import { tombstoneSeconds, type ProtocolRecord, type ProtocolRecords } from './protocol-records.js';

/** Grants that one transaction ends. */
const portion = 100;
/** Sessions, each with its grants and with what is told to apps. */
const sessionsAtOnce = 10;
const live = { endedAt: { $exists: false } };

export interface EndingDeps {
  database: Database;
  inTransaction: InTransaction;
  recordEvent: RecordEvent;
  now: Clock;
}

/** An app that may still hold a person to be signed in who is not any more. */
export interface EndedUse {
  clientId: string;
  userId: string;
  sessionUid: string;
}

/** Tells apps, once the transaction has gone through. */
export type QueueLogouts = (tx: Tx, ended: readonly EndedUse[]) => Promise<void>;

type Deps = EndingDeps & {
  queueLogouts: QueueLogouts;
  /**
   * What somebody in a session leaves behind that outlives it: browsers that stand in for a second factor, links that
   * were asked for. Each forgets one kind of it. Whoever ends sessions may mean a thief.
   */
  remains: readonly ((tx: Tx, userId: string) => Promise<void>)[];
};

export type RevocationReason = 'reuse' | 'revoked' | 'session_ended' | 'password_changed' | 'member_removed';

/** Grants of a person, of a client, or in a tenant; what is named holds together. */
export type GrantsOf = Partial<Pick<GrantBinding, 'accountId' | 'clientId' | 'tenantId' | 'sessionUid'>>;

/** `unlessBy`: the connection to which the domain leads now; what it has opened stays. */
export type Opener = { connectionId: string } | { domainId: string; unlessBy?: string };

export interface Endings {
  /** After a reuse the whole family, back to the grant that it began with. */
  revokeGrant(grantId: string, reason: RevocationReason, by?: Actor): Promise<void>;
  /** With its grants; those for offline access outlive a sign-out, but not an ending by somebody else, nor does what it left. */
  endSession(sessionUid: string, by?: Actor): Promise<void>;
  /** Every session and every grant of the user, those for offline access too, and what they left. */
  endAllOf(tx: Tx, actor: Actor, userId: string, reason: RevocationReason): Promise<void>;
  /** The same without one session and what it has opened. */
  endOthersOf(
    tx: Tx,
    actor: Actor,
    kept: { userId: string; sessionUid: string },
    reason: RevocationReason,
  ): Promise<void>;
  endGrantsOf(tx: Tx, actor: Actor, of: GrantsOf, reason: RevocationReason): Promise<void>;
  /** The same for any number, one portion a transaction. */
  endAllGrantsOf(actor: Actor, of: GrantsOf): Promise<void>;
  /**
   * Sessions and grants of sign-ins that were done by this connection, or opened whole accounts by this domain, with what
   * they left. One portion a transaction.
   */
  endAllOpenedBy(actor: Actor, opener: Opener): Promise<void>;
  /** The live grant of this binding, if there is one. */
  findGrantId(binding: GrantBinding): Promise<string | undefined>;
}

export function createEndings(deps: Deps): Endings {
  const { database, inTransaction } = deps;
  const grants = grantsIn(database);
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
        const sessions = await endSessions(deps, tx, { _id: sessionUid });
        if (sessions.length === 0) return;
        const of = by ? { sessionUid } : { sessionUid, offline: false };
        const ended = await endGrants(deps, tx, of, { reason: 'session_ended', ...(by ? { by } : {}) });
        await tellOfSessions(deps, tx, sessions, by);
        for (const { accountId } of sessions)
          if (by && accountId !== undefined) await forgetRemains(deps, tx, accountId);
        await announce(deps, tx, [...sessions.flatMap(usesOfSession), ...ended.flatMap(useOfGrant)]);
      });
    },
    async endAllOf(tx, by, accountId, reason) {
      await forgetRemains(deps, tx, accountId);
      await endWhole(deps, tx, { sessions: { accountId }, grants: { accountId } }, { reason, by });
    },
    async endOthersOf(tx, actor, { userId, sessionUid }, reason) {
      await forgetRemains(deps, tx, userId);
      const other = { $ne: sessionUid };
      const of = {
        sessions: { accountId: userId, _id: other },
        grants: { accountId: userId, sessionUid: other },
      };
      await endWhole(deps, tx, of, { reason, by: actor });
    },
    async endGrantsOf(tx, actor, of, reason) {
      const ended = await endGrants(deps, tx, of, { reason, by: actor });
      await announce(deps, tx, ended.flatMap(useOfGrant));
    },
    async endAllGrantsOf(actor, of) {
      const end = async (tx: Tx): Promise<number> => {
        const ended = await endGrants(deps, tx, of, { reason: 'revoked', by: actor, portion });
        await announce(deps, tx, ended.flatMap(useOfGrant));
        return ended.length;
      };
      while ((await inTransaction(end)) > 0);
    },
    async endAllOpenedBy(by, opener) {
      const opened = openedBy(opener);
      while ((await inTransaction((tx) => endOpened(deps, tx, opened, by))) > 0);
    },
    findGrantId: (binding) => findLiveGrant(grants, binding),
  };
}

async function forgetRemains({ remains }: Deps, tx: Tx, userId: string): Promise<void> {
  for (const forget of remains) await forget(tx, userId);
}

/** Nobody signs in by it any more, so what is found in the end is all that there was. */
function openedBy(opener: Opener): object {
  const { unlessBy, ...by } = 'domainId' in opener ? opener : { ...opener, unlessBy: undefined };
  return { ...by, ...(unlessBy === undefined ? {} : { connectionId: { $ne: unlessBy } }) };
}

/** A portion, with other grants of the sessions in it, which may be older than the sign-in, and what was left in them. */
async function endOpened(deps: Deps, tx: Tx, opened: object, by: Actor): Promise<number> {
  const ending = { reason: 'session_ended', by } as const;
  const sessions = await endSessions(deps, tx, opened, sessionsAtOnce);
  await tellOfSessions(deps, tx, sessions, by);
  const ofSessions = { sessionUid: { $in: sessions.map(({ _id }) => _id) }, offline: false };
  const grants = [
    ...(await endGrants(deps, tx, ofSessions, ending)),
    ...(await endGrants(deps, tx, opened, { ...ending, portion })),
  ];
  const people = new Set([...sessions, ...grants].flatMap(({ accountId }) => accountId ?? []));
  for (const userId of people) await forgetRemains(deps, tx, userId);
  await announce(deps, tx, [...sessions.flatMap(usesOfSession), ...grants.flatMap(useOfGrant)]);
  return sessions.length + grants.length;
}

async function endWhole(
  deps: Deps,
  tx: Tx,
  of: { sessions: object; grants: object },
  ending: Ending & { by: Actor },
): Promise<void> {
  const sessions = await endSessions(deps, tx, of.sessions);
  await tellOfSessions(deps, tx, sessions, ending.by);
  const grants = await endGrants(deps, tx, of.grants, ending);
  await announce(deps, tx, [...sessions.flatMap(usesOfSession), ...grants.flatMap(useOfGrant)]);
}

/** As they were. */
async function endSessions(deps: Deps, tx: Tx, of: object, limit = 0): Promise<ProtocolRecord[]> {
  const sessions = deps.database.collection<ProtocolRecord>('oidc_sessions');
  const found = await sessions.find({ ...of, ...live }, { ...sessionOf(tx), limit }).toArray();
  await endRecords(deps, tx, sessions, found);
  return found;
}

/** By one write: somebody may have thousands, all of which end in the transaction of one change. */
async function endRecords(
  deps: Deps,
  tx: Tx,
  collection: ProtocolRecords['collection'],
  found: readonly ProtocolRecord[],
): Promise<void> {
  if (found.length === 0) return;
  const these = { _id: { $in: found.map(({ _id }) => _id) } };
  await collection.updateMany(these, { $set: tombstone(deps) }, sessionOf(tx));
}

async function tellOfSessions(
  deps: Deps,
  tx: Tx,
  sessions: readonly ProtocolRecord[],
  by: Actor | undefined,
): Promise<void> {
  for (const { accountId: userId } of sessions)
    if (userId !== undefined) await deps.recordEvent(tx, sessionEnded(userId, by ?? { kind: 'user', userId }));
}

async function endGrant(deps: Deps, tx: Tx, grantId: string, ending: Ending): Promise<void> {
  const grant =
    ending.reason === 'reuse' ? await grantsIn(deps.database).findOne({ _id: grantId }, sessionOf(tx)) : null;
  const ended = await endGrants(deps, tx, { _id: grant?.exchangedFrom ?? grantId }, ending);
  // an app that gives its tokens back, or lost them, has not been told to sign anybody out
  if (ending.by) await announce(deps, tx, ended.flatMap(useOfGrant));
}

interface Ending {
  reason: RevocationReason;
  /** Whoever signed in or, after a reuse, the protocol unless given. */
  by?: Actor;
  /** At most so many; all unless given. */
  portion?: number;
}

/** Gives those that were found, as they were. What came of them by exchange ends with them. */
async function endGrants(deps: Deps, tx: Tx, filter: object, ending: Ending): Promise<ProtocolRecord[]> {
  const grants = grantsIn(deps.database);
  const { reason, by, portion = 0 } = ending;
  const ended = await grants.find({ ...filter, ...live }, { ...sessionOf(tx), limit: portion }).toArray();
  await endRecords(deps, tx, grants, ended);
  for (const { _id, accountId: userId = '', clientId = '', tenantId = null } of ended) {
    const usual: Actor = reason === 'reuse' ? { kind: 'system', reason: 'protocol' } : { kind: 'user', userId };
    const data = { reason, clientId, userId };
    await deps.recordEvent(tx, { type: 'grant.revoked', tenantId, actor: by ?? usual, subjectId: _id, data });
  }
  if (ended.length === 0) return [];
  const exchanged = { exchangedFrom: { $in: ended.map(({ _id }) => _id) } };
  return [...ended, ...(await endGrants(deps, tx, exchanged, { ...ending, portion: 0 }))];
}

function usesOfSession({ _id: sessionUid, accountId: userId, clientIds = [] }: ProtocolRecord): EndedUse[] {
  return userId === undefined ? [] : clientIds.map((clientId) => ({ clientId, userId, sessionUid }));
}

function useOfGrant({ accountId: userId, clientId, sessionUid }: ProtocolRecord): EndedUse[] {
  const isWhole = userId !== undefined && clientId !== undefined && sessionUid !== undefined;
  return isWhole ? [{ clientId, userId, sessionUid }] : [];
}

/** Each once. */
async function announce(deps: Deps, tx: Tx, ended: readonly EndedUse[]): Promise<void> {
  const each = new Map(ended.map((use) => [`${use.clientId}\0${use.sessionUid}\0${use.userId}`, use]));
  if (each.size > 0) await deps.queueLogouts(tx, [...each.values()]);
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
  const absent = { $exists: false };
  const { exchangedFrom = absent, boundTenantId = absent, connectionId = absent, domainId = absent } = binding;
  const bounds = { exchangedFrom, boundTenantId, connectionId, domainId };
  const newest = { projection: { _id: 1 }, sort: { createdAt: -1 } } as const;
  return (await grants.findOne({ ...binding, ...bounds, ...live }, newest))?._id;
}

function sessionEnded(userId: string, actor: Actor): EventDraft {
  return { type: 'session.ended', tenantId: null, actor, subjectId: userId };
}
