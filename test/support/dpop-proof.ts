import { randomUUID } from 'node:crypto';
import { exportJWK, SignJWT } from 'jose';
import { newKeyPair } from './key-pair.js';

/** A fresh proof of a fresh key (RFC 9449) for a POST there. */
export async function dpopProof(htu: string): Promise<string> {
  const { privateKey, publicKey } = await newKeyPair('ES256');
  return new SignJWT({ jti: randomUUID(), htm: 'POST', htu })
    .setProtectedHeader({ alg: 'ES256', typ: 'dpop+jwt', jwk: await exportJWK(publicKey) })
    .setIssuedAt()
    .sign(privateKey);
}
