/**
 * What a person proves themselves with: passwords, authenticator apps, passkeys, recovery codes, codes by e-mail; how
 * often that may be tried; and when a login is finished (`assurance.ts`). Owns the collections `passwords`,
 * `sign_in_attempts`, `factors`, `recovery_codes`, `email_codes` and `used_challenges`.
 */
import type { Actor } from '../kernel/actor.js';
import { addressPrefix } from '../kernel/client-address.js';
import type { Clock } from '../kernel/time.js';
import type { RecordEvent } from '../events/index.js';
import type { KeyRing } from '../platform/crypto/key-ring.js';
import type { Logger } from '../platform/log/logger.js';
import type { Database } from '../platform/mongo/open-database.js';
import type { Tx } from '../platform/mongo/transactions.js';
import {
  amrOf,
  federatedProof,
  isLevel,
  isLoginFinished,
  isStrongest,
  levelOf,
  levels,
  passwordProof,
  reaches,
  reachesSecondLevel,
  restsOnEmail,
  trustedDeviceProof,
} from './assurance.js';
import { attemptOpener, type OpenAttempt } from './begin-attempt.js';
import { parseImportedHash } from './imported-hashes.js';
import { knownDevices, type KnownDevices, type Owner } from './known-devices.js';
import { createPasswordHashing, type HashParameters, type HashQueue } from './password-hashing.js';
import { forgetFormerPasswords, historyOf, problemOfFormer, type PasswordHistoryDeps } from './password-history.js';
import { lengthOf, type PasswordProblem } from './password-rules.js';
import { createPasswordStore, type PasswordStore } from './password-store.js';
import { rulesOfOwner, type PasswordOwner, type RulesOfOwnerDeps } from './rules-of-owner.js';
import type { AttemptLimits, Wait } from './sign-in-attempts.js';
import { createSignInAttemptsStore, type SignInAttemptsStore } from './sign-in-attempts-store.js';
import { limitsFor } from './tenants-of-person.js';

export type { Level, Proof } from './assurance.js';
export { readPasswordBlockList } from './password-block-list.js';
export type { OpenAttempt } from './begin-attempt.js';
export type { Added, TotpEnrolment } from './change-factors.js';
export type { CodeMethod, Factor, FactorKind, Freshness } from './factor.js';
export { factorsModule, type FactorsModule } from './factors.js';
export type { PasskeyCeremony } from './passkeys.js';
export type { PasswordProblem } from './password-rules.js';
export type { CodeResult } from './prove-code.js';
export type { PasswordOwner } from './rules-of-owner.js';
export type { Wait } from './sign-in-attempts.js';

/** The rules about what was proven, for who decides by them: the pages and the policy of the protocol. */
export const assurance = {
  ...{ levels, isLevel, reaches, levelOf, amrOf, isLoginFinished, isStrongest, reachesSecondLevel, restsOnEmail },
  ...{ passwordProof, federatedProof, trustedDeviceProof },
};
export type Assurance = typeof assurance;

/** Whose account somebody tries to enter, and from where. */
export interface AttemptedSignIn {
  /** Null for a name that nobody has; such names are counted by the same rules. */
  user: Owner | null;
  /** In its one spelling. */
  name: string;
  /** Client address, as the edge pinned it. */
  address: string;
  /** The cookie of `knownDevices`, as it came. */
  device: string | undefined;
}

/** What a new password of one person has to fulfil. */
export interface RulesForPerson {
  minimumLength: number;
  /** Null: it may be taken. Where a tenant asks for a history, it is hashed once for each of these. */
  problemOf(password: string): Promise<PasswordProblem | null>;
}

