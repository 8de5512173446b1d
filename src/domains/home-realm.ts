import { domainOf } from '../kernel/email.js';
import { createExpiringValue } from '../platform/cache/expiring.js';
import type { Tenant } from '../tenants/index.js';
import type { Domain } from './domain.js';

/** Where people with an address are at home: by the verified domain of that address, and by nothing about any person. */
export interface HomeRealm {
  domain: string;
  tenantId: string;
  /** Of the tenant: where they are led to. */
  connectionId: string | null;
  /** They sign in there alone. */
  isEnforced: boolean;
}

export interface HomeRealms {
  /** By an address in its canonical form. Null: it is of no domain that a tenant has shown to be its own. */
  findHomeRealm(email: string): Promise<HomeRealm | null>;
  /** Whether any domain leads anywhere; as of a moment ago. */
  isAnyHomeRealm(): Promise<boolean>;
  /** After a change to any domain. */
  forgetHomeRealms(): void;
  /**
   * Whether a person may sign in in another way than by this connection (null: by none at all). False where a domain is
   * enforced, but for the one owner of the tenant that it excepts; once that one is no owner any more, for every owner
   * until another one is named: there is always somebody who comes in while the connection is down.
   */
  maySignInWith(user: { id: string; email: string }, connectionId: string | null): Promise<boolean>;
}

export interface HomeRealmDeps {
  findVerifiedDomain(name: string): Promise<Domain | null>;
  isAnyDomainLeading(): Promise<boolean>;
  cacheSeconds: number;
  findTenantById(id: string): Promise<Tenant | null>;
  mayHaveConnections(tenant: Tenant): boolean;
  findMembership(tenantId: string, userId: string): Promise<{ roles: readonly string[] } | null>;
}

/** A domain binds people while its tenant is active and its plan has connections. A connection that is down opens no other way. */
export function homeRealms(deps: HomeRealmDeps): HomeRealms {
  const isAny = createExpiringValue(deps.cacheSeconds, deps.isAnyDomainLeading);

  async function domainInForce(email: string): Promise<Domain | null> {
    // most servers have none, and their sign-ins ask for nothing more
    if (!(await isAny.get())) return null;
    const domain = await deps.findVerifiedDomain(domainOf(email));
    const tenant = domain && (await deps.findTenantById(domain.tenantId));
    return tenant?.status === 'active' && deps.mayHaveConnections(tenant) ? domain : null;
  }

  async function isOwner(tenantId: string, userId: string): Promise<boolean> {
    return (await deps.findMembership(tenantId, userId))?.roles.includes('owner') ?? false;
  }

  async function isExcepted({ tenantId, exceptUserId }: Domain, userId: string): Promise<boolean> {
    if (!(await isOwner(tenantId, userId))) return false;
    return exceptUserId === null || exceptUserId === userId || !(await isOwner(tenantId, exceptUserId));
  }

  return {
    isAnyHomeRealm: isAny.get,
    forgetHomeRealms: isAny.forget,
    async findHomeRealm(email) {
      const domain = await domainInForce(email);
      if (!domain) return null;
      const { name, tenantId, connectionId, enforced } = domain;
      return { domain: name, tenantId, connectionId, isEnforced: enforced };
    },
    async maySignInWith({ id, email }, connectionId) {
      const domain = await domainInForce(email);
      if (!domain?.enforced || (connectionId !== null && domain.connectionId === connectionId)) return true;
      return isExcepted(domain, id);
    },
  };
}
