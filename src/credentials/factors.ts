import type { RecordEvent } from '../events/index.js';
import type { Actor } from '../kernel/actor.js';
import { readerOf } from '../kernel/languages.js';
import type { Clock } from '../kernel/time.js';
import type { KeyRing } from '../platform/crypto/key-ring.js';
import { ensureOneTimeIndexes, oneTimeRecords } from '../platform/mongo/one-time-records.js';
import type { Outbox } from '../platform/mail/outbox.js';
import type { Database } from '../platform/mongo/open-database.js';
import type { InTransaction, Tx } from '../platform/mongo/transactions.js';
import type { User } from '../users/index.js';
import { withoutEmailCodes } from './assurance.js';
import { attemptOpener } from './begin-attempt.js';
import {
  addPasskey,
  allowEmailCodes,
  beginTotp,
  confirmTotp,
  disallowEmailCodes,
  endWaits,
  forgetFactors,
  forgetFactorsSince,
  makeRecoveryCodes,
  removeFactor,
  requireFresh,
  renameFactor,
  resetFactors,
  type Added,
  type ChangeFactorsDeps,
  type TotpEnrolment,
} from './change-factors.js';
import { createEmailCodeStore } from './email-code-store.js';
import type { Factor, FactorLimits, Freshness } from './factor.js';
import { createFactorStore, toFactor } from './factor-store.js';
import { passkeyTickets } from './passkey-tickets.js';
import { createPasskeys, type PasskeyAnswer, type Passkeys } from './passkeys.js';
import {
  proveCode,
  sendEmailCode,
  type CodeAsked,
  type CodeResult,
  type ProveCodeDeps,
  type TypedCode,
} from './prove-code.js';
import { createRecoveryCodeStore } from './recovery-code-store.js';
import type { AttemptLimits, Wait } from './sign-in-attempts.js';
import { createSignInAttemptsStore } from './sign-in-attempts-store.js';
import { limitsFor, refusesEmailCodes, type TenantsOfPersonDeps } from './tenants-of-person.js';
import { trustedDevices, type TrustedDevices } from './trusted-devices.js';

/**
 * Second factors and passkeys of people. What a person changes of their own takes how fresh the caller's proof is, and
 * is refused where that is not enough.
 */
export interface FactorsModule {
  /** Those that count, oldest first. */
  listFactors(userId: string): Promise<Factor[]>;
  countRecoveryCodes(userId: string): Promise<number>;
  /** Kinds that a sign-in asks for. */
  kindsThatCount(user: Pick<User, 'id' | 'factorKinds'>): Promise<readonly string[]>;
  /** Whether a tenant of the person refuses codes by e-mail. */
  refusesEmailCodes(userId: string): Promise<boolean>;

  /** Whether a code is good, once; wrong ones are counted by person and method. */
  proveCode(user: User, typed: TypedCode): Promise<CodeResult>;
  /** To the person's own address. Gives the wait where too many were sent. */
  sendEmailCode(user: User, asked: CodeAsked): Promise<Wait | null>;
  passkeys: Passkeys;
  trustedDevices: TrustedDevices;
  /** By their person: none of their browsers stands in for a factor any more. */
  forgetTrustedDevices(user: Pick<User, 'id'>): Promise<void>;

  /** Throws 403 unless they have just proven as much as they can; for whatever else changes the ways into their account. */
  requireFresh(userId: string, fresh: Freshness): Promise<void>;
  beginTotp(user: User, fresh: Freshness, pendingId?: string): Promise<TotpEnrolment>;
  confirmTotp(user: User, fresh: Freshness, answer: { factorId: string; code: string }): Promise<Added | null>;
  addPasskey(user: User, fresh: Freshness, answer: PasskeyAnswer & { name: string }): Promise<Added | null>;
  allowEmailCodes(user: User, fresh: Freshness): Promise<Factor>;
  renameFactor(user: Pick<User, 'id'>, factorId: string, name: string): Promise<void>;
  removeFactor(user: User, fresh: Freshness, factorId: string): Promise<void>;
  makeRecoveryCodes(user: User, fresh: Freshness): Promise<string[]>;
  /** By an operator; the person is told. */
  resetFactors(tx: Tx, actor: Actor, user: User): Promise<void>;
  /** By an operator, of an address that nobody has proven; the person is told at the one before. */
  disallowEmailCodes(tx: Tx, actor: Actor, user: User): Promise<void>;
  /** That was sent to an address which is not theirs any more. */
  forgetEmailCode(tx: Tx, userId: string): Promise<void>;
  /** Codes may be tried and sent again. */
  endWaits(tx: Tx, userId: string): Promise<void>;
  /** Of a person who goes, or whose account becomes another person's. */
  forgetFactors(tx: Tx, userId: string): Promise<void>;
  /** Of an account that its owner gets back: those added since then, with what they have let in. */
  forgetFactorsSince(tx: Tx, userId: string, since: Date): Promise<void>;
  ensureIndexes(): Promise<void>;
}

export interface FactorsDeps extends TenantsOfPersonDeps {
  issuer: string;
  database: Database;
  inTransaction: InTransaction;
  recordEvent: RecordEvent;
  now: Clock;
  keyRing: KeyRing;
  limits: FactorLimits & {
    /** Wrong codes of one person and method; only `source` and `consecutive` count here. */
    attempts: AttemptLimits;
    /** Codes by e-mail to one person. */
    sendings: AttemptLimits;
  };
  findUserById(id: string): Promise<User | null>;
  setFactors(tx: Tx, userId: string, factors: { kinds: readonly string[]; at: Date }): Promise<void>;
  forgetTrustedBrowsers(tx: Tx, userId: string): Promise<void>;
  queueMail: Outbox['queueMail'];
}

