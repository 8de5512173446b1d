import type { mongo } from 'mongoose';
import Provider, { errors, type Adapter, type AdapterPayload } from 'oidc-provider';
import type { RecordEvent } from '../../events/index.js';
import { AppError, temporarilyUnavailable } from '../../kernel/errors.js';
import { secondsAfter } from '../../kernel/time.js';
import { isDuplicateKey, sessionOf, type InTransaction, type Tx } from '../../platform/mongo/transactions.js';
import { bindingOf } from '../library-internals.js';
import type { PollState } from './grant-adapter.js';
import { protocolRecords, type ProtocolRecord, type ProtocolRecords } from './protocol-records.js';
import { recordAdapter, type RecordAdapterDeps } from './record-adapter.js';
import { storageRules, type StorageRule } from './storage-rules.js';

export interface DeviceCodeAdapterDeps extends RecordAdapterDeps {
  inTransaction: InTransaction;
  recordEvent: RecordEvent;
  findGrant: Adapter['find'];
  /** Seconds that a device waits between two polls, and by which a hasty one has to wait longer (RFC 8628 §3.5). */
  devicePollSeconds: number;
}

/** What stands beside the payload of a device code, because it is decided by conditional writes. */
interface DeviceCodeRecord extends ProtocolRecord {
  /** Session of the browser that typed the user code first; no other one may open or decide it. */
  claimedBy?: string;
  /** Approved or turned down; final. */
  decidedAt?: Date;
  pollSeconds: number;
  nextPollAt: Date;
}

type Decision = 'approved' | 'denied';

/** Where the codes are, and the clock. */
interface DeviceCodes extends DeviceCodeAdapterDeps {
  records: ProtocolRecords;
  collection: mongo.Collection<DeviceCodeRecord>;
}

/**
 * Device codes (RFC 8628). The library reads before it writes and knows neither whose browser a code is in nor how often
 * a device asks; here each of the three is one conditional write: the first browser claims a code, the first decision
 * stands, and a poll before its time is told to slow down.
 */
export function deviceCodeAdapter(deps: DeviceCodeAdapterDeps): Adapter {
  const rule = storageRules['DeviceCode'] as StorageRule;
  const records = protocolRecords('DeviceCode', rule, deps);
  const codes = { ...deps, records, collection: deps.database.collection<DeviceCodeRecord>(rule.collection) };
  return {
    ...recordAdapter('DeviceCode', rule, deps),
    async upsert(id, payload, expiresIn) {
      const decision = decisionOf(payload);
      // The library would end a code for whatever goes wrong in a browser, a second tab or a database that was away for
      // a moment included. Only a decision ends it; until it expires the person may try again.
      if (payload.error !== undefined && decision === undefined) return;
      const changes = { ...(await changesOf(codes, id, payload)), ...records.expiryIn(expiresIn) };
      if (decision === undefined) return writeUndecided(codes, records.idFor(id), changes);
      await deps.inTransaction(async (tx) => {
        await writeUndecided(codes, records.idFor(id), { ...changes, decidedAt: deps.now() }, tx);
        await deps.recordEvent(tx, eventOf(decision, payload));
      });
    },
    async find(id) {
      const record = await codes.collection.findOne({ _id: records.idFor(id) });
      if (record && isPollOf(record)) {
        if (isOpen(codes, record)) await countPoll(codes, record);
        else if (record.grantId !== undefined) await keepGrant(codes, record.grantId);
      }
      return records.decode(record, id);
    },
    async findByUserCode(userCode) {
      const record = await codes.collection.findOne({ userCodeHash: userCodeHash(codes, userCode) });
      if (record && isOpen(codes, record)) await claim(codes, record);
      const payload = await records.decode(record, undefined);
      // whoever left the flow half way may come back to it: the claim keeps everybody else out
      return payload && { ...payload, inFlight: false };
    },
  };
}

function userCodeHash({ hash }: DeviceCodes, userCode: string): string {
  return hash('DeviceCode.userCode', userCode);
}

function isOpen({ now }: DeviceCodes, { decidedAt, expiresAt }: DeviceCodeRecord): boolean {
  return decidedAt === undefined && (expiresAt === undefined || expiresAt > now());
}