export interface CredentialsModule {
  /** What a new password of this person has to fulfil: the strictest of the platform and of all their tenants. */
  passwordRulesFor(owner: PasswordOwner): Promise<RulesForPerson>;
  /** Whether a hash that another system made can be taken over: argon2id, bcrypt, scrypt or PBKDF2, within bounds. */
  isUsableHash(hash: string): boolean;
  /** Whether the present password came by this hash. */
  isImportOf(userId: string, hash: string): Promise<boolean>;
  /** Slow by design; done before a transaction, never inside. */
  hashPassword(password: string): Promise<string>;
  /** Ends what the former password opened: sessions, grants, sign-ins under way, known browsers. */
  setPasswordHash(tx: Tx, actor: Actor, userId: string, hash: string): Promise<void>;
  /** The same, done by the person in a session that is kept with what it has opened. Gives from when it counts. */
  changePasswordHash(tx: Tx, changed: { userId: string; hash: string; keptSessionUid: string }): Promise<Date>;
  /** The password opens nothing until there is another one; ends what it has opened, as a new one would. */
  requirePasswordReset(tx: Tx, actor: Actor, userId: string): Promise<void>;
  /** Deletes former passwords that no tenant of their person asks for any more. Gives of how many people. */
  forgetFormerPasswords(isOver?: () => boolean): Promise<number>;
  /** Of an account that becomes another person's: nothing that opened it opens it any more. */
  dropCredentials(tx: Tx, actor: Actor, userId: string): Promise<void>;
  /** Whether there is one that opens the account. */
  hasPassword(tx: Tx, userId: string): Promise<boolean>;
  /** Whoever has waited for too many wrong passwords, or was stopped, may try again. */
  endWaits(tx: Tx, userId: string): Promise<void>;
  /** Of a person who is deleted, or of an account that was never theirs who made it. */
  forgetCredentials(tx: Tx, userId: string): Promise<void>;
  /**
   * Whether this is the user's password. `null` stands for an unknown user and costs the same, so that the time of
   * the answer does not tell whether an account exists.
   */
  verifyPassword(userId: string | null, password: string): Promise<boolean>;
  /** Does a whole sign-in, or refuses it with 503 when too many are under way. */
  inLine<T>(signIn: () => Promise<T>): Promise<T>;
  /** Counts a try before anything is verified, or refuses it while a wait runs. */
  beginAttempt(signIn: AttemptedSignIn): Promise<OpenAttempt | { admitted: false; wait: Wait }>;
  knownDevices: KnownDevices;
  ensureIndexes(): Promise<void>;
}

export interface CredentialsDeps extends RulesOfOwnerDeps {
  /** Sessions and grants of the user. */
  endAllOf(tx: Tx, actor: Actor, userId: string, reason: 'password_changed'): Promise<void>;
  endOthersOf(
    tx: Tx,
    actor: Actor,
    kept: { userId: string; sessionUid: string },
    reason: 'password_changed',
  ): Promise<void>;
  setCredentialsChangedAt(tx: Tx, userId: string, at: Date): Promise<void>;
  forgetFactors(tx: Tx, userId: string): Promise<void>;
  forgetIdentities(tx: Tx, userId: string): Promise<void>;
  database: Database;
  recordEvent: RecordEvent;
  now: Clock;
  log: Logger;
  keyRing: KeyRing;
  passwords: HashQueue & {
    minimumLength: number;
    maximumLength: number;
    history: number;
    historyCheckSeconds: number;
    hash: HashParameters;
  };
  attempts: AttemptLimits & { knownDeviceSeconds: number };
}

export async function credentialsModule(deps: CredentialsDeps): Promise<CredentialsModule> {
  const hashing = createPasswordHashing(deps.passwords.hash, deps.passwords);
  const store = createPasswordStore(deps.database);
  const hashOfNobody = await hashing.hash('nobody has this password');
  const importHash = deps.keyRing.hashFor('imported-password');
  const attemptStore = createSignInAttemptsStore(deps.database);

  /** A sign-in is never lost over this: it is tried again at the next one. */
  async function strengthen(userId: string, stored: string, password: string): Promise<void> {
    const warn = (err: unknown): void => deps.log.warn({ err, userId }, 'a password hash could not be strengthened');
    await hashing
      .hash(password)
      .then((hash) => store.strengthen(userId, stored, hash))
      .catch(warn);
  }

  const history = { ...deps, store, hashing };
  const importMark = (hash: string): string | null => (hashing.isOutdated(hash) ? importHash(hash) : null);
  const replaceHash = hashReplacer({ ...deps, history, attempts: attemptStore, importMark });

  return {
    passwordRulesFor: (owner) => rulesForPerson(deps, history, owner),
    forgetFormerPasswords: (isOver) => forgetFormerPasswords(history, isOver),
    isUsableHash: (hash) => parseImportedHash(hash) !== null,
    isImportOf: async (userId, hash) => (await store.findImported(userId)) === importHash(hash),
    hashPassword: (password) => hashing.hash(password),
    async setPasswordHash(tx, actor, userId, hash) {
      await replaceHash(tx, actor, userId, hash);
      await deps.endAllOf(tx, actor, userId, 'password_changed');
    },
    async changePasswordHash(tx, { userId, hash, keptSessionUid: sessionUid }) {
      const changedAt = await replaceHash(tx, { kind: 'user', userId }, userId, hash);
      await deps.endOthersOf(tx, { kind: 'user', userId }, { userId, sessionUid }, 'password_changed');
      return changedAt;
    },
    async requirePasswordReset(tx, actor, userId) {
      await store.requireReset(tx, userId);
      await deps.setCredentialsChangedAt(tx, userId, deps.now());
      await deps.endAllOf(tx, actor, userId, 'password_changed');
      await deps.recordEvent(tx, { type: 'user.password_reset_required', tenantId: null, actor, subjectId: userId });
    },
    ...forgetting(deps, store, attemptStore),
    endWaits: attemptStore.remove,
    hasPassword: async (tx, userId) => (await store.find(userId, tx)) !== null,
    async verifyPassword(userId, password) {
      if (lengthOf(password) > deps.passwords.maximumLength) return false;
      // looked up for nobody too: the time of the answer must not depend on whether there is an account
      const stored = await store.find(userId ?? 'nobody');
      const matches = await hashing.verify(stored ?? hashOfNobody, password);
      if (!matches || stored === null || userId === null) return false;
      if (hashing.isOutdated(stored)) await strengthen(userId, stored, password);
      return true;
    },
    inLine: hashing.inLine,
    ...countedAttempts(deps, attemptStore),
    async ensureIndexes() {
      await store.ensureIndexes();
      await attemptStore.ensureIndexes();
    },
  };
}