const usedChallenges = 'used_challenges';

export function factorsModule(deps: FactorsDeps): FactorsModule {
  const { database, keyRing, now, limits } = deps;
  const { sealing } = keyRing;
  const store = createFactorStore(database);
  const recoveryCodes = createRecoveryCodeStore(database, keyRing.hashFor('recovery-code'));
  const emailCodes = createEmailCodeStore({ database, now, limits, hash: keyRing.hashFor('email-code') });
  const attempts = createSignInAttemptsStore(database);
  const used = oneTimeRecords(usedChallenges, { database, sealing, now, hash: keyRing.hashFor('passkey-challenge') });
  const tickets = passkeyTickets({
    ...{ used, now, challengeSeconds: limits.challengeSeconds },
    hash: keyRing.hashFor('passkey-ticket'),
  });
  const passkeys = createPasskeys({ ...deps, store, tickets, challengeSeconds: limits.challengeSeconds });
  const notify: ChangeFactorsDeps['notify'] = (tx, { email: to, profile }, { letter: name, kind, language }) =>
    deps.queueMail(tx, { to, name, reader: readerOf(profile, language), values: kind ? { kind } : {}, path: '/' });
  const sendCode: ProveCodeDeps['sendCode'] = (tx, { email: to, profile }, { code, language }) =>
    deps.queueMail(tx, { to, name: 'sign_in_code', reader: readerOf(profile, language), values: { code }, path: '/' });
  const changing = { ...deps, notify, sealing, store, recoveryCodes, emailCodes, attempts, passkeys };
  const proving = {
    ...changing,
    sendCode,
    openAttempt: attemptOpener({
      ...{ store: attempts, limits: limits.attempts, now },
      limitsFor: (userId) => limitsFor(deps, limits.attempts, userId),
    }),
    openSending: attemptOpener({
      ...{ store: attempts, limits: limits.sendings, now },
      limitsFor: async () => limits.sendings,
    }),
  };

  return {
    listFactors: async (userId) => (await store.list(userId)).map(toFactor),
    countRecoveryCodes: recoveryCodes.count,
    ...{ ...emailCodeRules(deps), forgetEmailCode: emailCodes.remove },
    proveCode: (user, typed) => proveCode(proving, user, typed),
    sendEmailCode: (user, asked) => sendEmailCode(proving, user, asked),
    passkeys,
    trustedDevices: trustedDevices({
      ...{ now, lifetimeSeconds: limits.trustedDeviceSeconds, hash: keyRing.hashFor('trusted-device') },
    }),
    forgetTrustedDevices: ({ id }) => forgetTrustedDevices(deps, id),
    beginTotp: (user, fresh, pendingId) => beginTotp(changing, user, fresh, pendingId),
    confirmTotp: (user, fresh, answer) => confirmTotp(changing, user, fresh, answer),
    addPasskey: (user, fresh, answer) => addPasskey(changing, user, fresh, answer),
    allowEmailCodes: (user, fresh) => allowEmailCodes(changing, user, fresh),
    renameFactor: (user, factorId, name) => renameFactor(changing, user, factorId, name),
    requireFresh: async (userId, fresh) => requireFresh(deps, await store.list(userId), fresh),
    removeFactor: (user, fresh, factorId) => removeFactor(changing, user, fresh, factorId),
    makeRecoveryCodes: (user, fresh) => makeRecoveryCodes(changing, user, fresh),
    resetFactors: (tx, actor, user) => resetFactors(changing, tx, actor, user),
    disallowEmailCodes: (tx, actor, user) => disallowEmailCodes(changing, tx, actor, user),
    endWaits: (tx, userId) => endWaits(changing, tx, userId),
    forgetFactorsSince: (tx, userId, since) => forgetFactorsSince(changing, tx, userId, since),
    forgetFactors: async (tx, userId) => void (await forgetFactors(changing, tx, userId)),
    async ensureIndexes() {
      await Promise.all([store.ensureIndexes(), emailCodes.ensureIndexes()]);
      await ensureOneTimeIndexes(database, usedChallenges);
    },
  };
}

function emailCodeRules(deps: TenantsOfPersonDeps): Pick<FactorsModule, 'refusesEmailCodes' | 'kindsThatCount'> {
  return {
    refusesEmailCodes: (userId) => refusesEmailCodes(deps, userId),
    async kindsThatCount({ id, factorKinds = [] }) {
      const isRefused = factorKinds.includes('email') && (await refusesEmailCodes(deps, id));
      return isRefused ? withoutEmailCodes(factorKinds) : factorKinds;
    },
  };
}

async function forgetTrustedDevices(deps: FactorsDeps, userId: string): Promise<void> {
  const about = { tenantId: null, actor: { kind: 'user', userId }, subjectId: userId } as const;
  await deps.inTransaction(async (tx) => {
    await deps.forgetTrustedBrowsers(tx, userId);
    await deps.recordEvent(tx, { ...about, type: 'user.trusted_browsers_forgotten' });
  });
}
