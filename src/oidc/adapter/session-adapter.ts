import Provider, { errors, type Adapter, type AdapterPayload } from 'oidc-provider';
import type { Context } from 'koa';
import type { EventDraft } from '../../events/index.js';
import type { Connection, ConnectionsModule } from '../../connections/index.js';
import type { DomainsModule } from '../../domains/index.js';
import type { IdentitiesModule, IdentityKey } from '../../identities/index.js';
import type { Language } from '../../kernel/languages.js';
import type { EndingDeps } from './endings.js';
import { secondsAfter } from '../../kernel/time.js';
import type { ProvenCredentials, UsersModule } from '../../users/index.js';
import { sessionOf, type Tx } from '../../platform/mongo/transactions.js';
import { leaveSessionUnsaved, type BoundSession } from '../library-internals.js';
import {
  protocolRecords,
  type ProtocolRecord,
  type ProtocolRecordDeps,
  type ProtocolRecords,
} from './protocol-records.js';
import { writeUnlessEnded } from './record-adapter.js';
import { tellOfNewBrowser, type NewBrowserDeps } from './new-browser.js';
import { sealDevice, type Sender } from './session-device.js';
import { storageRules, type StorageRule } from './storage-rules.js';

export interface SessionAdapterDeps extends ProtocolRecordDeps, EndingDeps, NewBrowserDeps {
  /** Ends a session and every grant of it that was not meant to outlive it, in one transaction. */
  endSession(sessionUid: string): Promise<void>;
  /** Null when password or factors are not those any more with which the person signed in, or they may not act. */
  confirmSignIn: UsersModule['confirmSignIn'];
  findIdentity: IdentitiesModule['findIdentity'];
  findConnection: ConnectionsModule['findConnection'];
  isWayIn(connection: Connection): boolean;
  findDomain: DomainsModule['findDomain'];
}

