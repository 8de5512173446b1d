import type { Wait } from '../credentials/index.js';
import type { ConsentRequest, Interaction } from '../oidc/index.js';
import type { Resource } from '../resources/index.js';
import type { TenantType } from '../tenants/index.js';
import { searchTenants, type TenantToPick } from './pick-tenant.js';

const typeLabels: Record<TenantType, string> = { personal: 'Personal', team: 'Team', enterprise: 'Enterprise' };

const scopeDescriptions: Record<string, string> = {
  openid: 'Know who you are',
  profile: 'See your name and language',
  email: 'See your e-mail address',
  tenant: 'See which tenant you use and your roles there',
};

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
      typeLabel: typeLabels[type],
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
    scopes: scopes.map((name) => ({ name, description: scopeDescriptions[name] ?? name })),
    resources: resources.filter((resource) => resource.permissions.length > 0),
    offline,
  };
}

/** An hour for who must not wait but do something else: a client that reads only the header comes back seldom. */
const stoppedRetrySeconds = 3600;

/** What a page says to who tried too often, the same whether there is such an account or not. */
export function presentWait({ until }: Wait, now: Date): { message: string; retryAfterSeconds: number } {
  if (!until) {
    const ways =
      'Sign in with a browser in which you have signed in before, or ask your administrator for a new password.';
    return { message: `There were too many tries at this account. ${ways}`, retryAfterSeconds: stoppedRetrySeconds };
  }
  const retryAfterSeconds = Math.max(1, Math.ceil((until.getTime() - now.getTime()) / 1000));
  const minutes = Math.ceil(retryAfterSeconds / 60);
  const time = minutes === 1 ? '1 minute' : `${minutes} minutes`;
  return { message: `There were too many tries at this account. Try again in ${time}.`, retryAfterSeconds };
}
