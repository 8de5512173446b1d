/**
 * Customer spaces: their identity, type, plan, status and policies. Owns the `tenants` collection.
 * It does not own who belongs to a tenant (memberships) nor what a plan allows (subscriptions).
 */
import type { Actor } from '../kernel/actor.js';
import type { RecordEvent } from '../events/index.js';
import type { Database } from '../platform/mongo/open-database.js';
import type { Tx } from '../platform/mongo/transactions.js';
import { createTenantStore } from './tenant-store.js';
import type { Tenant } from './tenant.js';

export type { Tenant, TenantPolicies, TenantStatus, TenantType } from './tenant.js';
export { platformSlug } from './tenant.js';

export interface TenantsModule {
  findTenantById(id: string): Promise<Tenant | null>;
  findTenantBySlug(slug: string): Promise<Tenant | null>;
  findTenantsByIds(ids: readonly string[]): Promise<Tenant[]>;
  createTenant(tx: Tx, actor: Actor, tenant: Tenant): Promise<void>;
  updateTenant(tx: Tx, actor: Actor, tenant: Tenant, changes: TenantChanges): Promise<void>;
}

export type TenantChanges = Partial<Pick<Tenant, 'name' | 'type' | 'plan' | 'status' | 'policies'>>;

export function tenantsModule(deps: { database: Database; recordEvent: RecordEvent }): TenantsModule {
  const store = createTenantStore(deps.database);
  return {
    findTenantById: (id) => store.findById(id),
    findTenantBySlug: (slug) => store.findBySlug(slug),
    findTenantsByIds: (ids) => store.findByIds(ids),
    async createTenant(tx, actor, tenant) {
      await store.insert(tx, tenant);
      await deps.recordEvent(tx, {
        type: 'tenant.created',
        tenantId: tenant.id,
        actor,
        subjectId: tenant.id,
        data: { type: tenant.type, plan: tenant.plan },
      });
    },
    async updateTenant(tx, actor, tenant, changes) {
      await store.update(tx, tenant.id, changes);
      await deps.recordEvent(tx, {
        type: 'tenant.updated',
        tenantId: tenant.id,
        actor,
        subjectId: tenant.id,
        data: { changed: Object.keys(changes) },
      });
    },
  };
}
