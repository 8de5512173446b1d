/**
 * People: one record across all tenants. Owns the `users` collection.
 * It does not own passwords and factors (credentials) nor what a person may do (memberships, access).
 */
import type { Actor } from '../kernel/actor.js';
import type { Clock } from '../kernel/time.js';
import type { RecordEvent } from '../events/index.js';
import type { KeyRing } from '../platform/crypto/key-ring.js';
import type { Database } from '../platform/mongo/open-database.js';
import type { Tx } from '../platform/mongo/transactions.js';
import { createUserStore } from './user-store.js';
import type { User } from './user.js';

export type { Profile, User } from './user.js';

export interface UsersModule {
  findUserById(id: string): Promise<User | null>;
  /** `email` in canonical form (`parseEmail`). */
  findUserByEmail(email: string): Promise<User | null>;
  isActiveUser(id: string): Promise<boolean>;
  createUser(tx: Tx, actor: Actor, user: User): Promise<void>;
  updateUser(tx: Tx, actor: Actor, user: User, changes: Partial<Omit<User, 'id' | 'createdAt'>>): Promise<void>;
  /** From now on what was proven with the former credentials is proven no more. */
  setCredentialsChangedAt(tx: Tx, userId: string, at: Date): Promise<void>;
  /** Whether a sign-in with the credentials of that time may still be finished. */
  confirmSignIn(tx: Tx, userId: string, credentialsChangedAt: Date | undefined): Promise<boolean>;
}

export function usersModule(deps: {
  database: Database;
  keyRing: KeyRing;
  recordEvent: RecordEvent;
  now: Clock;
}): UsersModule {
  const store = createUserStore({
    database: deps.database,
    sealing: deps.keyRing.sealing,
    emailHash: deps.keyRing.hashFor('user-email'),
  });
  return {
    findUserById: (id) => store.findById(id),
    findUserByEmail: (email) => store.findByEmail(email),
    isActiveUser: (id) => store.isActive(id),
    async createUser(tx, actor, user) {
      await store.insert(tx, user);
      await deps.recordEvent(tx, { type: 'user.created', tenantId: null, actor, subjectId: user.id });
    },
    async updateUser(tx, actor, user, changes) {
      await store.replace(tx, { ...user, ...changes });
      await deps.recordEvent(tx, {
        type: 'user.updated',
        tenantId: null,
        actor,
        subjectId: user.id,
        data: { changed: Object.keys(changes) },
      });
    },
    setCredentialsChangedAt: (tx, userId, at) => store.setCredentialsChangedAt(tx, userId, at),
    confirmSignIn: (tx, userId, credentialsChangedAt) =>
      store.setSignedInAt(tx, userId, { at: deps.now(), credentialsChangedAt }),
  };
}