/** How old what is known of the device of a session may be. */
const deviceSeconds = 60;

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

  const changesOf = async (payload: AdapterPayload, expiresIn: number | undefined): Promise<object> => ({
    ...(await writtenOf(records, payload, expiresIn)),
    ...(await useOf(deps, payload.uid as string)),
  });

  return {
    async upsert(id, payload, expiresIn) {
      const _id = payload.uid as string;
      const known = await collection.updateOne(
        { _id, idHash: idFor(id), endedAt: { $exists: false } },
        { $set: await changesOf(payload, expiresIn), $addToSet: { clientIds: { $each: clientIdsOf(payload) } } },
      );
      if (known.matchedCount === 1) return;
      const state = Provider.ctx?.state as SessionState | undefined;
      const login = state?.login;
      await deps.inTransaction(async (tx) => {
        const before = await collection.findOne({ _id }, sessionOf(tx));
        if (before && !before.endedAt && isOvertaken()) return;
        // a page left open may bring an older sign-in than the session has had since: what it has proven is as old as it is
        const changes = await changesOf(payload, expiresIn);
        const former = before?.idHash === undefined ? {} : { formerIdHash: before.idHash, renamedAt: deps.now() };
        const clientIds = [...new Set([...(before?.clientIds ?? []), ...clientIdsOf(payload)])];
        await writeUnlessEnded(records, _id, { idHash: idFor(id), clientIds, ...former, ...changes }, tx);
        if (!login) return;
        if (state) state.overtaken = false; // a session of its own
        await confirmLogin(deps, tx, login, payload);
      });
      if (state) state.login = undefined;
      if (login?.upstream) await confirmUpstream(deps, _id, login.accountId, login.upstream);
    },
    async find(id) {
      const record = await collection.findOne({ idHash: idFor(id) });
      if (!record) await noteOvertaken(collection, idFor(id), deps.now());
      const { ctx } = Provider;
      if (ctx && record?.seenAt) (ctx.state as SessionState).seenAt = record.seenAt;
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

async function confirmLogin(
  deps: SessionAdapterDeps,
  tx: Tx,
  login: FinishedLogin,
  payload: AdapterPayload,
): Promise<void> {
  const confirmed = await deps.confirmSignIn(tx, login.accountId, provenIn(login));
  if (!confirmed) {
    if (Provider.ctx) leaveSessionUnsaved(Provider.ctx); // the library would try again
    throw new errors.LoginRequired('the account or its credentials were changed while the sign-in was under way');
  }
  await deps.recordEvent(tx, signedIn(login.accountId, payload));
  const { newBrowser } = login;
  // whoever has just made the account, or was given it, needs no telling
  if (!newBrowser || !Provider.ctx || confirmed.isFirst) return;
  await tellOfNewBrowser(deps, tx, confirmed.user, { ...newBrowser, sender: senderOf(Provider.ctx) });
}

/**
 * Whoever closes a connection, unlinks an account or takes a domain away ends the sessions that there are. Asked after
 * the session is there, so that of the two at once either they find it or this finds them.
 */
async function confirmUpstream(
  deps: SessionAdapterDeps,
  sessionUid: string,
  userId: string,
  upstream: UpstreamLogin,
): Promise<void> {
  const { tenantId, connectionId, domainId } = upstream;
  const [identity, connection, domain] = await Promise.all([
    deps.findIdentity(upstream),
    deps.findConnection(tenantId, connectionId),
    domainId === undefined ? undefined : deps.findDomain(tenantId, domainId),
  ]);
  const isLed = domain === undefined || (domain?.connectionId === connectionId && domain.verifiedAt !== null);
  if (identity?.userId === userId && connection && deps.isWayIn(connection) && isLed) return;
  await deps.endSession(sessionUid);
  if (Provider.ctx) leaveSessionUnsaved(Provider.ctx);
  throw new errors.LoginRequired('the way in was closed while the sign-in was under way');
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
  login?: FinishedLogin | undefined;
  /** Another request has changed the identifier since this one read the session. */
  overtaken?: boolean;
  /** When the session was last used before this request. */
  seenAt?: Date;
  /** The request was answered, and not with a page on which it goes on. */
  isDone?: boolean;
}

/** Somebody of a provider, by whom a sign-in was done. */
export type UpstreamLogin = IdentityKey & {
  /** By which the connection of a tenant opens the whole account. */
  domainId?: string | undefined;
};

interface FinishedLogin {
  accountId: string;
  credentialsChangedAt?: string;
  factorsChangedAt?: string;
  upstream?: UpstreamLogin;
  /** The account does not know the browser; in the language of the page on which it was. */
  newBrowser?: { language: Language };
}

function provenIn({ credentialsChangedAt, factorsChangedAt }: FinishedLogin): ProvenCredentials {
  const dated = (at: string | undefined): Date | undefined => (at === undefined ? undefined : new Date(at));
  return { credentialsChangedAt: dated(credentialsChangedAt), factorsChangedAt: dated(factorsChangedAt) };
}

/** A save under an identifier that is not stored, by a request that changes none: it was changed by another one. */
function isOvertaken(): boolean {
  const ctx = Provider.ctx;
  if (!ctx || (ctx.oidc.session as { oldId?: string } | undefined)?.oldId !== undefined) return false;
  (ctx.state as SessionState).overtaken = true;
  return true;
}

async function writtenOf(
  records: ProtocolRecords,
  payload: AdapterPayload,
  expiresIn: number | undefined,
): Promise<Partial<ProtocolRecord>> {
  const { accountId, loginTs } = payload;
  const { connectionId = null, domainId = null } = payload as BoundSession;
  return {
    payload: await records.encode(payload.uid as string, payload),
    ...(accountId === undefined ? {} : { accountId }),
    ...(loginTs === undefined ? {} : { loginTs }),
    ...{ connectionId, domainId },
    ...records.expiryIn(expiresIn),
  };
}

/** Of a request that came to its end: one that is left at a page is not a use of the session. */
async function useOf(
  deps: Pick<SessionAdapterDeps, 'now' | 'sealing'>,
  uid: string,
): Promise<Pick<ProtocolRecord, 'seenAt' | 'device'>> {
  const { ctx } = Provider;
  const { login, isDone, seenAt: before } = (ctx?.state ?? {}) as SessionState;
  if (!ctx || (!login && !isDone)) return {};
  const seenAt = deps.now();
  if (!login && before && before > secondsAfter(seenAt, -deviceSeconds)) return { seenAt };
  return { seenAt, device: await sealDevice(deps.sealing, uid, senderOf(ctx)) };
}

function senderOf(ctx: Context): Sender {
  return { userAgent: ctx.get('User-Agent'), address: ctx.ip };
}

/**
 * Apps in which the person came to be signed in by the session; one that has only asked is without a grant. Two tabs at
 * once may leave one of them out of what the library keeps.
 */
function clientIdsOf({ authorizations = {} }: AdapterPayload): string[] {
  return Object.keys(authorizations).filter((clientId) => authorizations[clientId]?.grantId !== undefined);
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
