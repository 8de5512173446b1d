/**
 * What a person proves themselves with, today passwords; and how often that may be tried. Owns the collections
 * `passwords` and `sign_in_attempts`. It does not decide whether a login is finished (oidc, sign-in).
 */
import type { Actor } from '../kernel/actor.js';
import { addressPrefix } from '../kernel/client-address.js';
import type { Clock } from '../kernel/time.js';
import type { RecordEvent } from '../events/index.js';
import type { KeyRing } from '../platform/crypto/key-ring.js';
import type { Logger } from '../platform/log/logger.js';
import type { Database } from '../platform/mongo/open-database.js';
import type { Tx } from '../platform/mongo/transactions.js';
import { attemptOpener, type OpenAttempt } from './begin-attempt.js';
import { knownDevices, type KnownDevices, type Owner } from './known-devices.js';
import { createPasswordHashing, type HashParameters, type HashQueue } from './password-hashing.js';
import { createPasswordStore } from './password-store.js';
import type { AttemptLimits, Wait } from './sign-in-attempts.js';
import { createSignInAttemptsStore } from './sign-in-attempts-store.js';

export type { OpenAttempt } from './begin-attempt.js';
export type { Wait } from './sign-in-attempts.js';

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

export interface CredentialsModule {
  /** Slow by design; done before a transaction, never inside. */
  hashPassword(password: string): Promise<string>;
  /** Ends what the former password opened: sessions, grants, sign-ins under way, known browsers. */
  setPasswordHash(tx: Tx, actor: Actor, userId: string, hash: string): Promise<void>;
  /**
   * Whether this is the user's password. `null` stands for an unknown user and costs the same, so that the time of
   * the answer does not tell whether an account exists.
   */
  verifyPassword(userId: string | null, password: string): Promise<boolean>;
  /** Does a whole sign-in, or refuses it with 503 when too many are under way. */
  inLine<T>(signIn: () => Promise<T>): Promise<T>;
  /** Counts a try before anything is verified, or refuses it while a wait runs. */
  beginAttempt(signIn: AttemptedSignIn): Promise<OpenAttempt | { admitted: false; wait: Wait }>;
  knownDevices: Pick<KnownDevices, 'mark' | 'lifetimeSeconds'>;
  ensureIndexes(): Promise<void>;
}

export interface CredentialsDeps {
  /** Sessions and grants of the user. */
  endAllOf(tx: Tx, actor: Actor, userId: string, reason: 'password_changed'): Promise<void>;
  setCredentialsChangedAt(tx: Tx, userId: string, at: Date): Promise<void>;
  database: Database;
  recordEvent: RecordEvent;
  now: Clock;
  log: Logger;
  keyRing: KeyRing;
  passwords: HashQueue & { maximumLength: number; hash: HashParameters };
  attempts: AttemptLimits & { knownDeviceSeconds: number };
}

export async function credentialsModule(deps: CredentialsDeps): Promise<CredentialsModule> {
  const hashing = createPasswordHashing(deps.passwords.hash, deps.passwords);
  const store = createPasswordStore(deps.database);
  const hashOfNobody = await hashing.hash('nobody has this password');
  const attemptStore = createSignInAttemptsStore(deps.database);
  const openAttempt = attemptOpener({ store: attemptStore, limits: deps.attempts, now: deps.now });
  const subjectHash = deps.keyRing.hashFor('sign-in-subject');
  const devices = knownDevices({
    hash: deps.keyRing.hashFor('known-device'),
    lifetimeSeconds: deps.attempts.knownDeviceSeconds,
    now: deps.now,
  });

  /** A sign-in is never lost over this: it is tried again at the next one. */
  async function strengthen(userId: string, stored: string, password: string): Promise<void> {
    try {
      await store.strengthen(userId, stored, await hashing.hash(password));
    } catch (error) {
      deps.log.warn({ err: error, userId }, 'a password hash could not be strengthened');
    }
  }

  return {
    hashPassword: (password) => hashing.hash(password),
    async setPasswordHash(tx, actor, userId, hash) {
      const at = deps.now();
      await store.set(tx, userId, hash, at);
      await deps.setCredentialsChangedAt(tx, userId, at);
      await deps.endAllOf(tx, actor, userId, 'password_changed');
      await attemptStore.remove(tx, userId); // what was guessed at is gone
      await deps.recordEvent(tx, { type: 'user.password_changed', tenantId: null, actor, subjectId: userId });
    },
    async verifyPassword(userId, password) {
      if ([...password].length > deps.passwords.maximumLength) return false;
      // looked up for nobody too: the time of the answer must not depend on whether there is an account
      const stored = await store.find(userId ?? 'nobody');
      const matches = await hashing.verify(stored ?? hashOfNobody, password);
      if (!matches || stored === null || userId === null) return false;
      if (hashing.isOutdated(stored)) await strengthen(userId, stored, password);
      return true;
    },
    inLine: hashing.inLine,
    async beginAttempt({ user, name, address, device }) {
      const mark = devices.findMark(device, user ?? { id: 'nobody' });
      return openAttempt(user?.id ?? subjectHash('name', name), {
        key: mark === null ? subjectHash('address', addressPrefix(address)) : subjectHash('device', mark),
        isKnownDevice: mark !== null,
      });
    },
    knownDevices: devices,
    ensureIndexes: () => attemptStore.ensureIndexes(),
  };
}
