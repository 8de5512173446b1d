import { createHash, randomUUID } from 'node:crypto';
import { exportJWK, SignJWT, type JWK } from 'jose';
import { newKeyPair } from './key-pair.js';

/** What differs from a proof that is right in all; a member that is undefined is left out. */
export interface ProofDraft {
  claims?: Record<string, unknown>;
  header?: Record<string, unknown>;
}

export interface DpopSender {
  publicKey: JWK;
  privateJwk: JWK;
  /** A proof for this request (RFC 9449 §4.2), of an access token where one is given. */
  proof(request: { method: string; url: string }, token?: string, draft?: ProofDraft): Promise<string>;
}

export async function dpopSender(alg = 'ES256'): Promise<DpopSender> {
  const pair = await newKeyPair(alg);
  const jwk = await exportJWK(pair.publicKey);
  return {
    publicKey: jwk,
    privateJwk: await exportJWK(pair.privateKey),
    async proof({ method, url }, token, { claims, header } = {}) {
      const ath = token === undefined ? {} : { ath: createHash('sha256').update(token).digest('base64url') };
      const iat = Math.floor(Date.now() / 1000);
      return new SignJWT({ jti: randomUUID(), htm: method, htu: url, iat, ...ath, ...claims })
        .setProtectedHeader({ alg, typ: 'dpop+jwt', jwk, ...header })
        .sign(pair.privateKey);
    },
  };
}
