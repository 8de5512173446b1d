import { errors, type ClientCredentials, type KoaContextWithOIDC } from 'oidc-provider';
import type { AccessModule } from '../access/index.js';
import {
  actorOf,
  authorizationOfService,
  isEnded,
  keyOf,
  requireAdmitted,
  type ActorClaim,
} from './current-authorization.js';
import {
  accessTokenType,
  findToken,
  isShownByItsHolder,
  jwtType,
  type FindTokenDeps,
  type Holder,
} from './exchanged-tokens.js';
import { clientOf, type KnownClient } from './library-internals.js';
import type { ExchangeState } from './token-claims.js';

/** The part of a token exchange that a service has in it, when it acts for the person (RFC 8693 §1.1). */
export interface ActingServiceDeps extends FindTokenDeps {
  access: Pick<AccessModule, 'authorizationOf'>;
}

/**
 * What a service holds for a person a service exchanges: without it nobody would notice that it is gone, or that it is
 * of another tenant.
 */
export function requireActor({ actorToken }: { actorToken: string | undefined }, subject: object): void {
  if (actorToken === undefined && actorOf(subject))
    throw new errors.InvalidRequest('actor_token is required for this subject_token');
}

/** RFC 8693 §2.1: token and type come together. What is done for somebody ends with its access token. */
export function parseActor(ctx: KoaContextWithOIDC, wantsRefreshToken: boolean): string | undefined {
  const { actor_token: actorToken, actor_token_type: type } = ctx.oidc.params as Record<string, string | undefined>;
  if (actorToken === undefined && type === undefined) return undefined;
  if (!actorToken || !type) throw new errors.InvalidRequest('actor_token and actor_token_type come together');
  if (type !== accessTokenType && type !== jwtType) throw new errors.InvalidRequest('unsupported actor_token_type');
  if (wantsRefreshToken) throw new errors.InvalidRequest('an actor gets no refresh token');
  return actorToken;
}

/**
 * The service account that acts, and its token: it belongs to the target tenant, may act through this client, and is in
 * good standing. One wording for whatever its token lacks.
 */
export async function liveActor(
  deps: ActingServiceDeps,
  ctx: KoaContextWithOIDC,
  actorToken: string,
  { holder, tenantId }: { holder: Holder; tenantId: string },
): Promise<{ claim: ActorClaim; token: ClientCredentials }> {
  const refused = new errors.InvalidGrant('actor_token is not usable');
  const token = await findToken(deps, ctx, 'ClientCredentials', actorToken);
  const clientId = token?.clientId ?? '';
  if (!token || !isShownByItsHolder(token, holder) || !clientOf(ctx).allowedActors.includes(clientId)) throw refused;
  const client = (await ctx.oidc.provider.Client.find(clientId)) as KnownClient | undefined;
  const keyId = keyOf(token);
  const authorization = client?.tenantId === tenantId ? await authorizationOfService(deps.access, client, keyId) : null;
  if (!authorization || isEnded(token, authorization)) throw refused;
  requireAdmitted(ctx, authorization);
  return { claim: { sub: clientId, ...(keyId === undefined ? {} : { key_id: keyId }) }, token };
}

/** RFC 8693 §4.1: whoever acts now stands outermost, around those who acted before. */
export function noteActor(ctx: KoaContextWithOIDC, subject: object, actor: ActorClaim | undefined): void {
  const before = actorOf(subject);
  const act = actor === undefined ? before : { ...actor, ...(before ? { act: before } : {}) };
  if (act) (ctx.state as ExchangeState).exchanged = { ...(ctx.state as ExchangeState).exchanged, act };
}
