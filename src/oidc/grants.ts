import type Provider from 'oidc-provider';
import type { Grant, KoaContextWithOIDC } from 'oidc-provider';
import { randomSecret } from '../kernel/secret.js';
import { epochSeconds, type Clock } from '../kernel/time.js';
import type { GrantBinding } from './adapter/grant-binding.js';
import { bindingOf, clientOf, resourceServersOf, upstreamBoundsOf, type BoundSession } from './library-internals.js';
import { longestOf } from './options/lifetimes.js';
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
  grantLifetime: GrantLifetime;
}

/**
 * The grant under which this request goes on (`loadExistingGrant`): bound to session, person, client and tenant, and a
 * separate one for offline access, which outlives the session. First-party clients get it without being asked, third
 * parties when the person has agreed to all of it before. Undefined leads to the consent page.
 * A grant is never changed: a request that wants more gets a new one, so parallel requests take nothing from each other.
 */
export async function loadExistingGrant(deps: GrantDeps, ctx: KoaContextWithOIDC): Promise<Grant | undefined> {
  const choice = await deps.chooseTenant(ctx);
  const session = ctx.oidc.session;
  const client = clientOf(ctx);
  if (choice.kind === 'no_tenant') return grantOfNothing(ctx);
  if (choice.kind !== 'chosen' || !session?.accountId) return undefined;
  const binding: GrantBinding = {
    accountId: session.accountId,
    clientId: client.clientId,
    tenantId: choice.authorization.tenant.id,
    sessionUid: session.uid,
    offline: ctx.oidc.requestParamScopes.has('offline_access'),
    ...upstreamBoundsOf(ctx),
  };
  const { provider } = ctx.oidc;
  const consentedId = ctx.oidc.result?.consent?.grantId;
  if (consentedId !== undefined) {
    const consented = await provider.Grant.find(consentedId);
    return consented && isBoundTo(consented, binding) ? consented : undefined;
  }

  const wanted = wantedBy(ctx);
  const { absoluteSeconds } = choice.authorization.session;
  const lifetimeSeconds = deps.grantLifetime(binding.offline, session, absoluteSeconds);
  const existingId = await deps.findGrantId(binding);
  const found = existingId === undefined ? undefined : await provider.Grant.find(existingId);
  const existing =
    found && (binding.offline || !outlives(found, lifetimeSeconds, session as BoundSession)) ? found : undefined;
  if (existing && covers(existing, wanted) && existing.remainingTTL > lifetimeSeconds / 2) return existing;
  const agreed = client.firstParty || (await hasConsent(deps, binding, wanted));
  if (!agreed) return existing;
  const grant = newGrant(provider, { binding, lifetimeSeconds, existing, wanted });
  await grant.save();
  return grant;
}

/**
 * Where a connection bounds the sign-in, the same session may have had another one before, whose grant lives longer. Two
 * clocks are read, one after the other.
 */
function outlives({ remainingTTL }: Grant, lifetimeSeconds: number, { sessionSeconds }: BoundSession): boolean {
  return sessionSeconds !== undefined && remainingTTL > lifetimeSeconds + 2;
}

/** Never stored, so that a code which names it yields no token: it is only to bring the person back to their account. */
function grantOfNothing({ oidc }: KoaContextWithOIDC): Grant {
  const grant = new oidc.provider.Grant({
    accountId: oidc.session?.accountId,
    clientId: oidc.client?.clientId,
    jti: randomSecret(),
  } as GrantBinding & { jti: string });
  grant.addOIDCScope('openid');
  return grant;
}

export interface GrantDraft {
  binding: GrantBinding;
  lifetimeSeconds: number;
  /** What was granted before in the same binding; the new grant holds it too. */
  existing: Grant | undefined;
  wanted: Wanted;
}

export function newGrant(provider: Provider, { binding, lifetimeSeconds, existing, wanted }: GrantDraft): Grant {
  const grant = new provider.Grant({ ...binding, ...contentOf(existing), expiresIn: lifetimeSeconds } as GrantBinding);
  if (wanted.oidcScopes.length > 0) grant.addOIDCScope(wanted.oidcScopes.join(' '));
  for (const [identifier, scopes] of Object.entries(wanted.resources)) {
    if (scopes.length > 0) grant.addResourceScope(identifier, scopes.join(' '));
  }
  return grant;
}

/**
 * Seconds that a grant may live. Without offline access it ends where the session would at the latest, also when
 * nobody signs out and the session lies idle until it is forgotten.
 */
export function grantLifetime(
  lifetimes: { grantSeconds: number; sessionAbsoluteSeconds: number },
  now: Clock,
): GrantLifetime {
  return (offline, session, absoluteSeconds) => {
    if (offline) return lifetimes.grantSeconds;
    const { loginTs } = session;
    const sessionAge = loginTs === undefined ? 0 : epochSeconds(now()) - loginTs;
    const longest = Math.min(longestOf(session, lifetimes), absoluteSeconds ?? Number.POSITIVE_INFINITY);
    return Math.max(1, longest - sessionAge);
  };
}

/** `absoluteSeconds`: what the tenant allows a session; null: what the platform does. */
export type GrantLifetime = (offline: boolean, session: Dated, absoluteSeconds: number | null) => number;
type Dated = BoundSession & { loginTs?: number | undefined };

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

function contentOf(grant: Grant | undefined): object {
  if (!grant) return {};
  const { openid, resources } = structuredClone({ openid: grant.openid, resources: grant.resources });
  return { ...(openid ? { openid } : {}), ...(resources ? { resources } : {}) };
}

function wantedBy(ctx: KoaContextWithOIDC): Wanted {
  const asked = [...ctx.oidc.requestParamScopes];
  const resources: Wanted['resources'] = {};
  for (const [identifier, server] of Object.entries(resourceServersOf(ctx))) {
    resources[identifier] = asked.filter((scope) => server.scopes.has(scope));
  }
  return { oidcScopes: [...ctx.oidc.requestParamOIDCScopes], resources };
}

export function covers(grant: Grant, wanted: Wanted): boolean {
  const oidc = new Set(grant.getOIDCScope().split(' '));
  if (!wanted.oidcScopes.every((scope) => oidc.has(scope))) return false;
  return Object.entries(wanted.resources).every(([identifier, scopes]) => {
    const granted = new Set(grant.getResourceScope(identifier).split(' '));
    return scopes.every((scope) => granted.has(scope));
  });
}

export async function hasConsent(
  deps: Pick<GrantDeps, 'findConsent'>,
  binding: GrantBinding,
  wanted: Wanted,
): Promise<boolean> {
  const granted = new Set(await deps.findConsent(binding.tenantId, binding.accountId, binding.clientId));
  return granted.size > 0 && consentKeys(wanted).every((key) => granted.has(key));
}
