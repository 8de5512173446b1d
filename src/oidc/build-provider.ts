import Provider, { errors, type AdapterFactory, type Configuration, type KoaContextWithOIDC } from 'oidc-provider';
import { languages } from '../kernel/languages.js';
import type { Clock } from '../kernel/time.js';
import type { AccessModule } from '../access/index.js';
import type { Egress } from '../platform/egress/egress.js';
import type { RequiredActionsModule } from '../required-actions/index.js';
import type { PrivateJwk } from '../signing-keys/index.js';
import type { ClientKeys } from './client-keys.js';
import { deviceInfoOf } from './device-pages.js';
import { loadExistingGrant, type GrantDeps } from './grants.js';
import type { Assurance, Level } from '../credentials/index.js';
import { createInteractionPolicy } from './interaction-policy.js';
import { mayIntrospect, type IntrospectionDeps } from './introspection-policy.js';
import {
  extendPayloads,
  keepClients,
  nameSessions,
  takeOverLogouts,
  type SendLogout,
  type SessionIdOf,
  replaceSecretComparison,
  type KnownClient,
  clientOf,
} from './library-internals.js';
import { mutualTls, type MutualTlsDeps } from './mutual-tls.js';
import { translated } from './oauth-errors.js';
import { clientRules, secretMatcher } from './options/client-rules.js';
import { cookieOptions } from './options/cookies.js';
import { endpointPaths } from './options/endpoints.js';
import { knownScopes, oidcScopes } from './options/scopes.js';
import { lifetimeOptions, type Lifetimes } from './options/lifetimes.js';
import type { ProtocolPages } from './protocol-pages.js';
import { requireKnownClaims } from './required-level.js';
import { defaultResourceOf, resourceServerFor, type ResourceDeps } from './resources.js';
import { registerTokenExchange, type TokenExchangeDeps } from './token-exchange.js';
import { accessTokenClaims, nameGrant, type TokenClaimsDeps } from './token-claims.js';
import { accountOf, claimsOfScopes, type UserClaimsDeps } from './user-claims.js';

export interface BuildProviderDeps
  extends
    GrantDeps,
    UserClaimsDeps,
    IntrospectionDeps,
    TokenClaimsDeps,
    MutualTlsDeps,
    Pick<RequiredActionsModule, 'findRequiredActions'>,
    Omit<ResourceDeps, 'oidcScopes'>,
    Omit<TokenExchangeDeps, 'oidcScopes'> {
  issuer: string;
  access: Pick<AccessModule, 'authorizationOf'>;
  cookieKeys: readonly string[];
  dpopNonceSecret: Buffer;
  lifetimes: Lifetimes;
  now: Clock;
  adapter: AdapterFactory;
  fetch: Egress['fetch'];
  publishedKeys: ClientKeys;
  pages: ProtocolPages;
  isOpenInvitation(token: string): Promise<boolean>;
  refusesEmailCodes(userId: string): Promise<boolean>;
  assurance: Assurance;
  everybodysLevel: Level;
  freshSeconds: number;
  hashSecret(secret: string): string;
  sessionIdOf: SessionIdOf;
}

/**
 * A provider with these signing keys; the first of an algorithm signs. Everything it knows lies in the database, so a
 * change of keys builds a new one and swaps it in (about a millisecond), see `currentProvider`.
 */
