import * as client from 'openid-client';
import { randomSecret } from '../kernel/secret.js';
import type { Connection } from './connection.js';
import type { UpstreamClients } from './upstream-client.js';
import { causesOf, ProviderUnavailable } from './upstream-errors.js';
import { redirectUriOf } from './upstream-sign-in.js';

export interface ConnectionCheck {
  check: string;
  passes: boolean;
  /** What was found, and what to do about it. */
  detail: string;
}

/**
 * What of a connection works, step by step until one fails that the others need. Asks the provider as a sign-in would,
 * and tells nothing of its answers: whoever set the addresses may not read what is behind them.
 */
export async function testConnection(
  { issuer, clients }: { issuer: string; clients: UpstreamClients },
  connection: Connection,
): Promise<ConnectionCheck[]> {
  const { upstream } = connection;
  const opened = await clients.freshClientOf(connection).catch((error: unknown) => error as Error);
  if (opened instanceof Error) {
    const detail = isUnavailable(opened)
      ? 'The discovery document of the issuer could not be fetched. Look at the issuer, and whether it can be reached from here.'
      : 'The issuer gives no discovery document that names it as its issuer.';
    return [failing('discovery', detail)];
  }
  const checks = upstream.protocol === 'oidc' ? [passing('discovery', 'It is there and names the issuer.')] : [];
  checks.push(...announcements(connection, opened.serverMetadata()));
  if (checks.some(({ passes }) => !passes)) return checks;
  return [...checks, await credentialsCheck(opened, redirectUriOf(issuer, connection))];
}

function announcements({ upstream }: Connection, server: Readonly<client.ServerMetadata>): ConnectionCheck[] {
  const endpoints = [server.authorization_endpoint, server.token_endpoint];
  const isOidc = upstream.protocol === 'oidc';
  const areGood = [...endpoints, ...(isOidc ? [server.jwks_uri] : [])].every(isHttps);
  const checks = [
    areGood
      ? passing('endpoints', 'They are named, and all are https.')
      : failing('endpoints', 'An address for authorization, tokens or keys is missing, or is not https.'),
  ];
  if (!isOidc) return checks;
  const { idTokenAlgorithm: algorithm, responseMode } = upstream;
  checks.push(
    announced('id_token_algorithm', server.id_token_signing_alg_values_supported, algorithm),
    announced('response_mode', server.response_modes_supported, responseMode),
    announced('pkce', server.code_challenge_methods_supported, 'S256'),
  );
  return checks;
}

const isHttps = (url: unknown): boolean =>
  typeof url === 'string' && URL.canParse(url) && new URL(url).protocol === 'https:';

/** A provider that says nothing about it may do it all the same. `supported`: as its document has it, whatever that is. */
function announced(check: string, supported: unknown, wanted: string): ConnectionCheck {
  if (!Array.isArray(supported)) return passing(check, `The provider does not say whether it knows ${wanted}.`);
  if (supported.includes(wanted)) return passing(check, `The provider knows ${wanted}.`);
  return failing(check, `The provider does not know ${wanted}.`);
}

/** With a code that nobody was given: who is known is refused for the code, and who is not for themselves. */
async function credentialsCheck(configuration: client.Configuration, redirectUri: string): Promise<ConnectionCheck> {
  const state = randomSecret();
  const url = new URL(`${redirectUri}?${new URLSearchParams({ code: randomSecret(), state }).toString()}`);
  const issuer = configuration.serverMetadata().issuer;
  url.searchParams.set('iss', issuer);
  const checks = { expectedState: state, pkceCodeVerifier: randomSecret() };
  const error: unknown = await client
    .authorizationCodeGrant(configuration, url, checks)
    .catch((thrown: unknown) => thrown);
  if (error instanceof Error && isUnavailable(error))
    return failing('credentials', 'The token endpoint could not be reached.');
  const refusal = refusalIn(error);
  if (refusal === 'invalid_grant' || refusal === 'bad_verification_code')
    return passing('credentials', 'The provider knows the client, and refused a made-up code.');
  const isUnknown =
    error instanceof client.WWWAuthenticateChallengeError ||
    refusal === 'invalid_client' ||
    refusal === 'incorrect_client_credentials';
  return isUnknown
    ? failing('credentials', 'The provider does not accept the client id and secret (or key).')
    : failing('credentials', 'The provider did not answer to a made-up code as OAuth 2.0 says.');
}

/** What the token endpoint names as its reason. GitHub does so with status 200, and in words of its own. */
function refusalIn(error: unknown): unknown {
  if (error instanceof client.ResponseBodyError) return error.error;
  const bodies = [...causesOf(error)].map(({ cause }) => (cause as { body?: { error?: unknown } } | undefined)?.body);
  return bodies.find((body) => body !== undefined)?.error;
}

const isUnavailable = (error: unknown): boolean =>
  [...causesOf(error)].some((each) => each instanceof ProviderUnavailable);
const passing = (check: string, detail: string): ConnectionCheck => ({ check, passes: true, detail });
const failing = (check: string, detail: string): ConnectionCheck => ({ check, passes: false, detail });
