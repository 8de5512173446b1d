/**
 * Who belongs to which tenant with which roles. Owns the `memberships` collection.
 * It does not decide what a role allows (roles, access).
 */
import type { Actor } from '../kernel/actor.js';
import type { RecordEvent } from '../events/index.js';
import type { Database } from '../platform/mongo/open-database.js';
import type { Tx } from '../platform/mongo/transactions.js';
import { createMembershipStore } from './membership-store.js';
import type { Membership } from './membership.js';

export type { Membership } from './membership.js';

export interface MembershipsModule {
  findMembership(tenantId: string, userId: string): Promise<Membership | null>;
  listMembershipsOfUser(userId: string): Promise<Membership[]>;
  addMembership(tx: Tx, actor: Actor, membership: Membership): Promise<void>;
  setMembershipRoles(tx: Tx, actor: Actor, membership: Membership, roles: readonly string[]): Promise<void>;
}

export function membershipsModule(deps: { database: Database; recordEvent: RecordEvent }): MembershipsModule {
  const store = createMembershipStore(deps.database);
  return {
    findMembership: (tenantId, userId) => store.find(tenantId, userId),
    listMembershipsOfUser: (userId) => store.listOfUser(userId),
    async addMembership(tx, actor, membership) {
      await store.insert(tx, membership);
      await deps.recordEvent(tx, {
        type: 'membership.added',
        tenantId: membership.tenantId,
        actor,
        subjectId: membership.userId,
        data: { roles: membership.roles },
      });
    },
    async setMembershipRoles(tx, actor, membership, roles) {
      await store.setRoles(tx, membership.tenantId, membership.id, roles);
      await deps.recordEvent(tx, {
        type: 'membership.roles_changed',
        tenantId: membership.tenantId,
        actor,
        subjectId: membership.userId,
        data: { before: membership.roles, after: roles },
      });
    },
  };
}
