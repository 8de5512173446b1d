import type { Actor } from '../kernel/actor.js';
import { AppError } from '../kernel/errors.js';
import { newId } from '../kernel/ids.js';
import type { Language } from '../kernel/languages.js';
import { secondsAfter, type Clock } from '../kernel/time.js';
import type { RecordEvent } from '../events/index.js';
import type { Sealing } from '../platform/crypto/sealing.js';
import { isDuplicateKey, type InTransaction, type Tx } from '../platform/mongo/transactions.js';
import type { User } from '../users/index.js';
import { isStrongest, reachesSecondLevel } from './assurance.js';
import type { EmailCodeStore } from './email-code-store.js';
import type { Factor, FactorKind, FactorLimits, FactorNotice, Freshness } from './factor.js';
import { toFactor, type FactorRecord, type FactorStore } from './factor-store.js';
import type { PasskeyAnswer, Passkeys } from './passkeys.js';
import { secretContext, subjectOf } from './prove-code.js';
import { drawQrCode, type QrCode } from './qr-code.js';
import type { RecoveryCodeStore } from './recovery-code-store.js';
import type { SignInAttemptsStore } from './sign-in-attempts-store.js';
import { refusesEmailCodes, type TenantsOfPersonDeps } from './tenants-of-person.js';
import { newTotpSecret, stepsOfCode, totpUri } from './totp.js';

export interface ChangeFactorsDeps extends TenantsOfPersonDeps {
  store: FactorStore;
  recoveryCodes: RecoveryCodeStore;
  emailCodes: EmailCodeStore;
  attempts: Pick<SignInAttemptsStore, 'remove'>;
  passkeys: Passkeys;
  sealing: Sealing;
  inTransaction: InTransaction;
  recordEvent: RecordEvent;
  now: Clock;
  limits: FactorLimits;
  /** What is told of the person wherever they sign in. */
  setFactors(tx: Tx, userId: string, factors: { kinds: readonly string[]; at: Date }): Promise<void>;
  notify(tx: Tx, user: User, notice: FactorNotice): Promise<void>;
}

export interface TotpEnrolment {
  factorId: string;
  /** For who cannot read the picture. */
  secret: string;
  uri: string;
  qr: QrCode;
}

export interface Added {
  factor: Factor;
  /** Shown once, with the first factor. */
  recoveryCodes: string[] | null;
}

type Person = User;

/** A secret that counts from its first code on. One waits at a time; who reloads the page gets the same one. */
export async function beginTotp(
  deps: ChangeFactorsDeps,
  user: Person,
  fresh: Freshness,
  pendingId?: string,
): Promise<TotpEnrolment> {
  requireFresh(deps, await deps.store.list(user.id), fresh);
  const waiting = pendingId === undefined ? null : await deps.store.findPending(user.id, pendingId, deps.now());
  if (waiting?.sealedSecret !== undefined) {
    return enrolmentOf(waiting._id, await deps.sealing.open(waiting.sealedSecret, secretContext(waiting)), user);
  }
  const secret = newTotpSecret();
  const record = newRecord(deps, user.id, 'totp', 'Authenticator app');
  await deps.store.removePending(user.id);
  await deps.store.insert({
    ...{ ...record, sealedSecret: await deps.sealing.seal(secret, secretContext(record)) },
    ...{ lastStep: 0, expiresAt: secondsAfter(deps.now(), deps.limits.enrolmentSeconds) },
  });
  return enrolmentOf(record._id, secret, user);
}

/** Null: that is not the code of the moment, or the secret has waited too long. */
export async function confirmTotp(
  deps: ChangeFactorsDeps,
  user: Person,
  fresh: Freshness,
  { factorId, code }: { factorId: string; code: string },
): Promise<Added | null> {
  const now = deps.now();
  const record = await deps.store.findPending(user.id, factorId, now);
  if (record?.sealedSecret === undefined) return null;
  const secret = await deps.sealing.open(record.sealedSecret, secretContext(record));
  const step = stepsOfCode(secret, code.normalize('NFKC').replace(/[\s-]/g, ''), now).at(-1);
  if (step === undefined) return null;
  return deps.inTransaction(async (tx) => {
    const held = await heldFreshly(deps, tx, user, fresh);
    if (held.some(({ kind }) => kind === 'totp')) throw hasAlready();
    if (!(await deps.store.confirm(tx, record, step, now))) return null;
    return added(deps, tx, user, { record, held, language: fresh.language });
  });
}

