import type { ConsentRequest, Interaction } from '../oidc/index.js';
import type { Resource } from '../resources/index.js';
import type { TenantType } from '../tenants/index.js';
import type { TenantToPick } from './pick-tenant.js';

const typeLabels: Record<TenantType, string> = { personal: 'Personal', team: 'Team', enterprise: 'Enterprise' };

const scopeDescriptions: Record<string, string> = {
  openid: 'Know who you are',
  profile: 'See your name and language',
  email: 'See your e-mail address',
  tenant: 'See which tenant you use and your roles there',
};

export function presentTenants(tenants: readonly TenantToPick[]): Record<string, unknown>[] {
  return tenants.map(({ slug, name, type, roleNames }) => ({
    slug,
    name,
    typeLabel: typeLabels[type],
    roleLabels: roleNames,
  }));
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
    scopes: scopes.map((name) => ({ name, description: scopeDescriptions[name] ?? name })),
    resources: resources.filter((resource) => resource.permissions.length > 0),
    offline,
  };
}
