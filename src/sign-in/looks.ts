import { styleOf } from '../kernel/brand-colors.js';
import { slugPattern, tenantIdPattern } from '../kernel/patterns.js';
import type { Interaction } from '../oidc/index.js';
import { createExpiringMap } from '../platform/cache/expiring.js';
import { createRevisedMap } from '../platform/cache/revised.js';
import type { Look } from '../platform/http/pages.js';
import type { Tenant } from '../tenants/index.js';

/** How the pages of a sign-in look, and where a person finds help. */
export interface TenantLook extends Look {
  supportUri: string | null;
  /** The tenant has chosen how it looks, so it may be shown to whoever names it. */
  isChosen: boolean;
}

export interface LooksDeps {
  revisionOf(tenantId: string | null): Promise<number>;
  unrevisedCacheSeconds: number;
  cacheSeconds: number;
  findTenantById(id: string): Promise<Tenant | null>;
  findTenantBySlug(slug: string): Promise<Tenant | null>;
}

/** Null: as everywhere. */
export type LookOf = (
  interaction: Pick<Interaction, 'tenantId' | 'clientTenantId' | 'askedTenant'>,
) => Promise<TenantLook | null>;

/**
 * The look of the tenant in which the request acts, else of the client's owner, else of the one that the app asks for.
 * The last one is shown to somebody who may have no place in it: so only where it is active and has chosen a look, and
 * a tenant that has not is told from none that there is.
 */
export function tenantLooks(deps: LooksDeps): LookOf {
  const ofTenants = createRevisedMap<TenantLook | null>({
    revisionOf: deps.revisionOf,
    maxAgeSeconds: deps.unrevisedCacheSeconds,
  });
  const ofAsked = createExpiringMap<TenantLook | null>(deps.cacheSeconds);

  async function askedTenant(slugOrId: string): Promise<Tenant | null> {
    if (tenantIdPattern.test(slugOrId)) return deps.findTenantById(slugOrId);
    return slugPattern.test(slugOrId) ? deps.findTenantBySlug(slugOrId) : null;
  }

  return async ({ tenantId, clientTenantId, askedTenant: asked }) => {
    const known = tenantId ?? clientTenantId;
    if (known !== null) {
      const load = async (): Promise<TenantLook | null> => lookOf(await deps.findTenantById(known));
      return (await ofTenants.get(known, known, load)) ?? null;
    }
    if (asked === undefined) return null;
    const look = await ofAsked.get(asked, async () => lookOf(await askedTenant(asked)));
    return look?.isChosen ? look : null;
  };
}

function lookOf(tenant: Tenant | null): TenantLook | null {
  if (!tenant) return null;
  const { displayName, logo, supportUri, ...colors } = tenant.branding;
  const style = styleOf(colors);
  return {
    name: displayName ?? tenant.name,
    logo: logo && { path: `/logos/${logo.digest}`, alt: logo.alt, width: logo.width, height: logo.height },
    ...{ style, supportUri },
    isChosen: tenant.status === 'active' && (displayName !== null || logo !== null || style !== ''),
  };
}
