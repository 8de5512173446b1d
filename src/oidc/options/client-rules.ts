import Provider, { errors, type Configuration, type KoaContextWithOIDC } from 'oidc-provider';
import { invitationTokenPattern, slugPattern, tenantIdPattern } from '../../kernel/patterns.js';
import { clientSigningAlgorithms } from '../../kernel/public-keys.js';
import { equalSecrets } from '../../kernel/secret.js';
import { epochSeconds, type Clock } from '../../kernel/time.js';
import { clientExtensionProperties } from '../adapter/client-adapter.js';
import { clientAssertionCheck } from '../client-assertion.js';
import { clientOf, type KnownClient } from '../library-internals.js';
import { certificateMethods, certificateRule, type MutualTlsDeps } from '../mutual-tls.js';

export interface ClientRulesDeps extends MutualTlsDeps {
  lifetimes: { clientAssertionSeconds: number };
  now: Clock;
}

/** What clients may be and do: authentication, PKCE, redirect URIs, CORS, and the request parameter `tenant`. */
export function clientRules(deps: ClientRulesDeps): Configuration {
  const { lifetimes, now, clientCertificates } = deps;
  const refuseWithoutCertificates = certificateRule(deps);
  return {
    // never client_secret_jwt: it needs secrets that can be read, and ours are stored hashed
    clientAuthMethods: [
      ...(['none', 'client_secret_basic', 'client_secret_post', 'private_key_jwt'] as const),
      ...(clientCertificates ? certificateMethods : []),
    ],
    assertJwtClientAuthClaimsAndHeader: clientAssertionCheck(lifetimes.clientAssertionSeconds, now),
    extraClientMetadata: {
      properties: [...clientExtensionProperties],
      validator: (_ctx, name, value) => void (name === 'needsCertificate' && refuseWithoutCertificates(value)),
    },
    clientDefaults: {
      id_token_signed_response_alg: 'RS256',
      grant_types: ['authorization_code'],
      response_types: ['code'],
    },
    responseTypes: ['code'],
    pkce: { required: (_ctx, client) => (client as KnownClient).requirePkce },
    allowOmittingSingleRegisteredRedirectUri: false,
    clientBasedCORS: (_ctx, origin, client) => client.redirectUris?.some((uri) => isOriginOf(uri, origin)) ?? false,
    extraParams: { tenant: checkRequest, invitation: checkInvitation },
    subjectTypes: ['public'],
    enabledJWA: {
      clientAuthSigningAlgValues: [...clientSigningAlgorithms],
      idTokenSigningAlgValues: ['RS256', 'ES256'],
      userinfoSigningAlgValues: ['RS256', 'ES256'],
      dPoPSigningAlgValues: ['ES256', 'EdDSA', 'RS256', 'PS256'],
    },
  };
}

/** Private schemes have the origin `null`, which every sandboxed frame has too. */
function isOriginOf(uri: string, origin: string): boolean {
  return /^https?:/.test(uri) && new URL(uri).origin === origin;
}

/** Called for every authorization, pushed and device request, also for those without the parameter. */
function checkRequest(ctx: KoaContextWithOIDC, tenant: string | undefined): void {
  if (tenant !== undefined && !tenantIdPattern.test(tenant) && !slugPattern.test(tenant)) {
    throw new errors.InvalidRequest('tenant must be the slug or the id of a tenant');
  }
  if (ctx.oidc.route === 'device_authorization') return; // no code travels through a browser there
  const { code_challenge: challenge, nonce } = ctx.oidc.params ?? {};
  if (!clientOf(ctx).requirePkce && challenge === undefined && nonce === undefined) {
    throw new errors.InvalidRequest('a nonce is required where PKCE is not used');
  }
}

/** The API key with which the client of this request has authenticated. */
export interface ApiKeyState {
  apiKey?: { id: string; createdBy: string | null };
}

/** The token of an invitation link, which an app may also take and send along itself. */
function checkInvitation(_ctx: KoaContextWithOIDC, invitation: string | undefined): void {
  if (invitation === undefined || invitationTokenPattern.test(invitation)) return;
  throw new errors.InvalidRequest('invitation must be the token of an invitation link');
}

/** Compares a presented secret with all live ones, each in constant time. */
export function secretMatcher(
  hash: (secret: string) => string,
  now: Clock,
): (client: KnownClient, presented: string) => boolean {
  return (client, presented) => {
    const presentedHash = hash(presented);
    const currently = epochSeconds(now());
    let matched = false;
    for (const secret of client.liveSecrets) {
      const isLive = secret.expiresAt === null || secret.expiresAt > currently;
      if (!equalSecrets(secret.hash, presentedHash) || !isLive) continue;
      matched = true;
      if (secret.apiKey && Provider.ctx) (Provider.ctx.state as ApiKeyState).apiKey = secret.apiKey;
    }
    return matched;
  };
}
