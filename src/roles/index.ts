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
export { builtInRoles, coversPermission, permissionsOf } from './role.js';

export interface RolesModule {
  /** Within a transaction: as they are there. */
  listCustomRoles(tenantId: string, tx?: Tx): Promise<CustomRole[]>;
  /** The roles with these keys; keys that name no role of the tenant are left out and so allow nothing. */
  findRoles(tenantId: string, keys: readonly string[]): Promise<Role[]>;
  /** The same for many tenants at once. */
  findRolesIn(held: ReadonlyMap<string, readonly string[]>): Promise<Map<string, Role[]>>;
  createRole(tx: Tx, actor: Actor, role: CustomRole): Promise<void>;
  updateRole(
    tx: Tx,
    actor: Actor,
    role: CustomRole,
    changes: { name?: string; permissions?: readonly string[] },
  ): Promise<void>;
  deleteRole(tx: Tx, actor: Actor, role: CustomRole): Promise<void>;
}

export function rolesModule(deps: { database: Database; recordEvent: RecordEvent }): RolesModule {
  const store = createRoleStore(deps.database);
  return {
    listCustomRoles: store.list,
    async findRoles(tenantId, keys) {
      const custom = namesCustomRoles(keys) ? await store.list(tenantId) : [];
      return rolesNamed(keys, custom);
    },
    async findRolesIn(held) {
      const withCustom = [...held].filter(([, keys]) => namesCustomRoles(keys)).map(([tenantId]) => tenantId);
      const custom = new Map<string, CustomRole[]>(withCustom.map((tenantId) => [tenantId, []]));
      const found = withCustom.length === 0 ? [] : await store.listOfTenants(withCustom);
      for (const role of found) custom.get(role.tenantId)?.push(role);
      return new Map([...held].map(([tenantId, keys]) => [tenantId, rolesNamed(keys, custom.get(tenantId) ?? [])]));
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
    async deleteRole(tx, actor, role) {
      await store.remove(tx, role.tenantId, role.id);
      await deps.recordEvent(tx, {
        type: 'role.deleted',
        tenantId: role.tenantId,
        actor,
        subjectId: role.id,
        data: { key: role.key, permissions: role.permissions },
      });
    },
  };
}

function namesCustomRoles(keys: readonly string[]): boolean {
  return keys.some((key) => !builtInRoles.some((role) => role.key === key));
}

function rolesNamed(keys: readonly string[], custom: readonly CustomRole[]): Role[] {
  return [...builtInRoles, ...custom].filter((role) => keys.includes(role.key));
}