/** Null: what the browser has sent is not right, too late, or was used before. */
export async function addPasskey(
  deps: ChangeFactorsDeps,
  user: Person,
  fresh: Freshness,
  { name, ...answer }: PasskeyAnswer & { name: string },
): Promise<Added | null> {
  const passkey = await deps.passkeys.verifyRegistration(answer);
  if (!passkey) return null;
  const record = { ...newRecord(deps, user.id, 'passkey', name), ...passkey };
  try {
    return await deps.inTransaction(async (tx) => {
      const held = await heldFreshly(deps, tx, user, fresh);
      if (held.filter(({ kind }) => kind === 'passkey').length >= deps.limits.passkeys) throw tooManyPasskeys();
      await deps.store.insert(record, tx);
      return added(deps, tx, user, { record, held, language: fresh.language });
    });
  } catch (error) {
    if (isDuplicateKey(error)) return null; // somebody has it, whoever that is
    throw error;
  }
}

/** From now on a code that is sent to their address stands in for the person's own factors; never where two are asked for. */
export async function allowEmailCodes(deps: ChangeFactorsDeps, user: Person, fresh: Freshness): Promise<Factor> {
  if (!user.emailVerified)
    throw new AppError('factors.email_unproven', { status: 409, detail: 'The e-mail address is not confirmed yet.' });
  const record = newRecord(deps, user.id, 'email', 'Codes by e-mail');
  return deps.inTransaction(async (tx) => {
    const held = await heldFreshly(deps, tx, user, fresh);
    if (held.some(({ kind }) => kind === 'email')) throw hasAlready();
    if (await refusesEmailCodes(deps, user.id, tx)) throw emailRefused();
    await deps.store.insert(record, tx);
    return (await added(deps, tx, user, { record, held, language: fresh.language })).factor;
  });
}

export async function renameFactor(
  deps: ChangeFactorsDeps,
  user: Pick<User, 'id'>,
  factorId: string,
  name: string,
): Promise<void> {
  await deps.inTransaction(async (tx) => {
    if (!(await deps.store.rename(tx, user.id, factorId, name))) throw noFactor();
    await deps.recordEvent(tx, { ...aboutOwn(user.id), type: 'user.factor_renamed', data: { factorId } });
  });
}

/** One of another person is answered as one that does not exist. */
export async function removeFactor(
  deps: ChangeFactorsDeps,
  user: Person,
  fresh: Freshness,
  factorId: string,
): Promise<void> {
  await deps.inTransaction(async (tx) => {
    const held = await deps.store.list(user.id, tx);
    if (!held.some(({ _id }) => _id === factorId)) throw noFactor();
    requireFresh(deps, held, fresh);
    const record = await deps.store.remove(tx, user.id, factorId);
    if (!record) throw noFactor();
    const left = (await deps.store.list(user.id, tx)).map(({ kind }) => kind);
    if (!reachesSecondLevel(left)) await deps.recoveryCodes.remove(tx, user.id);
    if (record.kind === 'totp') await deps.attempts.remove(tx, subjectOf(user.id, 'totp'));
    if (record.kind === 'email') await deps.emailCodes.remove(tx, user.id);
    await deps.setFactors(tx, user.id, { kinds: left, at: deps.now() });
    const data = { factorId, kind: record.kind };
    await deps.recordEvent(tx, { ...aboutOwn(user.id), type: 'user.factor_removed', data });
    await deps.notify(tx, user, { letter: 'factor_removed', kind: record.kind, language: fresh.language });
  });
}

