import type Provider from 'oidc-provider';
import { errors, type AccessToken, type Grant, type KoaContextWithOIDC, type RefreshToken } from 'oidc-provider';
import type { RecordEvent } from '../events/index.js';
import type { InTransaction } from '../platform/mongo/transactions.js';
import type { RequiredActionsModule } from '../required-actions/index.js';
import type { GrantBinding } from './adapter/grant-binding.js';
import { liveActor, noteActor, parseActor, requireActor } from './acting-service.js';
import type { VerifyAccessToken } from './adapter/jwt-access-tokens.js';
import { authorizationOfGrant, isStillGood, requireLevel } from './current-authorization.js';
import { dueFor } from './required-actions-prompts.js';
import {
  accessTokenType,
  bindingsOf,
  bindToHolder,
  findToken,
  holderOf,
  isShownByItsHolder,
  jwtType,
  type Holder,
} from './exchanged-tokens.js';
import { covers, hasConsent, newGrant, type GrantDeps, type Wanted } from './grants.js';
import { bindingOf, boundsIn, clientOf } from './library-internals.js';
import type { MutualTlsDeps } from './mutual-tls.js';
import { translated } from './oauth-errors.js';
import { knownScopes } from './options/scopes.js';
import { resourceServerFor, type ResourceDeps } from './resources.js';
import type { TenantChoice, TenantHints } from './tenant-choice.js';
import type { ExchangeState } from './token-claims.js';

export interface TokenExchangeDeps
  extends
    ResourceDeps,
    MutualTlsDeps,
    Pick<GrantDeps, 'findGrantId' | 'findConsent'>,
    Pick<RequiredActionsModule, 'findRequiredActions'> {
  chooseTenantOf(hints: TenantHints): Promise<TenantChoice>;
  verifyAccessToken: VerifyAccessToken;
  inTransaction: InTransaction;
  recordEvent: RecordEvent;
}

type Subject = AccessToken | RefreshToken;

const grantType = 'urn:ietf:params:oauth:grant-type:token-exchange';
const refreshTokenType = 'urn:ietf:params:oauth:token-type:refresh_token';
const parameters = [
  ...['subject_token', 'subject_token_type', 'requested_token_type', 'tenant', 'scope', 'resource', 'audience'],
  ...['actor_token', 'actor_token_type'],
];

/** RFC 8693, for one purpose: a person's token of one tenant gives one of another tenant, without a browser. */
export function registerTokenExchange(provider: Provider, deps: TokenExchangeDeps): void {
  provider.registerGrantType(
    grantType,
    translated(async (ctx: KoaContextWithOIDC) => exchangeToken(deps, ctx)),
    parameters,
    ['resource', 'audience'],
  );
}

async function exchangeToken(deps: TokenExchangeDeps, ctx: KoaContextWithOIDC): Promise<void> {
  const asked = parseParameters(ctx);
  const holder = await holderOf(deps, ctx);
  const { subject, source } = await liveSubject(deps, ctx, { ...asked, holder });
  const { accountId, clientId, sessionUid, offline, tenantId: fromTenantId } = bindingOf(source);
  const tenantId = await targetTenant(deps, ctx, bindingOf(source), asked.tenant);
  requireActor(asked, subject);
  // the first of them all, so that a chain is no longer than this: one grant for each tenant, and all end together
  const exchangedFrom = bindingOf(source).exchangedFrom ?? bindingOf(source).jti;
  const actor =
    asked.actorToken === undefined ? undefined : await liveActor(deps, ctx, asked.actorToken, { holder, tenantId });
  noteActor(ctx, subject, actor?.claim);
  const owner = { accountId, clientId, sessionUid, ...boundsIn(bindingOf(source)) };
  const binding: GrantBinding = { ...owner, tenantId, offline, exchangedFrom };
  const draft = { binding, lifetimeSeconds: Math.max(1, source.remainingTTL), existing: undefined };
  // what the roles allow is asked of the grant of the request: from here on that of the target
  ctx.oidc.entity('Grant', newGrant(ctx.oidc.provider, { ...draft, wanted: { oidcScopes: [], resources: {} } }));
  const { token, wanted } = await narrowedToken(deps, ctx, subject, source);
  const grant = await grantFor(deps, ctx, { ...draft, wanted });
  ctx.oidc.entity('Grant', grant);

  token.grantId = bindingOf(grant).jti;
  bindToHolder(ctx, token, { holder, shown: [subject, actor?.token] });
  ctx.oidc.entity('AccessToken', token);
  const accessToken = await token.save();
  const refreshToken = asked.wantsRefreshToken ? await newRefreshToken(ctx, subject, token) : undefined;
  await deps.inTransaction((tx) =>
    deps.recordEvent(tx, {
      type: 'token.exchanged',
      tenantId,
      actor: { kind: 'user', userId: accountId },
      subjectId: bindingOf(grant).jti,
      data: { clientId, fromTenantId, ...(actor === undefined ? {} : { actor: actor.claim.sub }) },
    }),
  );
  ctx.body = {
    access_token: accessToken,
    issued_token_type: accessTokenType,
    token_type: token.tokenType,
    expires_in: token.expiration,
    scope: token.scope,
    ...(refreshToken === undefined ? {} : { refresh_token: refreshToken }),
  };
}