/** Throws when another browser was first. Outside of the page where codes are typed nothing is claimed. */
async function claim({ collection }: DeviceCodes, { _id }: DeviceCodeRecord): Promise<void> {
  const sessionUid = Provider.ctx?.oidc.session?.uid;
  if (sessionUid === undefined) return;
  const { matchedCount } = await collection.updateOne(
    { _id, $or: [{ claimedBy: { $exists: false } }, { claimedBy: sessionUid }] },
    { $set: { claimedBy: sessionUid } },
  );
  if (matchedCount === 0) throw claimedElsewhere();
}

async function countPoll(
  { collection, devicePollSeconds, now }: DeviceCodes,
  { _id, nextPollAt, pollSeconds }: DeviceCodeRecord,
): Promise<void> {
  const isEarly = now() < nextPollAt;
  const waitSeconds = isEarly ? pollSeconds + devicePollSeconds : pollSeconds;
  const { modifiedCount } = await collection.updateOne(
    { _id, nextPollAt },
    { $set: { pollSeconds: waitSeconds, nextPollAt: secondsAfter(now(), waitSeconds) } },
  );
  // of parallel polls all but one come too early
  if (isEarly || modifiedCount === 0) throw new errors.SlowDown();
}

async function changesOf(codes: DeviceCodes, id: string, payload: AdapterPayload): Promise<Partial<DeviceCodeRecord>> {
  const { clientId, accountId, grantId, userCode } = payload;
  return {
    payload: await codes.records.encode(codes.records.idFor(id), payload),
    ...(clientId === undefined ? {} : { clientId }),
    ...(accountId === undefined ? {} : { accountId }),
    ...(grantId === undefined ? {} : { grantId }),
    ...(userCode === undefined ? {} : { userCodeHash: userCodeHash(codes, userCode) }),
  };
}

/** Throws when the code was decided meanwhile. */
async function writeUndecided(
  { collection, devicePollSeconds, now }: DeviceCodes,
  _id: string,
  changes: Partial<DeviceCodeRecord>,
  tx?: Tx,
): Promise<void> {
  try {
    await collection.updateOne(
      { _id, decidedAt: { $exists: false } },
      { $set: changes, $setOnInsert: { pollSeconds: devicePollSeconds, nextPollAt: now() } },
      { upsert: true, ...(tx ? sessionOf(tx) : {}) },
    );
  } catch (error) {
    if (!isDuplicateKey(error)) throw error;
    const isNew = Provider.ctx?.oidc.route === 'device_authorization';
    // a new code has come upon the user code of a live one, and the next one will not; or the row is there and decided
    throw isNew ? temporarilyUnavailable(error) : decidedAlready();
  }
}

function decisionOf({ error, accountId }: AdapterPayload): Decision | undefined {
  if (error === 'access_denied') return 'denied';
  return error === undefined && accountId !== undefined ? 'approved' : undefined;
}

/**
 * The library reads the grant only after it has used up the code, when a second poll may just have ended it: then nobody
 * would win. So the request goes on with the grant as it was before, which is the library's own order for a code.
 */
async function keepGrant({ findGrant }: DeviceCodes, grantId: string): Promise<void> {
  const grant = await findGrant(grantId);
  const state = Provider.ctx?.state as PollState | undefined;
  if (grant && state) state.grantBeforeUse = grant;
}

/** A device asks for its tokens; another client that holds the code learns and changes nothing. */
function isPollOf({ clientId }: DeviceCodeRecord): boolean {
  const oidc = Provider.ctx?.oidc;
  return oidc?.route === 'token' && oidc.client?.clientId === clientId;
}

function eventOf(decision: Decision, { clientId, accountId }: AdapterPayload): Parameters<RecordEvent>[1] {
  const oidc = Provider.ctx?.oidc;
  const userId = accountId ?? oidc?.session?.accountId;
  const grant = decision === 'approved' ? oidc?.entities.Grant : undefined;
  return {
    type: `device.${decision}`,
    tenantId: grant ? bindingOf(grant).tenantId : null,
    actor: userId === undefined ? { kind: 'system', reason: 'protocol' } : { kind: 'user', userId },
    subjectId: clientId ?? '',
  };
}

function claimedElsewhere(): AppError {
  return new AppError('device_code.claimed', {
    status: 403,
    detail: 'The code belongs to the browser in which it was typed first.',
  });
}

function decidedAlready(): AppError {
  return new AppError('device_code.decided', { status: 409, detail: 'This code was used already.' });
}
