import { calculateJwkThumbprint, exportJWK, generateKeyPair } from 'jose';
import type { PublicJwk } from '../kernel/public-keys.js';

/** A key of ours for one provider: the private half as the secret of the connection, the public one to be told. */
export async function newClientKey(): Promise<{ secret: string; publicKey: PublicJwk }> {
  const { privateKey, publicKey } = await generateKeyPair('ES256', { extractable: true });
  const jwk = await exportJWK(publicKey);
  const { kty = '', crv, x, y } = jwk;
  const kid = await calculateJwkThumbprint(jwk);
  const secret = JSON.stringify({ ...(await exportJWK(privateKey)), kid });
  return { secret, publicKey: { kty, crv, x, y, kid, use: 'sig', alg: 'ES256' } };
}
