import { generateKeyPairSync } from 'node:crypto';
import { importPKCS8, importSPKI, type CryptoKey } from 'jose';

const publicKeyEncoding = { type: 'spki', format: 'pem' } as const;
const privateKeyEncoding = { type: 'pkcs8', format: 'pem' } as const;

/** Of this algorithm (RFC 7518, RFC 8037), to be exported. By way of text, for the reason that `newPrivateKey` gives. */
export async function newKeyPair(alg: string): Promise<{ privateKey: CryptoKey; publicKey: CryptoKey }> {
  const made = makePair(alg);
  const [privateKey, publicKey] = await Promise.all([
    importPKCS8(made.privateKey, alg, { extractable: true }),
    importSPKI(made.publicKey, alg, { extractable: true }),
  ]);
  return { privateKey, publicKey };
}

function makePair(alg: string): { privateKey: string; publicKey: string } {
  if (alg === 'EdDSA' || alg === 'Ed25519')
    return generateKeyPairSync('ed25519', { publicKeyEncoding, privateKeyEncoding });
  if (!alg.startsWith('ES'))
    return generateKeyPairSync('rsa', { modulusLength: 2048, publicKeyEncoding, privateKeyEncoding });
  const namedCurve = { ES256: 'P-256', ES384: 'P-384', ES512: 'P-521' }[alg] ?? '';
  return generateKeyPairSync('ec', { namedCurve, publicKeyEncoding, privateKeyEncoding });
}
