import { importJWK, importPKCS8, SignJWT, type CryptoKey, type JWK } from 'jose';
import * as client from 'openid-client';
import { epochSeconds } from '../kernel/time.js';
import { createExpiringMap } from '../platform/cache/expiring.js';
import type { Connection, Upstream } from './connection.js';
import type { ProviderCalls } from './provider-calls.js';
import { asAnswered } from './upstream-errors.js';

export interface UpstreamClients {
  /** A client of the provider, with its discovery document; both are kept for a while. */
  clientOf(connection: Connection): Promise<client.Configuration>;
  /** The same, newly made. */
  freshClientOf(connection: Connection): Promise<client.Configuration>;
}

export interface UpstreamClientDeps {
  calls: ProviderCalls;
  openSecret(connection: Connection): Promise<string>;
  documentSeconds: number;
}

/** How far the clock of a provider may be from ours. */
export const toleranceSeconds = 15;
/** Longer than the client that it is for is kept. */
const signedSecretSeconds = 3600;
const callSeconds = 10;

export function upstreamClients(deps: UpstreamClientDeps): UpstreamClients {
  const kept = createExpiringMap<client.Configuration>(deps.documentSeconds);
  return {
    // under its last change, so that a changed connection is another one
    clientOf: (connection) =>
      kept.get(`${connection.id} ${connection.updatedAt.getTime()}`, () => openClient(deps, connection)),
    freshClientOf: (connection) => openClient(deps, connection),
  };
}

async function openClient(deps: UpstreamClientDeps, connection: Connection): Promise<client.Configuration> {
  const { upstream } = connection;
  const secret = await deps.openSecret(connection);
  const proof = await asAnswered(() => proofOf(upstream, secret));
  const metadata = {
    id_token_signed_response_alg: upstream.idTokenAlgorithm,
    [client.clockTolerance]: toleranceSeconds,
  };
  const fetchIt = deps.calls.fetchFor(connection.id);
  const send: client.CustomFetch = (url, init) => fetchIt(url, init as RequestInit);
  if (upstream.protocol === 'oauth2') {
    const configuration = new client.Configuration(serverOf(upstream), upstream.clientId, metadata, proof);
    configuration[client.customFetch] = send;
    configuration.timeout = callSeconds;
    return configuration;
  }
  return asAnswered(() =>
    client.discovery(new URL(upstream.issuer), upstream.clientId, metadata, proof, {
      ...{ [client.customFetch]: send, timeout: callSeconds },
      // by itself it trusts the connection over which the ID token came, and does not look at its signature
      execute: [client.enableNonRepudiationChecks],
    }),
  );
}

function serverOf({ issuer, authorizationEndpoint, tokenEndpoint, userinfoEndpoint }: Upstream): client.ServerMetadata {
  return {
    issuer,
    ...(authorizationEndpoint === null ? {} : { authorization_endpoint: authorizationEndpoint }),
    ...(tokenEndpoint === null ? {} : { token_endpoint: tokenEndpoint }),
    ...(userinfoEndpoint === null ? {} : { userinfo_endpoint: userinfoEndpoint }),
  };
}

async function proofOf(upstream: Upstream, secret: string): Promise<client.ClientAuth> {
  switch (upstream.authentication) {
    case 'client_secret_basic':
      return client.ClientSecretBasic(secret);
    case 'client_secret_post':
      return client.ClientSecretPost(secret);
    case 'private_key_jwt': {
      const jwk = JSON.parse(secret) as JWK;
      const key = (await importJWK(jwk, 'ES256')) as CryptoKey;
      return client.PrivateKeyJwt({ key, ...(jwk.kid === undefined ? {} : { kid: jwk.kid }) });
    }
    case 'secret_jwt_by_key':
      return client.ClientSecretPost(await signedSecret(upstream, secret));
  }
}

/** As Apple wants it: who signs, for which of their clients, and for the provider alone. */
async function signedSecret({ signer, clientId, issuer }: Upstream, pem: string): Promise<string> {
  const key = await importPKCS8(pem, 'ES256');
  const now = epochSeconds(new Date());
  return new SignJWT({})
    .setProtectedHeader({ alg: 'ES256', kid: signer?.keyId ?? '' })
    .setIssuer(signer?.teamId ?? '')
    .setSubject(clientId)
    .setAudience(issuer)
    .setIssuedAt(now)
    .setExpirationTime(now + signedSecretSeconds)
    .sign(key);
}