/** Ten new ones; the former ones open nothing any more. */
export async function makeRecoveryCodes(deps: ChangeFactorsDeps, user: Person, fresh: Freshness): Promise<string[]> {
  return deps.inTransaction(async (tx) => {
    const held = await heldFreshly(deps, tx, user, fresh);
    if (!reachesSecondLevel(held.map(({ kind }) => kind)))
      throw new AppError('factors.none', { status: 409, detail: 'Recovery codes are for who has another factor.' });
    await deps.setFactors(tx, user.id, { kinds: held.map(({ kind }) => kind), at: deps.now() });
    await deps.notify(tx, user, { letter: 'recovery_codes_made', language: fresh.language });
    return newCodes(deps, tx, user.id);
  });
}

/** Of a person who goes, or whose account becomes another person's: all of them. Gives how many there were. */
export async function forgetFactors(deps: ChangeFactorsDeps, tx: Tx, userId: string): Promise<number> {
  const removed = await deps.store.removeAll(tx, userId);
  await deps.recoveryCodes.remove(tx, userId);
  await deps.emailCodes.remove(tx, userId);
  await endWaits(deps, tx, userId);
  if (removed > 0) await deps.setFactors(tx, userId, { kinds: [], at: deps.now() });
  return removed;
}

/**
 * Of an account that goes back to its owner: what was added since then may be of whoever had it meanwhile. What stood
 * before is asked for as always. Sign-ins under way and trusted browsers end.
 */
export async function forgetFactorsSince(deps: ChangeFactorsDeps, tx: Tx, userId: string, since: Date): Promise<void> {
  const held = await deps.store.list(userId, tx);
  await deps.store.removeMadeSince(tx, userId, since);
  const left = held.filter(({ createdAt }) => createdAt < since).map(({ kind }) => kind);
  if (reachesSecondLevel(left)) await deps.recoveryCodes.removeMadeSince(tx, userId, since);
  else await deps.recoveryCodes.remove(tx, userId);
  await deps.emailCodes.remove(tx, userId);
  await deps.setFactors(tx, userId, { kinds: [...new Set(left)], at: deps.now() });
  for (const { _id: factorId, kind, createdAt } of held) {
    if (createdAt < since) continue;
    if (kind === 'totp') await deps.attempts.remove(tx, subjectOf(userId, kind));
    await deps.recordEvent(tx, { ...aboutOwn(userId), type: 'user.factor_removed', data: { factorId, kind } });
  }
}

/** By whoever gives somebody an address that nobody has proven: nothing that is sent there stands in for a factor. */
export async function disallowEmailCodes(deps: ChangeFactorsDeps, tx: Tx, actor: Actor, user: User): Promise<void> {
  const held = await deps.store.list(user.id, tx);
  const record = held.find(({ kind }) => kind === 'email');
  if (!record) return;
  const { _id: factorId, kind } = record;
  await deps.store.remove(tx, user.id, factorId);
  await deps.emailCodes.remove(tx, user.id);
  const left = held.filter((each) => each !== record).map((each) => each.kind);
  await deps.setFactors(tx, user.id, { kinds: [...new Set(left)], at: deps.now() });
  const about = { tenantId: null, actor, subjectId: user.id };
  await deps.recordEvent(tx, { ...about, type: 'user.factor_removed', data: { factorId, kind } });
  await deps.notify(tx, user, { letter: 'factor_removed', kind });
}

/** Whoever has waited for too many wrong codes may try again. */
export async function endWaits(
  { attempts }: Pick<ChangeFactorsDeps, 'attempts'>,
  tx: Tx,
  userId: string,
): Promise<void> {
  for (const method of ['totp', 'recovery_code', 'email_code', 'email_sent'] as const)
    await attempts.remove(tx, subjectOf(userId, method));
}

