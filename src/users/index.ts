/**
 * People: one record across all tenants. Owns the `users` collection.
 * It does not own passwords and factors (credentials) nor what a person may do (memberships, access).
 */
import type { Actor } from '../kernel/actor.js';
import type { Clock } from '../kernel/time.js';
import type { RecordEvent } from '../events/index.js';
import type { KeyRing } from '../platform/crypto/key-ring.js';
import type { Database } from '../platform/mongo/open-database.js';
import type { Page } from '../platform/mongo/page.js';
import type { Tx } from '../platform/mongo/transactions.js';
import { createUserStore, type ConfirmedSignIn, type ProvenCredentials } from './user-store.js';
import type { AcceptedTerms, Deletion, User } from './user.js';

export type { AcceptedTerms, Deletion, Profile, User } from './user.js';
export type { ConfirmedSignIn, ProvenCredentials } from './user-store.js';

export interface UsersModule {
  /** Within a transaction: as it is there. */
  findUserById(id: string, tx?: Tx): Promise<User | null>;
  /** In no order. */
  findUsersByIds(ids: readonly string[]): Promise<User[]>;
  listUsers(page: Page): Promise<User[]>;
  /** `email` in canonical form (`parseEmail`). */
  findUserByEmail(email: string): Promise<User | null>;
  isActiveUser(id: string): Promise<boolean>;
  /** Which factors somebody has; null for nobody, and for who may not act. */
  findFactorKinds(id: string): Promise<readonly string[] | null>;
  createUser(tx: Tx, actor: Actor, user: User): Promise<void>;
  updateUser(tx: Tx, actor: Actor, user: User, changes: Partial<Omit<User, 'id' | 'createdAt'>>): Promise<void>;
  deleteUser(tx: Tx, actor: Actor, user: User): Promise<void>;
  /** With the status that goes with it. Null: not to be deleted any more. */
  setUserDeletion(tx: Tx, actor: Actor, user: User, deletion: Deletion | null): Promise<void>;
  /** Whom this takes back what they had asked for. */
  findUserByDeletionToken(token: string): Promise<User | null>;
  hashDeletionToken(token: string): string;
  listUsersToDelete(now: Date, limit: number): Promise<string[]>;
  /** False: there is nobody of this id. The transaction and a deletion of the person cannot both go through. */
  holdUser(tx: Tx, id: string): Promise<boolean>;
  /** From now on what was proven with the former credentials is proven no more. */
  setCredentialsChangedAt(tx: Tx, userId: string, at: Date): Promise<void>;
  /** From now on these are asked for, and sign-ins under way that were not asked for them fail. */
  setFactors(tx: Tx, userId: string, factors: { kinds: readonly string[]; at: Date }): Promise<void>;
  acceptPlatformTerms(tx: Tx, actor: Actor, userId: string, terms: AcceptedTerms): Promise<void>;
  /** Every browser in which they gave a factor is a stranger from now on. */
  forgetTrustedBrowsers(tx: Tx, userId: string): Promise<void>;
  /** Of who signs in; null where it may not be finished with the credentials of that time, or they may not act. */
  confirmSignIn(tx: Tx, userId: string, proven: ProvenCredentials): Promise<ConfirmedSignIn | null>;
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
  const hashDeletionToken = deps.keyRing.hashFor('user-deletion');
  return {
    findUserById: store.findById,
    findUsersByIds: store.findByIds,
    listUsers: store.list,
    findUserByEmail: (email) => store.findByEmail(email),
    isActiveUser: async (id) => (await store.findFactorKinds(id)) !== null,
    findFactorKinds: store.findFactorKinds,
    async createUser(tx, actor, user) {
      await store.insert(tx, user);
      await deps.recordEvent(tx, { type: 'user.created', tenantId: null, actor, subjectId: user.id });
    },
    async updateUser(tx, actor, user, changes) {
      await store.replace(tx, { ...user, ...changes });
      const { status } = changes;
      await deps.recordEvent(tx, {
        type: status === undefined || status === user.status ? 'user.updated' : statusEvents[status],
        tenantId: null,
        actor,
        subjectId: user.id,
        data: { changed: Object.keys(changes) },
      });
    },
    async setUserDeletion(tx, actor, user, deletion) {
      const status = deletion ? 'disabled' : 'active';
      await store.setDeletion(tx, user.id, deletion);
      await store.replace(tx, { ...user, status, updatedAt: deps.now() });
      const type = deletion ? 'user.deletion_requested' : 'user.deletion_cancelled';
      const data = deletion ? { dueAt: deletion.dueAt.toISOString() } : {};
      await deps.recordEvent(tx, { type, tenantId: null, actor, subjectId: user.id, data });
    },
    findUserByDeletionToken: (token) => store.findByDeletionToken(hashDeletionToken(token)),
    hashDeletionToken: (token) => hashDeletionToken(token),
    ...{ listUsersToDelete: store.listToDelete, holdUser: store.hold },
    async deleteUser(tx, actor, { id }) {
      await store.remove(tx, id);
      await deps.recordEvent(tx, { type: 'user.deleted', tenantId: null, actor, subjectId: id });
    },
    setCredentialsChangedAt: (tx, userId, at) => store.setCredentialsChangedAt(tx, userId, at),
    setFactors: (tx, userId, factors) => store.setFactors(tx, userId, factors),
    async acceptPlatformTerms(tx, actor, userId, terms) {
      await store.setAcceptedTerms(tx, userId, terms);
      const data = { version: terms.version, uri: terms.uri };
      await deps.recordEvent(tx, { type: 'user.terms_accepted', tenantId: null, actor, subjectId: userId, data });
    },
    forgetTrustedBrowsers: (tx, userId) => store.setBrowsersTrustedSince(tx, userId, deps.now()),
    confirmSignIn: (tx, userId, proven) => store.setSignedInAt(tx, userId, deps.now(), proven),
  };
}

const statusEvents = { active: 'user.enabled', disabled: 'user.disabled' } as const;
