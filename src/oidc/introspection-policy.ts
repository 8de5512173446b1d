import type { AccessToken, ClientCredentials, KoaContextWithOIDC, RefreshToken } from 'oidc-provider';
import type { AccessModule, Authorization } from '../access/index.js';
import type { Resource } from '../resources/index.js';
import { authorizationOfGrant, authorizationOfService, tenantClaims } from './current-authorization.js';
import { clientOf, type KnownClient } from './library-internals.js';

export interface IntrospectionDeps {
  access: Pick<AccessModule, 'authorizationOf'>;
  findResource(identifier: string): Promise<Resource | null>;
}

type Token = AccessToken | ClientCredentials | RefreshToken;

/**
 * Whether this client may learn of this token: its own, or one for a resource that names the client as introspector.
 * The answer then tells what holds now, not what held when the token was issued: a person or service without a place
 * in the tenant makes it inactive, and roles, entitlements and scope are those of this moment.
 */
export async function mayIntrospect(deps: IntrospectionDeps, ctx: KoaContextWithOIDC, token: Token): Promise<boolean> {
  const resource = await resourceOf(deps, token);
  const isOwn = token.clientId === clientOf(ctx).clientId;
  if (!isOwn && !resource?.introspectedBy.includes(clientOf(ctx).clientId)) return false;
  if (token.kind === 'RefreshToken' && !isOwn) return false;
  const authorization = await authorizationOfToken(deps, ctx, token);
  if (!authorization) return false;
  if (token.kind !== 'RefreshToken') showPresentRights(token, authorization, resource);
  if (token.kind === 'ClientCredentials') token.extra = { ...token.extra, sub: token.clientId };
  return true;
}

async function authorizationOfToken(
  deps: IntrospectionDeps,
  ctx: KoaContextWithOIDC,
  token: Token,
): Promise<Authorization | null> {
  if (token.kind !== 'ClientCredentials') return authorizationOfGrant(deps.access, ctx);
  const client = await ctx.oidc.provider.Client.find(token.clientId ?? '');
  return client ? authorizationOfService(deps.access, client as KnownClient) : null;
}

function showPresentRights(
  token: AccessToken | ClientCredentials,
  authorization: Authorization,
  resource: Resource | null,
): void {
  token.extra = { ...token.extra, ...tenantClaims(authorization) };
  delete token.extra['gid'];
  if (!resource || token.scope === undefined) return;
  const holds = (scope: string): boolean =>
    !scope.includes(':') || (resource.permissions.includes(scope) && authorization.allows(scope));
  token.scope = token.scope.split(' ').filter(holds).join(' ');
}

async function resourceOf(deps: IntrospectionDeps, token: Token): Promise<Resource | null> {
  const audience = (token as { aud?: string | string[] }).aud;
  return typeof audience === 'string' ? deps.findResource(audience) : null;
}
