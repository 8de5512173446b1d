import type { KoaContextWithOIDC } from 'oidc-provider';
import type { AccessModule, Authorization, Subject } from '../access/index.js';
import { epochSeconds } from '../kernel/time.js';
import { bindingOf, type KnownClient } from './library-internals.js';

/**
 * What the subject of a token request may do now in the tenant of its grant. Asked again at every issue, refresh,
 * introspection and userinfo, never taken from the token. Null: the grant names a place the person has no more.
 */
export async function authorizationOfGrant(
  access: Pick<AccessModule, 'authorizationOf'>,
  ctx: KoaContextWithOIDC,
): Promise<Authorization | null> {
  const grant = ctx.oidc.entities.Grant;
  if (!grant) return null;
  const { accountId, clientId, tenantId } = bindingOf(grant);
  const client =
    ctx.oidc.client?.clientId === clientId ? ctx.oidc.client : await ctx.oidc.provider.Client.find(clientId);
  // a client that has come to belong to another tenant yields nothing in its former one
  const owner = (client as KnownClient | undefined)?.tenantId;
  if (owner === undefined || (owner !== null && owner !== tenantId)) return null;
  const authorization = await access.authorizationOf({ kind: 'user', userId: accountId }, tenantId);
  return authorization && isEnded(grant, authorization) ? null : authorization;
}

/**
 * Whether a token that was found still is one: it was not ended together with others, and neither was the service that
 * holds it for a person (RFC 8693 `act`), whose standing ends it too.
 */
export async function isStillGood(
  access: Pick<AccessModule, 'authorizationOf'>,
  ctx: KoaContextWithOIDC,
  token: { iat: number; extra?: unknown },
  authorization: Authorization,
): Promise<boolean> {
  if (isEnded(token, authorization)) return false;
  const act = actorOf(token);
  if (!act) return true;
  const actor = (await ctx.oidc.provider.Client.find(act.sub)) as KnownClient | undefined;
  const ofActor = actor ? await authorizationOfService(access, actor) : null;
  return ofActor !== null && !isEnded(token, ofActor);
}

/** Who acts for the subject (RFC 8693 §4.1), and within it who acted before. */
export interface ActorClaim {
  sub: string;
  act?: ActorClaim;
}

export function actorOf({ extra }: { extra?: unknown }): ActorClaim | undefined {
  return (extra as { act?: ActorClaim } | undefined)?.act;
}

/** The same for a service token: the client is the subject. */
export function authorizationOfService(
  access: Pick<AccessModule, 'authorizationOf'>,
  client: { clientId: string; tenantId: string | null },
): Promise<Authorization | null> {
  if (client.tenantId === null) return Promise.resolve(null);
  const subject: Subject = { kind: 'service_account', clientId: client.clientId };
  return access.authorizationOf(subject, client.tenantId);
}

/** Claims that bind a token to its tenant (spec of this product; in JWT access tokens, ID tokens and userinfo). */
export interface TenantClaims {
  tenant_id: string;
  tenant_slug: string;
  tenant_type: string;
  roles: readonly string[];
  entitlements: readonly string[];
}

export function tenantClaims({ tenant, roles, entitlements }: Authorization): TenantClaims {
  return { tenant_id: tenant.id, tenant_slug: tenant.slug, tenant_type: tenant.type, roles, entitlements };
}

/** A token knows the second in which it was issued: one of the same second as the ending counts as of before it. */
export function isEnded({ iat }: { iat: number }, { tokensEndedAt }: Authorization): boolean {
  return tokensEndedAt !== null && iat <= epochSeconds(tokensEndedAt);
}