interface Asked {
  subjectToken: string;
  isRefreshToken: boolean;
  wantsRefreshToken: boolean;
  tenant: string;
  actorToken: string | undefined;
}

function parseParameters(ctx: KoaContextWithOIDC): Asked {
  const params = ctx.oidc.params as Record<string, string | undefined>;
  const { subject_token: subjectToken, subject_token_type: type, requested_token_type: requested, tenant } = params;
  if (!subjectToken || !type || !tenant)
    throw new errors.InvalidRequest('subject_token, subject_token_type and tenant are required');
  if (type !== accessTokenType && type !== refreshTokenType && type !== jwtType)
    throw new errors.InvalidRequest('unsupported subject_token_type');
  const isRefreshToken = type === refreshTokenType;
  const wantsRefreshToken = requested === refreshTokenType;
  const mayRefresh = isRefreshToken && clientOf(ctx).grantTypeAllowed('refresh_token');
  const isKnown = requested === undefined || requested === accessTokenType || (wantsRefreshToken && mayRefresh);
  if (!isKnown) throw new errors.InvalidRequest('unsupported requested_token_type');
  return { subjectToken, isRefreshToken, wantsRefreshToken, tenant, actorToken: parseActor(ctx, wantsRefreshToken) };
}

/** The subject token and its grant; one wording for whatever it lacks. It is neither used up nor rotated. */
async function liveSubject(
  deps: TokenExchangeDeps,
  ctx: KoaContextWithOIDC,
  { subjectToken, isRefreshToken, holder }: Asked & { holder: Holder },
): Promise<{ subject: Subject; source: Grant }> {
  const { provider } = ctx.oidc;
  const refused = new errors.InvalidGrant('subject_token is not usable');
  const subject = isRefreshToken
    ? await provider.RefreshToken.find(subjectToken)
    : await findToken(deps, ctx, 'AccessToken', subjectToken);
  if (!subject || subject.clientId !== clientOf(ctx).clientId) throw refused;
  if (!isShownByItsHolder(subject, holder)) throw refused;
  const source = await provider.Grant.find(subject.grantId ?? '');
  const isOfGrant = source?.accountId === subject.accountId && source?.clientId === subject.clientId;
  if (!source || !isOfGrant) throw refused;
  if ('consumed' in subject && subject.consumed) {
    await source.destroy(); // somebody has it who should not, as at a second refresh
    throw refused;
  }
  ctx.oidc.entity('Grant', source);
  const authorization = await authorizationOfGrant(deps.access, ctx);
  if (!authorization || !(await isStillGood(deps.access, ctx, subject, authorization))) throw refused;
  const { acr, amr, auth_time: authTime } = (subject as AccessToken).extra ?? {};
  (ctx.state as ExchangeState).exchanged = (isRefreshToken ? subject : { acr, amr, authTime }) as object;
  return { subject, source };
}

/** Unknown, foreign and suspended tenants are refused alike: the answer tells nothing about them. */
async function targetTenant(
  deps: TokenExchangeDeps,
  ctx: KoaContextWithOIDC,
  { accountId: userId, boundTenantId: bound }: GrantBinding,
  asked: string,
): Promise<string> {
  const choice = await deps.chooseTenantOf({ userId, owner: clientOf(ctx).tenantId, picked: undefined, asked, bound });
  if (choice.kind !== 'chosen') throw new errors.InvalidTarget('tenant is not open to this person and client');
  requireLevel(choice.authorization, (ctx.state as ExchangeState).exchanged?.acr);
  const due = await dueFor(deps, { userId, isBound: bound !== undefined }, choice.authorization);
  if (due.terms.length > 0 || due.profile.length > 0)
    throw new errors.InvalidGrant('the person has not done yet what the tenant asks for at a sign-in');
  return choice.authorization.tenant.id;
}

