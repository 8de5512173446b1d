import type Provider from 'oidc-provider';
import type { Grant, KoaContextWithOIDC } from 'oidc-provider';
import type { GrantBinding } from './adapter/grant-adapter.js';
import { bindingOf, clientOf, resourceServersOf } from './library-internals.js';
import type { ChooseTenant } from './tenant-choice.js';

/** What a request asks for: OpenID scopes, and per resource the scopes that it defines and the roles allow. */
export interface Wanted {
  oidcScopes: string[];
  resources: Record<string, string[]>;
}

export interface GrantDeps {
  chooseTenant: ChooseTenant;
  findGrantId(binding: GrantBinding): Promise<string | undefined>;
  findConsent(tenantId: string, userId: string, clientId: string): Promise<string[]>;
}

/**
 * The grant under which this request goes on (`loadExistingGrant`): one for each session, person, client and tenant,
 * and one more for offline access, which outlives the session. First-party clients get it without being asked, third
 * parties when the person has agreed to all of it before. Undefined leads to the consent page.
 */
export async function loadExistingGrant(deps: GrantDeps, ctx: KoaContextWithOIDC): Promise<Grant | undefined> {
  const choice = await deps.chooseTenant(ctx);
  const session = ctx.oidc.session;
  if (choice.kind !== 'chosen' || !session?.accountId) return undefined;
  const client = clientOf(ctx);
  const binding: GrantBinding = {
    accountId: session.accountId,
    clientId: client.clientId,
    tenantId: choice.authorization.tenant.id,
    sessionUid: session.uid,
    offline: ctx.oidc.requestParamScopes.has('offline_access'),
  };
  const { provider } = ctx.oidc;
  const consentedId = ctx.oidc.result?.consent?.grantId;
  if (consentedId !== undefined) {
    const consented = await provider.Grant.find(consentedId);
    return consented && isBoundTo(consented, binding) ? consented : undefined;
  }

  const wanted = wantedBy(ctx);
  const existingId = await deps.findGrantId(binding);
  const existing = existingId === undefined ? undefined : await provider.Grant.find(existingId);
  if (existing && covers(existing, wanted)) return existing;
  const agreed = client.firstParty || (await hasConsent(deps, binding, wanted));
  if (!agreed) return existing;
  const grant = existing ?? newGrant(provider, binding);
  await extendGrant(grant, wanted);
  return grant;
}

export function newGrant(provider: Provider, binding: GrantBinding): Grant {
  return new provider.Grant({ ...binding });
}

/** Adds what is wanted and saves; answers with the grant's id. */
export async function extendGrant(grant: Grant, wanted: Wanted): Promise<string> {
  if (wanted.oidcScopes.length > 0) grant.addOIDCScope(wanted.oidcScopes.join(' '));
  for (const [identifier, scopes] of Object.entries(wanted.resources)) {
    if (scopes.length > 0) grant.addResourceScope(identifier, scopes.join(' '));
  }
  return grant.save();
}

export function isBoundTo(grant: Grant, binding: GrantBinding): boolean {
  const actual = bindingOf(grant);
  return (Object.keys(binding) as (keyof GrantBinding)[]).every((name) => actual[name] === binding[name]);
}

/** How a consent is remembered: OpenID scopes by name, others with the resource that defines them. */
export function consentKeys(wanted: Wanted): string[] {
  const ofResources = Object.entries(wanted.resources).flatMap(([identifier, scopes]) =>
    scopes.map((scope) => `${identifier} ${scope}`),
  );
  return [...wanted.oidcScopes, ...ofResources];
}

function wantedBy(ctx: KoaContextWithOIDC): Wanted {
  const asked = [...ctx.oidc.requestParamScopes];
  const resources: Wanted['resources'] = {};
  for (const [identifier, server] of Object.entries(resourceServersOf(ctx))) {
    resources[identifier] = asked.filter((scope) => server.scopes.has(scope));
  }
  return { oidcScopes: [...ctx.oidc.requestParamOIDCScopes], resources };
}

function covers(grant: Grant, wanted: Wanted): boolean {
  const oidc = new Set(grant.getOIDCScope().split(' '));
  if (!wanted.oidcScopes.every((scope) => oidc.has(scope))) return false;
  return Object.entries(wanted.resources).every(([identifier, scopes]) => {
    const granted = new Set(grant.getResourceScope(identifier).split(' '));
    return scopes.every((scope) => granted.has(scope));
  });
}

async function hasConsent(deps: GrantDeps, binding: GrantBinding, wanted: Wanted): Promise<boolean> {
  const granted = new Set(await deps.findConsent(binding.tenantId, binding.accountId, binding.clientId));
  return granted.size > 0 && consentKeys(wanted).every((key) => granted.has(key));
}
