import { createPublicKey, X509Certificate, type JsonWebKey } from 'node:crypto';

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
  /** The certificate of this key, in base64, for who shows it by TLS. */
  x5c?: string[] | undefined;
}

/** Algorithms by which clients sign, with the keys that they take; `EdDSA` and `Ed25519` (RFC 9864) are one. */
export const clientSigningAlgorithms = ['ES256', 'RS256', 'PS256', 'EdDSA', 'Ed25519'] as const;

const algorithmsOf: Readonly<Record<string, readonly string[]>> = {
  'EC P-256': ['ES256'],
  RSA: ['RS256', 'PS256'],
  'OKP Ed25519': ['EdDSA', 'Ed25519'],
};
const publicMembers = new Set(['kty', 'crv', 'x', 'y', 'n', 'e', 'kid', 'use', 'alg']);
const secretMembers = new Set(['d', 'p', 'q', 'dp', 'dq', 'qi', 'oth', 'k', 'priv']);
/** Of one client at a time. */
export const mostClientKeys = 10;
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
  const secret = secretMemberOf(jwk);
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

/** A member that belongs to a private or a shared key, if there is one. */
export function secretMemberOf(jwk: object): string | undefined {
  return Object.keys(jwk).find((name) => secretMembers.has(name));
}

/** The key without what is of no use here: certificates, thumbprints, whatever else its owner writes there. */
export function publicPartOf(jwk: PublicJwk): PublicJwk & Record<string, unknown> {
  const members = Object.entries(jwk).filter(([name]) => publicMembers.has(name));
  return Object.fromEntries(members) as PublicJwk & Record<string, unknown>;
}

/** The same for a key that comes with its certificate. Whether that has expired is looked at when it is shown. */
export function problemOfCertifiedKey({ x5c, ...jwk }: PublicJwk & Record<string, unknown>): string | null {
  const problem = problemOfPublicKey(jwk);
  if (problem !== null || x5c === undefined) return problem;
  const [encoded = '', ...others] = x5c;
  if (others.length > 0) return 'must hold one certificate (x5c), that of the key itself';
  if (Buffer.from(encoded, 'base64').toString('base64') !== encoded) return 'x5c must be base64 (not of the URL)';
  try {
    const ofCertificate = new X509Certificate(Buffer.from(encoded, 'base64')).publicKey;
    const own = createPublicKey({ key: jwk as JsonWebKey, format: 'jwk' });
    return own.equals(ofCertificate) ? null : 'x5c is the certificate of another key';
  } catch {
    return 'x5c is not a certificate';
  }
}
