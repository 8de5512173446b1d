import { errors, type Account, type KoaContextWithOIDC } from 'oidc-provider';
import type { AccessModule } from '../access/index.js';
import { epochSeconds, type Clock } from '../kernel/time.js';
import type { User } from '../users/index.js';
import type { Authorization } from '../access/index.js';
import {
  authorizationOfGrant,
  isStillGood,
  requireAdmitted,
  requireLevel,
  tenantClaims,
} from './current-authorization.js';
import { bindingOf, clientOf } from './library-internals.js';

export interface UserClaimsDeps {
  access: Pick<AccessModule, 'authorizationOf'>;
  /** Null for nobody, and for who may not act. */
  findFactorKinds(userId: string): Promise<readonly string[] | null>;
  findUserById(userId: string): Promise<User | null>;
  now: Clock;
}

/** Of who is signed in: which factors they have. */
export function factorKindsOf({ oidc: { account } }: KoaContextWithOIDC): readonly string[] {
  return (account?.['factorKinds'] as readonly string[] | undefined) ?? [];
}

/** Scope → claims that it opens (OpenID Connect Core §5.4); `tenant` is ours. */
export const claimsOfScopes: Record<string, string[] | null> = {
  // how and when the person signed in stands in every ID token, not only in those that ask for it
  openid: ['sub', 'acr', 'amr', 'auth_time'],
  profile: ['name', 'given_name', 'family_name', 'locale', 'zoneinfo', 'updated_at'],
  email: ['email', 'email_verified'],
  tenant: ['tenant_id', 'tenant_slug', 'tenant_type', 'roles', 'entitlements'],
  iss: null,
  sid: null,
};

/**
 * The person behind a session or a token (`findAccount`). Undefined ends what was asked: the library then answers
 * `invalid_grant` or `invalid_token`, or shows the sign-in page again.
 */
export async function accountOf(
  deps: UserClaimsDeps,
  ctx: KoaContextWithOIDC,
  userId: string,
  token: unknown,
): Promise<Account | undefined> {
  const account = { accountId: userId, claims: (_use: string, scope: string) => claimsOf(deps, ctx, userId, scope) };
  if (ctx.oidc.entities.Grant) {
    const authorization = await authorizationOfGrant(deps.access, ctx);
    if (!authorization) return undefined;
    if (ctx.oidc.route === 'token') {
      // before anything is used up
      requireAdmitted(ctx, authorization);
      requireLevel(authorization, (token as { acr?: string } | undefined)?.acr);
      if (isSessionOver(ctx, authorization, deps.now())) return undefined;
    }
    return account;
  }
  // userinfo loads the grant only after the person; the claims then ask for the person's place in the tenant
  if (token !== undefined) return account;
  const factorKinds = await deps.findFactorKinds(userId);
  return factorKinds ? { ...account, factorKinds } : undefined;
}

/**
 * Whether a refresh comes too late for what the tenant allows a session, as it is now. A refresh is a use, so a token
 * that is replaced at each of them tells when the last one was.
 */
function isSessionOver(
  { oidc }: KoaContextWithOIDC,
  { session: { idleSeconds, absoluteSeconds } }: Authorization,
  now: Date,
): boolean {
  const token = oidc.entities.RefreshToken;
  if (!token || bindingOf(oidc.entities.Grant).offline) return false;
  const at = epochSeconds(now);
  const isOld = absoluteSeconds !== null && at - (token.authTime ?? 0) > absoluteSeconds;
  return isOld || (idleSeconds !== null && !token.isSenderConstrained() && at - token.iat > idleSeconds);
}

async function claimsOf(
  deps: UserClaimsDeps,
  ctx: KoaContextWithOIDC,
  userId: string,
  scope: string,
): Promise<{ sub: string }> {
  const { allowedScopes } = clientOf(ctx);
  const scopes = new Set(scope.split(' ').filter((name) => allowedScopes?.includes(name) ?? true));
  const authorization = await authorizationOfGrant(deps.access, ctx);
  const token = ctx.oidc.route === 'userinfo' ? ctx.oidc.entities.AccessToken : undefined;
  const isGood = authorization && (!token || (await isStillGood(deps.access, ctx, token, authorization)));
  if (!isGood) throw new errors.InvalidToken('the person has no place in this tenant any more');
  const person = scopes.has('profile') || scopes.has('email') ? await deps.findUserById(userId) : null;
  return {
    ...(scopes.has('tenant') ? tenantClaims(authorization) : {}),
    ...(person ? personalClaims(person) : {}),
    sub: userId,
  };
}

/** All of them: the library keeps those that the granted scopes open. */
function personalClaims({ email, emailVerified, profile, updatedAt }: User): Record<string, unknown> {
  const claims: Record<string, unknown> = {
    name: profile.name,
    given_name: profile.givenName,
    family_name: profile.familyName,
    locale: profile.locale,
    zoneinfo: profile.zoneinfo,
    updated_at: Math.floor(updatedAt.getTime() / 1000),
    email,
    email_verified: emailVerified,
  };
  return Object.fromEntries(Object.entries(claims).filter(([, value]) => value !== undefined));
}
