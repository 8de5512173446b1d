/**
 * Who somebody of a provider is here: an account, named by connection, issuer and subject and never by an address. Owns
 * `identities`. It does not decide who may link what (accounts), nor how somebody proves to be somebody
 * of a provider (connections).
 */
import type { Actor } from '../kernel/actor.js';
import { newId } from '../kernel/ids.js';
import type { Clock } from '../kernel/time.js';
import type { EventDraft, RecordEvent } from '../events/index.js';
import type { KeyRing } from '../platform/crypto/key-ring.js';
import type { Database } from '../platform/mongo/open-database.js';
import type { Tx } from '../platform/mongo/transactions.js';
import { createIdentityStore } from './identity-store.js';
import type { Identity, IdentityKey } from './identity.js';

export type { Identity, IdentityKey } from './identity.js';

export interface IdentitiesModule {
  /** Within a transaction: as it is there. */
  findIdentity(key: IdentityKey, tx?: Tx): Promise<Identity | null>;
  /** In the order in which they were linked. */
  listIdentitiesOf(userId: string, tx?: Tx): Promise<Identity[]>;
  /** Throws a duplicate key error when it opens an account already, whoever's. */
  linkIdentity(tx: Tx, actor: Actor, identity: IdentityKey & Pick<Identity, 'userId' | 'email'>): Promise<void>;
  unlinkIdentity(tx: Tx, actor: Actor, identity: Identity): Promise<void>;
  noteIdentityUse(identity: Identity): Promise<void>;
  /** Of a person who is deleted, or whose account was never theirs. */
  forgetIdentitiesOf(tx: Tx, userId: string): Promise<void>;
  forgetIdentitiesOfConnection(tx: Tx, connection: { tenantId: string; id: string }): Promise<void>;
}

export function identitiesModule(deps: {
  database: Database;
  keyRing: KeyRing;
  recordEvent: RecordEvent;
  now: Clock;
}): IdentitiesModule {
  const { sealing } = deps.keyRing;
  const store = createIdentityStore({ database: deps.database, sealing, hash: deps.keyRing.hashFor('identity') });
  return {
    findIdentity: store.find,
    listIdentitiesOf: store.listOfUser,
    async linkIdentity(tx, actor, wanted) {
      const { tenantId, connectionId, userId, issuer, subject, email } = wanted;
      const known = { tenantId, connectionId, userId, issuer, subject, email };
      const identity = { id: newId('ide'), ...known, linkedAt: deps.now(), lastUsedAt: null };
      await store.insert(tx, identity);
      await deps.recordEvent(tx, about('identity.linked', actor, identity));
    },
    async unlinkIdentity(tx, actor, identity) {
      await store.remove(tx, identity.tenantId, identity.id);
      await deps.recordEvent(tx, about('identity.unlinked', actor, identity));
    },
    noteIdentityUse: ({ tenantId, id }) => store.setUsedAt(tenantId, id, deps.now()),
    forgetIdentitiesOf: store.removeOfUser,
    forgetIdentitiesOfConnection: (tx, { tenantId, id }) => store.removeOfConnection(tx, tenantId, id),
  };
}

/** A fact of the person, who may be of other tenants than that of the connection. */
function about(
  type: 'identity.linked' | 'identity.unlinked',
  actor: Actor,
  { id, userId, connectionId }: Identity,
): EventDraft {
  return { type, tenantId: null, actor, subjectId: userId, data: { identityId: id, connectionId } };
}
