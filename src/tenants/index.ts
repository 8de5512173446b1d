/**
 * Customer spaces: identity, type, plan, status, settings, and how many seats are taken. Owns the `tenants` collection.
 * It does not own who belongs to a tenant (memberships), what a plan allows (subscriptions) nor how a tenant is
 * governed (administration).
 */
import type { Actor } from '../kernel/actor.js';
import { tenantIdPattern } from '../kernel/patterns.js';
import type { EventDraft, RecordEvent } from '../events/index.js';
import type { Database } from '../platform/mongo/open-database.js';
import type { Page } from '../platform/mongo/page.js';
import type { Tx } from '../platform/mongo/transactions.js';
import { noTenant } from './no-tenant.js';
import { requireSeat, type SeatRules } from './seats.js';
import { createTenantStore, type StoredChanges } from './tenant-store.js';
import type { SeatKind, Tenant } from './tenant.js';

export type {
  AttemptPolicy,
  Branding,
  Logo,
  ProfileMember,
  SeatKind,
  Tenant,
  TenantPolicies,
  TenantSettings,
  TenantStatus,
  TenantType,
  TenantTypeRules,
  TenantTypes,
  Terms,
} from './tenant.js';
export { newTenant } from './new-tenant.js';
export { noTenant } from './no-tenant.js';
export { noBranding, withAllSettings } from './settings.js';
export { platformSlug } from './tenant.js';

export interface TenantsModule {
  findTenantById(id: string): Promise<Tenant | null>;
  /** By its present slug or one that it had before. */
  findTenantBySlug(slug: string): Promise<Tenant | null>;
  findTenantsByIds(ids: readonly string[]): Promise<Tenant[]>;
  /** All of them but those that are deleted, for operators. */
  listTenants(page: Page): Promise<Tenant[]>;
  /** Throws a duplicate key error when another tenant has or had its slug. */
  createTenant(tx: Tx, actor: Actor, tenant: Tenant): Promise<void>;
  updateTenant(tx: Tx, actor: Actor, tenant: Tenant, changes: StoredChanges): Promise<void>;
  /** The former slug stays the tenant's. Throws a duplicate key error when the new one is or was another's. */
  renameTenant(tx: Tx, actor: Actor, tenant: Tenant, slug: string): Promise<void>;
  /**
   * The tenant as of this transaction, which decides by it: two of them that do cannot both go through. Throws 404
   * when there is none, or none any more.
   */
  holdTenant(tx: Tx, id: string): Promise<Tenant>;
  /** The one door to a limited number: throws 409 when none is left. */
  takeSeat(tx: Tx, tenantId: string, kind: SeatKind): Promise<void>;
  releaseSeat(tx: Tx, tenantId: string, kind: SeatKind): Promise<void>;
  /** Whether any tenant shows this picture, by its digest. */
  showsLogo(tx: Tx, digest: string): Promise<boolean>;
  /** Ids of archived tenants whose time has come, and of those whose deletion was begun. */
  listTenantsToDelete(now: Date, limit: number): Promise<string[]>;
}

export interface TenantsDeps extends SeatRules {
  database: Database;
  recordEvent: RecordEvent;
}

export function tenantsModule(deps: TenantsDeps): TenantsModule {
  const store = createTenantStore(deps.database);
  const record = (tx: Tx, type: EventDraft['type'], about: { actor: Actor; id: string; data: EventDraft['data'] }) =>
    deps.recordEvent(tx, { type, tenantId: about.id, actor: about.actor, subjectId: about.id, data: about.data ?? {} });

  return {
    findTenantById: (id) => store.findById(id),
    findTenantBySlug: (slug) => store.findBySlug(slug),
    findTenantsByIds: (ids) => store.findByIds(ids),
    listTenants: (page) => store.list(page),
    async createTenant(tx, actor, tenant) {
      await store.insert(tx, tenant);
      await record(tx, 'tenant.created', { actor, id: tenant.id, data: { type: tenant.type, plan: tenant.plan } });
    },
    async updateTenant(tx, actor, tenant, changes) {
      await store.update(tx, tenant.id, changes);
      const { status } = changes;
      const type = status === undefined || status === tenant.status ? 'tenant.updated' : statusEvents[status];
      await record(tx, type, { actor, id: tenant.id, data: { changed: Object.keys(changes) } });
    },
    async renameTenant(tx, actor, tenant, slug) {
      const others = [tenant.slug, ...tenant.formerSlugs].filter((name) => name !== slug);
      await store.setSlugs(tx, tenant.id, [slug, ...others]);
      await record(tx, 'tenant.renamed', { actor, id: tenant.id, data: { before: tenant.slug, after: slug } });
    },
    async holdTenant(tx, id) {
      const tenant = typeof id === 'string' && tenantIdPattern.test(id) ? await store.hold(tx, id) : null;
      if (!tenant || tenant.status === 'deleted') throw noTenant();
      return tenant;
    },
    async takeSeat(tx, tenantId, kind) {
      const tenant = await store.hold(tx, tenantId, { [kind]: 1 });
      if (!tenant) throw noTenant();
      requireSeat(deps, tenant, kind);
    },
    async releaseSeat(tx, tenantId, kind) {
      await store.hold(tx, tenantId, { [kind]: -1 });
    },
    showsLogo: store.showsLogo,
    listTenantsToDelete: (now, limit) => store.listToDelete(now, limit),
  };
}

const statusEvents = {
  active: 'tenant.activated',
  suspended: 'tenant.suspended',
  archived: 'tenant.archived',
  deleted: 'tenant.deleted',
} as const;
