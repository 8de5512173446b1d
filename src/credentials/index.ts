/**
 * What a person proves themselves with; today passwords. Owns the `passwords` collection.
 * It does not decide whether a login is finished (oidc, sign-in).
 */
import type { Actor } from '../kernel/actor.js';
import type { Clock } from '../kernel/time.js';
import type { RecordEvent } from '../events/index.js';
import type { Logger } from '../platform/log/logger.js';
import type { Database } from '../platform/mongo/open-database.js';
import type { Tx } from '../platform/mongo/transactions.js';
import { createPasswordHashing, type HashParameters } from './password-hashing.js';
import { createPasswordStore } from './password-store.js';

export interface CredentialsModule {
  /** Slow by design; done before a transaction, never inside. */
  hashPassword(password: string): Promise<string>;
  setPasswordHash(tx: Tx, actor: Actor, userId: string, hash: string): Promise<void>;
  /**
   * Whether this is the user's password. `null` stands for an unknown user and costs the same, so that the time of
   * the answer does not tell whether an account exists.
   */
  verifyPassword(userId: string | null, password: string): Promise<boolean>;
}

export interface CredentialsDeps {
  database: Database;
  recordEvent: RecordEvent;
  now: Clock;
  log: Logger;
  passwords: { maximumLength: number; hash: HashParameters; waitingHashes: number };
}

export async function credentialsModule(deps: CredentialsDeps): Promise<CredentialsModule> {
  const hashing = createPasswordHashing(deps.passwords.hash, deps.passwords.waitingHashes);
  const store = createPasswordStore(deps.database);
  const hashOfNobody = await hashing.hash('nobody has this password');

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
      await store.set(tx, userId, hash, deps.now());
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
  };
}