/** By an operator, for who has lost them: from now on the password is all that is asked for. */
export async function resetFactors(deps: ChangeFactorsDeps, tx: Tx, actor: Actor, user: User): Promise<void> {
  const removed = await forgetFactors(deps, tx, user.id);
  if (removed === 0) return;
  await deps.recordEvent(tx, {
    ...{ type: 'user.factors_reset', tenantId: null, actor, subjectId: user.id, data: { removed } },
  });
  await deps.notify(tx, user, { letter: 'factors_reset' });
}

async function added(
  deps: ChangeFactorsDeps,
  tx: Tx,
  user: Person,
  { record, held, language }: { record: FactorRecord; held: readonly FactorRecord[]; language: Language | undefined },
): Promise<Added> {
  const before = held.map(({ kind }) => kind);
  const kinds = [...new Set([...before, record.kind])];
  // whoever adds at the same moment meets this write and looks again
  await deps.setFactors(tx, user.id, { kinds, at: deps.now() });
  const data = { factorId: record._id, kind: record.kind };
  await deps.recordEvent(tx, { ...aboutOwn(user.id), type: 'user.factor_added', data });
  await deps.notify(tx, user, { letter: 'factor_added', kind: record.kind, language });
  const isFirst = !reachesSecondLevel(before) && reachesSecondLevel(kinds);
  return { factor: toFactor(record), recoveryCodes: isFirst ? await newCodes(deps, tx, user.id) : null };
}

async function newCodes(deps: ChangeFactorsDeps, tx: Tx, userId: string): Promise<string[]> {
  await deps.attempts.remove(tx, subjectOf(userId, 'recovery_code')); // what was guessed at is gone
  await deps.recordEvent(tx, { ...aboutOwn(userId), type: 'user.recovery_codes_made' });
  return deps.recoveryCodes.replace(tx, userId, deps.now());
}

/** What they have in the moment of the change, of which they have just proven the strongest. */
async function heldFreshly(deps: ChangeFactorsDeps, tx: Tx, user: Person, fresh: Freshness): Promise<FactorRecord[]> {
  const held = await deps.store.list(user.id, tx);
  requireFresh(deps, held, fresh);
  return held;
}

/** Ways into an account are changed by who has just proven as much as they can; 403 for anybody else. */
export function requireFresh(
  { limits, now }: Pick<ChangeFactorsDeps, 'limits' | 'now'>,
  held: readonly Pick<FactorRecord, 'kind'>[],
  proven: Freshness,
): void {
  const isFresh = secondsAfter(proven.provenAt, limits.freshSeconds) >= now();
  const kinds = held.map(({ kind }) => kind);
  if (isFresh && isStrongest(kinds, proven)) return;
  throw new AppError('factors.fresh_proof_needed', {
    status: 403,
    detail:
      'Sign in again with your strongest factor, then try once more: this takes a proof that is no older than 10 minutes.',
  });
}

function newRecord({ now }: ChangeFactorsDeps, userId: string, kind: FactorKind, name: string): FactorRecord {
  return { _id: newId('fac'), userId, kind, name, createdAt: now(), lastUsedAt: null };
}

function enrolmentOf(factorId: string, secret: string, { email }: Person): TotpEnrolment {
  const uri = totpUri(secret, { issuer: 'Gatehouse', account: email });
  return { factorId, secret, uri, qr: drawQrCode(uri) };
}

function aboutOwn(userId: string): { tenantId: null; actor: Actor; subjectId: string } {
  return { tenantId: null, actor: { kind: 'user', userId }, subjectId: userId };
}

function hasAlready(): AppError {
  return new AppError('factors.exists', { status: 409, detail: 'There is one of this kind. Remove it first.' });
}

function emailRefused(): AppError {
  return new AppError('factors.email_refused', {
    status: 409,
    detail: 'An organisation that you belong to does not allow codes by e-mail.',
  });
}

function tooManyPasskeys(): AppError {
  return new AppError('factors.too_many', {
    status: 409,
    detail: 'That are as many passkeys as one account can have.',
  });
}

function noFactor(): AppError {
  return new AppError('factors.not_found', { status: 404, detail: 'There is no such factor.' });
}
