import type Provider from 'oidc-provider';
import type { Grant } from 'oidc-provider';
import type { Clock } from '../kernel/time.js';
import type { Authorization } from '../access/index.js';
import type { GrantBinding } from './adapter/grant-binding.js';
import { consentKeys, isBoundTo, newGrant, type GrantDeps, type Wanted } from './grants.js';
import { boundsIn, type BoundSession, type KnownClient } from './library-internals.js';
import { interactionExpired } from './oidc-errors.js';
import { chooseTenant, pickedTenant, type TenantChoiceDeps } from './tenant-choice.js';

/** An interaction as the library loads it. */
export type Details = Awaited<ReturnType<Provider['interactionDetails']>>;

export interface ConsentDeps extends TenantChoiceDeps, Pick<GrantDeps, 'grantLifetime'> {
  currentProvider(): Provider;
  now: Clock;
}

/** What a person is asked to allow. */
export interface ConsentRequest {
  tenant: Authorization['tenant'];
  asked: Wanted;
  /** The same in the form in which a consent is remembered. */
  keys: string[];
  offline: boolean;
}

export async function clientOfInteraction({ currentProvider }: ConsentDeps, found: Details): Promise<KnownClient> {
  const client = await currentProvider().Client.find(String(found.params['client_id']));
  if (!client) throw interactionExpired();
  return client as KnownClient;
}

/** Throws `interaction.expired` when the tenant is not open to the person any more. */
export async function consentRequestOf(deps: ConsentDeps, found: Details): Promise<ConsentRequest> {
  const { tenant } = await authorizationOf(deps, found);
  const asked = await askedOf(deps, found);
  return { tenant, asked, keys: consentKeys(asked), offline: isOffline(found) };
}

/** A grant of what was asked; answers with its id. */
export async function grantConsent(deps: ConsentDeps, found: Details): Promise<string> {
  const provider = deps.currentProvider();
  const asked = await askedOf(deps, found);
  const { tenant, session: allowed } = await authorizationOf(deps, found);
  const session = await provider.Session.findByUid(found.session?.uid ?? '');
  if (!found.session || !session) throw interactionExpired();
  const binding: GrantBinding = {
    accountId: found.session.accountId,
    clientId: String(found.params['client_id']),
    tenantId: tenant.id,
    sessionUid: session.uid,
    offline: isOffline(found),
    ...boundsIn(session as BoundSession),
  };
  const earlier = await earlierGrant(deps, found);
  const existing = earlier && isBoundTo(earlier, binding) ? earlier : undefined;
  const lifetimeSeconds = deps.grantLifetime(binding.offline, session, allowed.absoluteSeconds);
  return newGrant(provider, { binding, lifetimeSeconds, existing, wanted: asked }).save();
}

async function authorizationOf(deps: ConsentDeps, found: Details): Promise<Authorization> {
  if (found.session?.accountId === undefined) throw interactionExpired();
  const choice = await chooseTenant(deps, {
    userId: found.session.accountId,
    owner: (await clientOfInteraction(deps, found)).tenantId,
    picked: pickedTenant(found.lastSubmission),
    asked: found.params['tenant'] as string | undefined,
    bound: await boundTenantIn(deps, found),
  });
  if (choice.kind !== 'chosen') throw interactionExpired();
  return choice.authorization;
}

async function boundTenantIn({ currentProvider }: ConsentDeps, found: Details): Promise<string | undefined> {
  const { login } = (found.lastSubmission ?? {}) as { login?: BoundSession };
  if (login) return login.boundTenantId;
  const session = await currentProvider().Session.findByUid(found.session?.uid ?? '');
  return (session as BoundSession | undefined)?.boundTenantId;
}

/**
 * The library lists what the grant lacks, and that is what the person is asked for. `prompt=consent` also asks when
 * nothing is lacking: then for as much of the grant as the request names.
 */
async function askedOf(deps: ConsentDeps, found: Details): Promise<Wanted> {
  const { missingOIDCScope, missingResourceScopes } = found.prompt.details as {
    missingOIDCScope?: string[];
    missingResourceScopes?: Record<string, string[]>;
  };
  const missing = { oidcScopes: missingOIDCScope ?? [], resources: missingResourceScopes ?? {} };
  const earlier = consentKeys(missing).length === 0 ? await earlierGrant(deps, found) : undefined;
  if (!earlier) return missing;
  const scopes = scopesOf(found);
  const named = (granted: string): string[] => granted.split(' ').filter((scope) => scopes.includes(scope));
  const resources = Object.keys(earlier.resources ?? {}).map(
    (id) => [id, named(earlier.getResourceScope(id))] as const,
  );
  return { oidcScopes: named(earlier.getOIDCScope()), resources: Object.fromEntries(resources) };
}

async function earlierGrant({ currentProvider }: ConsentDeps, found: Details): Promise<Grant | undefined> {
  return found.grantId === undefined ? undefined : currentProvider().Grant.find(found.grantId);
}

function isOffline(found: Details): boolean {
  return scopesOf(found).includes('offline_access');
}

function scopesOf(found: Details): string[] {
  return ((found.params['scope'] as string | undefined) ?? '').split(' ');
}