async function rulesForPerson(
  deps: RulesOfOwnerDeps,
  history: PasswordHistoryDeps,
  owner: PasswordOwner,
): Promise<RulesForPerson> {
  const { minimumLength, problemOf, history: size } = await rulesOfOwner(deps, owner);
  const former = { userId: owner.userId, history: size };
  return {
    minimumLength,
    problemOf: async (password) => problemOf(password) ?? (await problemOfFormer(history, former, password)),
  };
}

function forgetting(
  deps: CredentialsDeps,
  store: PasswordStore,
  attempts: SignInAttemptsStore,
): Pick<CredentialsModule, 'forgetCredentials' | 'dropCredentials'> {
  async function forgetCredentials(tx: Tx, userId: string): Promise<void> {
    await store.remove(tx, userId);
    await attempts.remove(tx, userId);
    await deps.forgetFactors(tx, userId);
    await deps.forgetIdentities(tx, userId);
  }

  return {
    forgetCredentials,
    async dropCredentials(tx, actor, userId) {
      await forgetCredentials(tx, userId);
      await deps.setCredentialsChangedAt(tx, userId, deps.now());
      await deps.endAllOf(tx, actor, userId, 'password_changed');
    },
  };
}

function countedAttempts(
  deps: CredentialsDeps,
  store: SignInAttemptsStore,
): Pick<CredentialsModule, 'beginAttempt' | 'knownDevices'> {
  const openAttempt = attemptOpener({
    ...{ store, limits: deps.attempts, now: deps.now },
    limitsFor: (userId) => limitsFor(deps, deps.attempts, userId),
  });
  const subjectHash = deps.keyRing.hashFor('sign-in-subject');
  const devices = knownDevices({
    hash: deps.keyRing.hashFor('known-device'),
    lifetimeSeconds: deps.attempts.knownDeviceSeconds,
    now: deps.now,
  });
  return {
    async beginAttempt({ user, name, address, device }) {
      const mark = devices.findMark(device, user ?? { id: 'nobody' });
      const source = {
        key: mark === null ? subjectHash('address', addressPrefix(address)) : subjectHash('device', mark),
        isKnownDevice: mark !== null,
      };
      return openAttempt(user?.id ?? subjectHash('name', name), source, user?.id ?? null);
    },
    knownDevices: devices,
  };
}

function hashReplacer(
  deps: Pick<CredentialsDeps, 'now' | 'setCredentialsChangedAt' | 'recordEvent'> & {
    history: PasswordHistoryDeps;
    attempts: SignInAttemptsStore;
    importMark(hash: string): string | null;
  },
): (tx: Tx, actor: Actor, userId: string, hash: string) => Promise<Date> {
  return async (tx, actor, userId, hash) => {
    const at = deps.now();
    const history = await historyOf(deps.history, userId, tx);
    await deps.history.store.set(tx, userId, { hash, imported: deps.importMark(hash), history }, at);
    await deps.setCredentialsChangedAt(tx, userId, at);
    await deps.attempts.remove(tx, userId); // what was guessed at is gone
    await deps.recordEvent(tx, { type: 'user.password_changed', tenantId: null, actor, subjectId: userId });
    return at;
  };
}
