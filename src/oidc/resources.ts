import { errors, type KoaContextWithOIDC, type ResourceServer } from 'oidc-provider';
import type { AccessModule, Authorization } from '../access/index.js';
import type { Resource } from '../resources/index.js';
import { authorizationOfCaller, authorizationOfGrant } from './current-authorization.js';
import { bindingOf, boundTenantOf, type KnownClient } from './library-internals.js';
import type { ChooseTenant } from './tenant-choice.js';

export interface ResourceDeps {
  access: Pick<AccessModule, 'authorizationOf'>;
  chooseTenant: ChooseTenant;
  findResource(identifier: string): Promise<Resource | null>;
  /** OpenID scopes that an access token for a resource also carries, so that it works at userinfo. */
  oidcScopes: readonly string[];
}

/**
 * A resource as this request may use it (RFC 8707, `getResourceServerInfo`): its scope is what it defines ∩ what the
 * roles allow in the tenant of the request. The library intersects with what was asked and granted.
 * Runs at authorization, at resume, at every token request and so also at every refresh.
 */
export async function resourceServerFor(
  deps: ResourceDeps,
  ctx: KoaContextWithOIDC,
  identifier: string,
  client: KnownClient,
): Promise<ResourceServer> {
  const resource = await deps.findResource(identifier);
  const mayAsk = client.kind === 'service_account' || client.allowedResources.includes(identifier);
  if (!resource || !mayAsk) throw new errors.InvalidTarget();
  return {
    audience: identifier,
    scope: (await allowedScopes(deps, ctx, resource, client)).join(' '),
    accessTokenFormat: resource.accessToken.format,
    accessTokenTTL: resource.accessToken.ttlSeconds,
    ...(resource.accessToken.format === 'jwt' ? { jwt: { sign: { alg: resource.accessToken.alg } } } : {}),
  };
}

/** The only resource that a client names is meant when a request names none. */
export function defaultResourceOf(
  client: KnownClient,
  granted: readonly string[] | undefined,
): string | readonly string[] | undefined {
  if (granted) return granted;
  return client.allowedResources.length === 1 ? client.allowedResources[0] : undefined;
}

async function allowedScopes(
  deps: ResourceDeps,
  ctx: KoaContextWithOIDC,
  resource: Resource,
  client: KnownClient,
): Promise<string[]> {
  if (client.kind === 'service_account') return serviceScopes(deps, ctx, resource);
  const grant = ctx.oidc.entities.Grant;
  const authorization = grant ? await authorizationOfGrant(deps.access, ctx) : await authorizationOfRequest(deps, ctx);
  // Before anybody has signed in and picked a tenant there are no roles to go by; nothing is granted from here then.
  const permitted =
    authorization === undefined ? resource.permissions : permittedBy(authorization, resource, resource.ofEveryone);
  // a tenant's own provider vouches for its members, and not for who they are elsewhere
  const isBound = (grant ? bindingOf(grant).boundTenantId : boundTenantOf(ctx)) !== undefined;
  const ownAffairs = isBound ? (resource.ofEveryone ?? []) : [];
  const mayHold = (scope: string): boolean =>
    !ownAffairs.includes(scope) && (client.allowedScopes?.includes(scope) ?? true);
  return [...deps.oidcScopes, ...permitted].filter(mayHold);
}

async function serviceScopes(deps: ResourceDeps, ctx: KoaContextWithOIDC, resource: Resource): Promise<string[]> {
  const permitted = permittedBy(await authorizationOfCaller(deps.access, ctx), resource);
  const asked = [...ctx.oidc.requestParamScopes];
  if (asked.length > 0 && !asked.some((scope) => permitted.includes(scope))) {
    throw new errors.InvalidScope('none of the requested scopes is allowed to this service account', asked.join(' '));
  }
  // RFC 6749 §3.3: without a scope the request means the default, here everything that the roles allow
  if (asked.length === 0 && ctx.oidc.params) ctx.oidc.params['scope'] = permitted.join(' ') || undefined;
  return permitted;
}

async function authorizationOfRequest(
  deps: ResourceDeps,
  ctx: KoaContextWithOIDC,
): Promise<Authorization | null | undefined> {
  const choice = await deps.chooseTenant(ctx);
  if (choice.kind === 'chosen') return choice.authorization;
  return choice.kind === 'refused' ? null : undefined;
}

function permittedBy(
  authorization: Authorization | null,
  resource: Resource,
  ofEveryone: readonly string[] = [],
): string[] {
  if (!authorization) return [];
  return resource.permissions.filter((name) => ofEveryone.includes(name) || authorization.allows(name));
}
