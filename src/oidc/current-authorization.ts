import { errors, type KoaContextWithOIDC } from 'oidc-provider';
import type { AccessModule, Authorization, Subject } from '../access/index.js';
import { epochSeconds } from '../kernel/time.js';
import { bindingOf, clientOf, type KnownClient } from './library-internals.js';
import type { ApiKeyState } from './options/client-rules.js';

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
  const ofActor = actor ? await authorizationOfService(access, actor, act.key_id) : null;
  return ofActor !== null && !isEnded(token, ofActor);
}

/** Who acts for the subject (RFC 8693 §4.1), and within it who acted before. */
export interface ActorClaim {
  sub: string;
  /** The API key by which it got its token. */
  key_id?: string;
  act?: ActorClaim;
}

export function actorOf({ extra }: { extra?: unknown }): ActorClaim | undefined {
  return (extra as { act?: ActorClaim } | undefined)?.act;
}

/**
 * The same for a service token: the client is the subject. `keyId` names the API key with which the token was got: it
 * has to be live, and what it opens is no more than what its maker may do; without one it is who set the public keys.
 */
export function authorizationOfService(
  access: Pick<AccessModule, 'authorizationOf'>,
  client: Pick<KnownClient, 'clientId' | 'tenantId' | 'liveSecrets' | 'keysSetBy'>,
  keyId: string | undefined,
): Promise<Authorization | null> {
  const { clientId, tenantId, liveSecrets, keysSetBy } = client;
  const apiKey = liveSecrets.find((secret) => secret.apiKey?.id === keyId)?.apiKey;
  if (tenantId === null || (keyId !== undefined && !apiKey)) return Promise.resolve(null);
  const knownBy = keyId === undefined ? keysSetBy : (apiKey?.createdBy ?? null);
  const subject: Subject = { kind: 'service_account', clientId, ...(knownBy === null ? {} : { knownBy }) };
  return access.authorizationOf(subject, tenantId);
}

/** The API key with which a service token was got, as the token says. */
export function keyOf({ extra }: { extra?: unknown }): string | undefined {
  return (extra as { key_id?: string } | undefined)?.key_id;
}

/** What the client of this request may do as a service account, with what it has authenticated. */
export function authorizationOfCaller(
  access: Pick<AccessModule, 'authorizationOf'>,
  ctx: KoaContextWithOIDC,
): Promise<Authorization | null> {
  return authorizationOfService(access, clientOf(ctx), (ctx.state as ApiKeyState).apiKey?.id);
}

/** Whoever asks for a token does so from where the tenant may be used. */
export function requireAdmitted(ctx: KoaContextWithOIDC, authorization: Authorization): void {
  if (!authorization.admits(ctx.ip)) throw new errors.AccessDenied('the tenant may not be used from this address');
}

/** Nobody has a token of a tenant that asks for two factors by having proven one, also when it came to ask later. */
export function requireLevel({ requiresSecondFactor }: Authorization, acr: string | undefined): void {
  if (requiresSecondFactor && acr !== 'aal2') throw new errors.InvalidGrant('the tenant asks for a second factor');
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
