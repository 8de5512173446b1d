import type { AccessToken, ClientCredentials, KoaContextWithOIDC, RefreshToken } from 'oidc-provider';
import type { AccessModule, Authorization } from '../access/index.js';
import type { Resource } from '../resources/index.js';
import {
  authorizationOfGrant,
  authorizationOfService,
  isStillGood,
  keyOf,
  tenantClaims,
} from './current-authorization.js';
import { clientOf, type KnownClient } from './library-internals.js';
import { knownScopes } from './options/scopes.js';

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
  const client = (await ctx.oidc.provider.Client.find(token.clientId ?? '')) as KnownClient | undefined;
  if (!client) return false;
  const isService = token.kind === 'ClientCredentials';
  const authorization = isService
    ? await authorizationOfService(deps.access, client, keyOf(token))
    : await authorizationOfGrant(deps.access, ctx);
  if (!authorization || !(await isStillGood(deps.access, ctx, token, authorization))) return false;
  if (token.kind !== 'RefreshToken') showPresentRights(token, { authorization, resource, client });
  if (isService) token.extra = { ...token.extra, sub: token.clientId };
  return true;
}

interface PresentRights {
  authorization: Authorization;
  resource: Resource | null;
  client: KnownClient;
}

function showPresentRights(
  token: AccessToken | ClientCredentials,
  { authorization, resource, client }: PresentRights,
): void {
  token.extra = { ...token.extra, ...tenantClaims(authorization) };
  delete token.extra['gid'];
  delete token.extra['key_id'];
  const mayHold = (scope: string): boolean => client.allowedScopes?.includes(scope) ?? true;
  const ofEveryone = (token.kind === 'AccessToken' && resource?.ofEveryone) || [];
  const isAllowed = (scope: string): boolean =>
    knownScopes.includes(scope) ||
    ofEveryone.includes(scope) ||
    (resource?.permissions.includes(scope) === true && authorization.allows(scope));
  token.scope = token.scope
    ?.split(' ')
    .filter((scope) => mayHold(scope) && isAllowed(scope))
    .join(' ');
}

async function resourceOf(deps: IntrospectionDeps, token: Token): Promise<Resource | null> {
  const audience = (token as { aud?: string | string[] }).aud;
  return typeof audience === 'string' ? deps.findResource(audience) : null;
}
