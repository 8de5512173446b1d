import { createPrivateKey, generateKeyPair, type KeyObject } from 'node:crypto';
import { promisify } from 'node:util';

export type SigningAlgorithm = 'ES256' | 'RS256';

const generate = promisify(generateKeyPair);
const publicKeyEncoding = { type: 'spki', format: 'pem' } as const;
const privateKeyEncoding = { type: 'pkcs8', format: 'pem' } as const;

/**
 * The private half of a new pair (P-256, or RSA of 2048 bits). It is made as text and read from that: Node.js 20 stands
 * still for good when it collects what has made a key while that same key is exported as a JWK, for both take its lock.
 */
export async function newPrivateKey(alg: SigningAlgorithm): Promise<KeyObject> {
  const { privateKey } =
    alg === 'RS256'
      ? await generate('rsa', { modulusLength: 2048, publicKeyEncoding, privateKeyEncoding })
      : await generate('ec', { namedCurve: 'P-256', publicKeyEncoding, privateKeyEncoding });
  return createPrivateKey(privateKey);
}
