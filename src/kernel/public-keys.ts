import { createPublicKey, type JsonWebKey } from 'node:crypto';

/** A public key of a client (RFC 7517) with which it proves who it is. */
export interface PublicJwk {
  kty: string;
  crv?: string | undefined;
  x?: string | undefined;
  y?: string | undefined;
  n?: string | undefined;
  e?: string | undefined;
  kid?: string | undefined;
  use?: string | undefined;
  alg?: string | undefined;
}

/** Algorithms by which clients sign, with the keys that they take; `EdDSA` and `Ed25519` (RFC 9864) are one. */
export const clientSigningAlgorithms = ['ES256', 'RS256', 'PS256', 'EdDSA', 'Ed25519'] as const;

const algorithmsOf: Readonly<Record<string, readonly string[]>> = {
  'EC P-256': ['ES256'],
  RSA: ['RS256', 'PS256'],
  'OKP Ed25519': ['EdDSA', 'Ed25519'],
};
const publicMembers = new Set(['kty', 'crv', 'x', 'y', 'n', 'e', 'kid', 'use', 'alg']);
const minimumRsaBits = 2048;
const maximumRsaBits = 8192;

/** The algorithms that this key can verify; none for a key that is of no use here. */
export function algorithmsOfKey({ kty, crv, alg }: PublicJwk): readonly string[] {
  const possible = algorithmsOf[crv === undefined ? kty : `${kty} ${crv}`] ?? [];
  return alg === undefined ? possible : possible.filter((each) => each === alg);
}

/**
 * Why this may not be registered as a client's public key, or null. Only what is needed to verify a signature is taken:
 * a key that holds its private half, or one that both sides share, would be no proof.
 */
export function problemOfPublicKey(jwk: PublicJwk & Record<string, unknown>): string | null {
  const secret = Object.keys(jwk).find((name) => ['d', 'p', 'q', 'dp', 'dq', 'qi', 'oth', 'k', 'priv'].includes(name));
  if (secret !== undefined) return `must be a public key, without ${secret}`;
  const unknown = Object.keys(jwk).find((name) => !publicMembers.has(name));
  if (unknown !== undefined) return `must not hold ${unknown}`;
  if (jwk.use !== undefined && jwk.use !== 'sig') return 'must be for signatures (use: sig)';
  if (algorithmsOfKey(jwk).length === 0) return `must be a key for ${clientSigningAlgorithms.join(', ')}`;
  let bits: number | undefined;
  try {
    const key = createPublicKey({ key: jwk as JsonWebKey, format: 'jwk' });
    bits = key.asymmetricKeyDetails?.modulusLength;
  } catch {
    return 'is not a key';
  }
  if (bits === undefined) return null;
  return bits < minimumRsaBits || bits > maximumRsaBits
    ? `must have ${minimumRsaBits} to ${maximumRsaBits} bits`
    : null;
}
