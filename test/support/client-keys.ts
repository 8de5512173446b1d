import { randomUUID } from 'node:crypto';
import { exportJWK, SignJWT, type CryptoKey } from 'jose';
import type { PublicJwk } from '../../src/kernel/public-keys.js';
import type { SeedInput } from '../../src/seeding/index.js';
import { contractSeed, projectsApi, redirectUri } from './contract-seed.js';
import { newKeyPair } from './key-pair.js';

export const assertionType = 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer';

export interface ClientKey {
  privateKey: CryptoKey;
  jwk: PublicJwk;
  alg: string;
}

export async function newClientKey(alg: string, kid?: string): Promise<ClientKey> {
  const { privateKey, publicKey } = await newKeyPair(alg);
  return {
    privateKey,
    alg,
    jwk: { ...(await exportJWK(publicKey)), ...(kid === undefined ? {} : { kid }) } as PublicJwk,
  };
}

/** The contract's seed with the client `signed`, and the service account `signed-ci`, both with these keys. */
export function seedWithKeys(keys: readonly ClientKey[], changes: object = {}): SeedInput {
  const jwks = { keys: keys.map(({ jwk }) => jwk as PublicJwk & Record<string, unknown>) };
  const [acme, ...others] = contractSeed.tenants ?? [];
  return {
    ...contractSeed,
    tenants: [
      {
        ...acme!,
        serviceAccounts: [
          ...(acme?.serviceAccounts ?? []),
          { clientId: 'signed-ci', name: 'CI', roles: ['editor'], jwks },
        ],
      },
      ...others,
    ],
    clients: [
      ...(contractSeed.clients ?? []),
      {
        client_id: 'signed',
        token_endpoint_auth_method: 'private_key_jwt',
        jwks,
        redirect_uris: [redirectUri],
        grant_types: ['authorization_code', 'refresh_token'],
        firstParty: true,
        resources: [projectsApi],
        ...changes,
      },
    ],
  };
}

export interface AssertionDraft {
  clientId: string;
  audience: unknown;
  key: ClientKey;
  claims?: Record<string, unknown>;
  header?: Record<string, unknown>;
}

/** An assertion that is right in all (RFC 7523 §3); members of `claims` and `header` that are undefined are left out. */
export async function clientAssertion({ clientId, audience, key, claims, header }: AssertionDraft): Promise<string> {
  const now = Math.floor(Date.now() / 1000);
  return new SignJWT({
    ...{ iss: clientId, sub: clientId, aud: audience, jti: randomUUID(), iat: now, exp: now + 60 },
    ...claims,
  } as Record<string, unknown>)
    .setProtectedHeader({ alg: key.alg, ...header })
    .sign(key.privateKey, header?.['crit'] ? { crit: { [String((header['crit'] as string[])[0])]: true } } : undefined);
}

/** The members of a request by which a client authenticates with this assertion. */
export function assertedBy(assertion: string): Record<string, string> {
  return { client_assertion_type: assertionType, client_assertion: assertion };
}
