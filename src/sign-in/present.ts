import { scopeDescriptions } from '../kernel/scope-descriptions.js';
import type { MessageKey } from '../kernel/message.js';
import type { ConsentRequest, Interaction } from '../oidc/index.js';
import type { Resource } from '../resources/index.js';
import { searchTenants, type TenantToPick } from './pick-tenant.js';

/** With more than this a search is offered. */
const manyTenants = 8;
/** More are found by the search alone: nobody reads so long a list. */
const mostShown = 100;

/** What the picker shows: those that match the search, the first of them when there are many. */
export function presentTenants(tenants: readonly TenantToPick[], search: string): Record<string, unknown> {
  const found = searchTenants(tenants, search);
  return {
    search,
    total: tenants.length,
    isSearchable: tenants.length > manyTenants,
    hidden: Math.max(0, found.length - mostShown),
    tenants: found.slice(0, mostShown).map(({ slug, name, type, roleNames }) => ({
      ...{ slug, name, roleLabels: roleNames },
      typeLabel: `tenant_types.${type}` satisfies MessageKey,
    })),
  };
}

/** What a consent page shows of a request: each scope in words, each permission under the API that defines it. */
export async function presentConsent(
  deps: { findResource(identifier: string): Promise<Resource | null> },
  client: Interaction['client'],
  { asked, offline }: ConsentRequest,
): Promise<Record<string, unknown>> {
  const scopes = asked.oidcScopes.filter((scope) => scope !== 'offline_access');
  const resources = await Promise.all(
    Object.entries(asked.resources).map(async ([identifier, scopesAsked]) => ({
      identifier,
      name: (await deps.findResource(identifier))?.name ?? identifier,
      // OpenID scopes ride along on tokens for an API and are shown above
      permissions: scopesAsked.filter((scope) => !(scope in scopeDescriptions)),
    })),
  );
  return {
    clientUri: client.uri,
    policyUri: client.policyUri,
    tosUri: client.tosUri,
    scopes: scopes.map((name) => ({ name, description: scopeDescriptions[name] ?? null })),
    resources: resources.filter((resource) => resource.permissions.length > 0),
    offline,
  };
}
