import { createPublicKey } from 'node:crypto';
import { calculateJwkThumbprint, exportJWK } from 'jose';
import type { PublicJwk } from '../kernel/public-keys.js';
import { newPrivateKey } from '../platform/crypto/key-pair.js';

/** A key of ours for one provider: the private half as the secret of the connection, the public one to be told. */
export async function newClientKey(): Promise<{ secret: string; publicKey: PublicJwk }> {
  const privateKey = await newPrivateKey('ES256');
  const jwk = await exportJWK(createPublicKey(privateKey));
  const { kty = '', crv, x, y } = jwk;
  const kid = await calculateJwkThumbprint(jwk);
  const secret = JSON.stringify({ ...(await exportJWK(privateKey)), kid });
  return { secret, publicKey: { kty, crv, x, y, kid, use: 'sig', alg: 'ES256' } };
}
