/**
 * Who belongs to which tenant with which roles. Owns the `memberships` collection.
 * It does not decide what a role allows (roles, access), nor who may change it (administration).
 */
import type { Actor } from '../kernel/actor.js';
import type { Clock } from '../kernel/time.js';
import type { RecordEvent } from '../events/index.js';
import type { Database } from '../platform/mongo/open-database.js';
import type { Page } from '../platform/mongo/page.js';
import type { Tx } from '../platform/mongo/transactions.js';
import type { TenantsModule } from '../tenants/index.js';
import type { AcceptedTerms } from '../users/index.js';
import { createMembershipStore } from './membership-store.js';
import type { Membership } from './membership.js';

export type { Membership } from './membership.js';

export interface MembershipsModule {
  /** Within a transaction: as it is there. */
  findMembership(tenantId: string, userId: string, tx?: Tx): Promise<Membership | null>;
  listMembershipsOfUser(userId: string, tx?: Tx): Promise<Membership[]>;
  /** In the order of the ids of their users. */
  listMembers(tenantId: string, page: Page): Promise<Membership[]>;
  /** Takes a seat of the tenant; throws 409 when none is left. */
  addMembership(tx: Tx, actor: Actor, membership: Membership): Promise<void>;
  setMembershipRoles(tx: Tx, actor: Actor, membership: Membership, roles: readonly string[]): Promise<void>;
  acceptTenantTerms(tx: Tx, actor: Actor, membership: Membership, terms: AcceptedTerms): Promise<void>;
  /** Gives the seat back. */
  removeMembership(tx: Tx, actor: Actor, membership: Membership): Promise<void>;
  countMembers(tx: Tx, tenantId: string): Promise<number>;
  countMembersWithRole(tx: Tx, tenantId: string, roleKey: string): Promise<number>;
  /** The next picker shows this tenant first. */
  rememberPick(tenantId: string, userId: string): Promise<void>;
}

export interface MembershipsDeps {
  database: Database;
  recordEvent: RecordEvent;
  now: Clock;
  takeSeat: TenantsModule['takeSeat'];
  releaseSeat: TenantsModule['releaseSeat'];
}

export function membershipsModule(deps: MembershipsDeps): MembershipsModule {
  const store = createMembershipStore(deps.database);
  return {
    findMembership: store.find,
    listMembershipsOfUser: store.listOfUser,
    listMembers: store.list,
    async addMembership(tx, actor, membership) {
      await deps.takeSeat(tx, membership.tenantId, 'members');
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
    async acceptTenantTerms(tx, actor, { id, tenantId, userId }, terms) {
      await store.setAcceptedTerms(tx, tenantId, id, terms);
      const data = { version: terms.version, uri: terms.uri };
      await deps.recordEvent(tx, { type: 'membership.terms_accepted', tenantId, actor, subjectId: userId, data });
    },
    async removeMembership(tx, actor, membership) {
      await store.remove(tx, membership.tenantId, membership.id);
      await deps.releaseSeat(tx, membership.tenantId, 'members');
      await deps.recordEvent(tx, {
        type: 'membership.removed',
        tenantId: membership.tenantId,
        actor,
        subjectId: membership.userId,
        data: { roles: membership.roles },
      });
    },
    countMembers: store.count,
    countMembersWithRole: store.countWithRole,
    rememberPick: (tenantId, userId) => store.setPickedAt(tenantId, userId, deps.now()),
  };
}