export function buildProvider(
  deps: BuildProviderDeps,
  keys: readonly PrivateJwk[],
): { provider: Provider; sendLogout: SendLogout } {
  if (keys.length === 0)
    throw new Error('no signing keys: the library would fall back to its well-known development keys');
  const configuration: Configuration = {
    ...clientRules(deps),
    adapter: deps.adapter,
    fetch: (address, init) => deps.fetch(address as string, init), // the library gives it as text
    jwks: { keys: keys },
    cookies: cookieOptions(deps.cookieKeys, deps.issuer.startsWith('https:')),
    routes: endpointPaths,
    ttl: lifetimeOptions(deps.lifetimes, deps.now),
    scopes: [...knownScopes],
    claims: claimsOfScopes,
    // claims of the granted scopes in the ID token too, so that a client needs no second call
    conformIdTokenClaims: false,
    discovery: { ui_locales_supported: [...languages] },
    acrValues: [...deps.assurance.levels],
    interactions: {
      policy: createInteractionPolicy({
        ...deps,
        sessionAbsoluteSeconds: deps.lifetimes.sessionAbsoluteSeconds,
        now: deps.now,
      }),
      url: (_ctx, interaction) => `/sign-in/${interaction.uid}`,
    },
    findAccount: translated(async (ctx, userId, token) => accountOf(deps, ctx, userId, token)),
    loadExistingGrant: translated(async (ctx) => loadExistingGrant(deps, ctx)),
    extraTokenClaims: translated(async (ctx, token) => accessTokenClaims(deps, ctx, token)),
    formats: {
      customizers: { jwt: (ctx, token, { payload }) => nameGrant(ctx, token, payload) },
    },
    // tokens of a session end with it through their grant, not by the library's binding, which knows one grant a client
    expiresWithSession: () => false,
    issueRefreshToken: (_ctx, client) => client.grantTypeAllowed('refresh_token'),
    rotateRefreshToken: translated(async (ctx) => mayRotate(deps, ctx)),
    renderError: deps.pages.renderError,
    features: featuresOf(deps),
  };
  const provider = new Provider(deps.issuer, configuration);
  provider.proxy = true; // the headers it then believes are written by the edge
  extendPayloads(provider);
  replaceSecretComparison(provider, secretMatcher(deps.hashSecret, deps.now));
  keepClients(provider, deps.adapter('Client').find, deps.publishedKeys);
  nameSessions(provider, deps.sessionIdOf);
  registerTokenExchange(provider, { ...deps, oidcScopes });
  return { provider, sendLogout: takeOverLogouts(provider) };
}

/**
 * Rotates for every client but the sender-constrained. Asked just before the token is used up, so what the library
 * would refuse only after that is refused here: a mistaken `resource` must not cost the sign-in.
 */
async function mayRotate(deps: BuildProviderDeps, ctx: KoaContextWithOIDC): Promise<boolean> {
  const token = ctx.oidc.entities.RefreshToken;
  if (!token) return true;
  const asked = (ctx.oidc.params?.['resource'] ?? token.resource) as string | string[] | undefined;
  const [resource, ...others] = asked === undefined ? [] : [asked].flat();
  if (others.length > 0) throw new errors.InvalidTarget();
  if (resource !== undefined) {
    if (!token.resourceIndicators.has(resource)) throw new errors.InvalidTarget();
    await resourceServerFor({ ...deps, oidcScopes }, ctx, resource, clientOf(ctx));
  }
  return !token.isSenderConstrained();
}

function featuresOf(deps: BuildProviderDeps): NonNullable<Configuration['features']> {
  return {
    devInteractions: { enabled: false },
    claimsParameter: { enabled: true, assertClaimsParameter: requireKnownClaims },
    clientCredentials: { enabled: true },
    introspection: {
      enabled: true,
      allowedPolicy: translated(async (ctx, _client, token) => mayIntrospect(deps, ctx, token)),
    },
    revocation: { enabled: true, allowedPolicy: (_ctx, client, token) => client.clientId === token.clientId },
    pushedAuthorizationRequests: { enabled: true },
    deviceFlow: {
      enabled: true,
      charset: 'base-20',
      mask: '****-****',
      deviceInfo: deviceInfoOf,
      userCodeInputSource: (ctx, _form, out, cause) =>
        deps.pages.device.enterCode(ctx, out === undefined ? undefined : { out, cause }),
      userCodeConfirmSource: (ctx) => deps.pages.device.confirm(ctx),
      successSource: (ctx) => deps.pages.device.connected(ctx),
    },
    mTLS: mutualTls(deps),
    dPoP: { enabled: true, nonceSecret: deps.dpopNonceSecret },
    resourceIndicators: {
      enabled: true,
      defaultResource: (_ctx, client, granted) => defaultResourceOf(client as KnownClient, granted),
      useGrantedResource: () => true,
      getResourceServerInfo: translated(async (ctx, identifier, client) =>
        resourceServerFor({ ...deps, oidcScopes }, ctx, identifier, client as KnownClient),
      ),
    },
    backchannelLogout: { enabled: true },
    rpInitiatedLogout: {
      enabled: true,
      logoutSource: deps.pages.confirmSignOut,
      postLogoutSuccessSource: deps.pages.signedOut,
    },
  };
}
