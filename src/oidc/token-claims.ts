import { errors, type AccessToken, type ClientCredentials, type KoaContextWithOIDC } from 'oidc-provider';
import type { AccessModule } from '../access/index.js';
import {
  authorizationOfCaller,
  authorizationOfGrant,
  requireAdmitted,
  requireLevel,
  tenantClaims,
  type ActorClaim,
} from './current-authorization.js';
import { bindingOf } from './library-internals.js';
import type { ApiKeyState } from './options/client-rules.js';
import { knownScopes } from './options/scopes.js';

export interface Authentication {
  acr?: string;
  amr?: string[];
  authTime?: number;
}

export interface TokenClaimsDeps {
  access: Pick<AccessModule, 'authorizationOf'>;
  noteKeyUse(tenantId: string, keyId: string): void;
}

/** How the person of an exchanged token signed in, and who acts for them. */
export interface ExchangeState {
  exchanged?: Authentication & { act?: ActorClaim };
}

/**
 * Claims of access tokens beside those of the library (`extraTokenClaims`): the tenant, and for people how and when
 * they signed in. The library writes its own claims after these, so none of them can replace a protocol claim.
 */
export async function accessTokenClaims(
  { access, noteKeyUse }: TokenClaimsDeps,
  ctx: KoaContextWithOIDC,
  token: AccessToken | ClientCredentials,
): Promise<Record<string, unknown>> {
  if (token.kind === 'ClientCredentials') {
    const authorization = await authorizationOfCaller(access, ctx);
    if (!authorization) throw new errors.InvalidClientAuth('the service account has no place in an active tenant');
    const personal = token.scope?.split(' ').find((scope) => knownScopes.includes(scope));
    if (personal !== undefined) throw new errors.InvalidScope('a service has no OpenID scopes', personal);
    requireAdmitted(ctx, authorization);
    const { apiKey } = ctx.state as ApiKeyState;
    if (apiKey) noteKeyUse(authorization.tenant.id, apiKey.id);
    return { ...tenantClaims(authorization), ...(apiKey ? { key_id: apiKey.id } : {}) };
  }
  const authorization = await authorizationOfGrant(access, ctx);
  if (!authorization) throw new errors.InvalidGrant('the person has no place in this tenant any more');
  requireAdmitted(ctx, authorization);
  const authentication = authenticationClaims(ctx);
  requireLevel(authorization, authentication.acr);
  return { ...tenantClaims(authorization), ...authentication };
}

/** A JWT access token names its grant, so that introspection and userinfo can ask whether it still stands. */
export function nameGrant(
  ctx: KoaContextWithOIDC,
  token: AccessToken | ClientCredentials,
  payload: Record<string, unknown>,
): void {
  if (token.kind === 'AccessToken' && ctx.oidc.entities.Grant) payload['gid'] = bindingOf(ctx.oidc.entities.Grant).jti;
}

function authenticationClaims(ctx: KoaContextWithOIDC): { acr?: string } & Record<string, unknown> {
  const { AuthorizationCode: code, RefreshToken: refreshToken, DeviceCode: deviceCode } = ctx.oidc.entities;
  const { exchanged } = ctx.state as ExchangeState;
  const { acr, amr, authTime }: Authentication = (code ??
    refreshToken ??
    deviceCode ??
    exchanged ??
    {}) as Authentication;
  return {
    ...(acr === undefined ? {} : { acr }),
    ...(amr === undefined ? {} : { amr }),
    ...(authTime === undefined ? {} : { auth_time: authTime }),
    ...(exchanged?.act === undefined ? {} : { act: exchanged.act }),
  };
}
