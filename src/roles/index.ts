/**
 * Named sets of permissions, built in or made by one tenant. Owns the `roles` collection.
 * It does not know who holds a role (memberships, service accounts).
 */
import type { Actor } from '../kernel/actor.js';
import type { RecordEvent } from '../events/index.js';
import type { Database } from '../platform/mongo/open-database.js';
import type { Tx } from '../platform/mongo/transactions.js';
import { createRoleStore } from './role-store.js';
import { builtInRoles, type CustomRole, type Role } from './role.js';

export type { CustomRole, Role } from './role.js';
export { builtInRoles, coversPermission } from './role.js';

export interface RolesModule {
  listCustomRoles(tenantId: string): Promise<CustomRole[]>;
  /** The roles with these keys; keys that name no role of the tenant are left out and so allow nothing. */
  findRoles(tenantId: string, keys: readonly string[]): Promise<Role[]>;
  createRole(tx: Tx, actor: Actor, role: CustomRole): Promise<void>;
  updateRole(
    tx: Tx,
    actor: Actor,
    role: CustomRole,
    changes: { name?: string; permissions?: readonly string[] },
  ): Promise<void>;
}

export function rolesModule(deps: { database: Database; recordEvent: RecordEvent }): RolesModule {
  const store = createRoleStore(deps.database);
  return {
    listCustomRoles: (tenantId) => store.list(tenantId),
    async findRoles(tenantId, keys) {
      const builtIn = builtInRoles.filter((role) => keys.includes(role.key));
      if (builtIn.length === keys.length) return builtIn;
      const custom = await store.list(tenantId);
      return [...builtIn, ...custom.filter((role) => keys.includes(role.key))];
    },
    async createRole(tx, actor, role) {
      await store.insert(tx, role);
      await deps.recordEvent(tx, {
        type: 'role.created',
        tenantId: role.tenantId,
        actor,
        subjectId: role.id,
        data: { key: role.key, permissions: role.permissions },
      });
    },
    async updateRole(tx, actor, role, changes) {
      await store.update(tx, role.tenantId, role.id, changes);
      await deps.recordEvent(tx, {
        type: 'role.updated',
        tenantId: role.tenantId,
        actor,
        subjectId: role.id,
        data: { before: role.permissions, after: changes.permissions ?? role.permissions },
      });
    },
  };
}