/** Never wider than the subject: its resource, and of its scope what was granted and the target's roles allow. */
async function narrowedToken(
  deps: TokenExchangeDeps,
  ctx: KoaContextWithOIDC,
  subject: Subject,
  source: Grant,
): Promise<{ token: AccessToken; wanted: Wanted }> {
  const client = clientOf(ctx);
  const { provider, requestParamScopes } = ctx.oidc;
  const beyond = [...requestParamScopes].filter((scope) => !subject.scopes.has(scope));
  if (beyond.length > 0) throw new errors.InvalidScope('subject_token lacks requested scope', beyond.join(' '));
  const asked = requestParamScopes.size > 0 ? requestParamScopes : subject.scopes;
  const token = new provider.AccessToken({ accountId: source.accountId, client, gty: 'token_exchange' } as never);
  const identifier = resourceOf(ctx, subject);
  let held = source.getOIDCScopeFiltered(asked);
  if (identifier !== undefined) {
    const server = await resourceServerFor(deps, ctx, identifier, client);
    token.resourceServer = new provider.ResourceServer(identifier, server);
    const allowed = new Set(server.scope.split(' ').filter((scope) => asked.has(scope)));
    held = source.getResourceScopeFiltered(identifier, allowed);
  }
  const mayHold = (scope: string): boolean => client.allowedScopes?.includes(scope) ?? true;
  const scopes = held.split(' ').filter((scope) => scope !== '' && scope !== 'offline_access' && mayHold(scope));
  if (scopes.length === 0) throw new errors.InvalidScope('nothing of the scope is allowed there', [...asked].join(' '));
  token.scope = scopes.join(' ');
  // an access token does not renew itself; a refresh token is there for that
  if (subject.kind === 'AccessToken')
    Object.assign(token, { expiresIn: Math.min(token.expiration, subject.remainingTTL) });
  const oidcScopes = [...asked].filter((scope) => knownScopes.includes(scope));
  return { token, wanted: { oidcScopes, resources: identifier === undefined ? {} : { [identifier]: scopes } } };
}

function resourceOf(ctx: KoaContextWithOIDC, subject: Subject): string | undefined {
  const { resource, audience } = ctx.oidc.params as Record<'resource' | 'audience', string | string[] | undefined>;
  const ofSubject = [
    (subject as AccessToken).aud ?? (subject as { resource?: string | string[] }).resource ?? [],
  ].flat();
  const asked = [...new Set([resource ?? [], audience ?? []].flat())];
  const [identifier, ...others] = asked.length > 0 ? asked : ofSubject;
  if (others.length > 0 || (identifier !== undefined && !ofSubject.includes(identifier)))
    throw new errors.InvalidTarget();
  return identifier;
}

/** Third parties switch only where the person has agreed before: a consent is of one tenant. */
async function grantFor(
  deps: TokenExchangeDeps,
  ctx: KoaContextWithOIDC,
  draft: Parameters<typeof newGrant>[1],
): Promise<Grant> {
  const { provider } = ctx.oidc;
  const { binding, wanted, lifetimeSeconds } = draft;
  if (!clientOf(ctx).firstParty && !(await hasConsent(deps, binding, wanted)))
    throw new errors.InvalidGrant('the person has not agreed to this in the tenant');
  const existingId = await deps.findGrantId(binding);
  const existing = existingId === undefined ? undefined : await provider.Grant.find(existingId);
  if (existing && covers(existing, wanted) && existing.remainingTTL > lifetimeSeconds / 2) return existing;
  const grant = newGrant(provider, { ...draft, existing });
  await grant.save();
  return grant;
}

async function newRefreshToken(ctx: KoaContextWithOIDC, subject: Subject, token: AccessToken): Promise<string> {
  const { accountId, acr, amr, authTime } = subject as RefreshToken;
  const resource = token.resourceServer?.identifier();
  const scope = subject.scopes.has('offline_access') ? `${token.scope} offline_access` : token.scope;
  const isBound = (subject as RefreshToken).isSenderConstrained() || clientOf(ctx).clientAuthMethod === 'none';
  const refreshToken = new ctx.oidc.provider.RefreshToken({
    ...{ accountId, acr, amr, authTime, resource, scope, client: clientOf(ctx), grantId: token.grantId },
    ...{ expiresWithSession: false, gty: 'token_exchange' },
    ...(isBound ? bindingsOf(token) : {}),
  } as never);
  return refreshToken.save();
}
