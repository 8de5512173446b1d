import { createHash } from 'node:crypto';
import { calculateJwkThumbprint, EmbeddedJWK, jwtVerify, type JWTPayload } from 'jose';
import { AccessRefused, proofAlgorithms, VerificationUnavailable } from './access-refused.js';
import { valuesOf, type PresentedRequest } from './presented-request.js';
import { normalizeTargetUri } from './target-uri.js';
import type { ClaimProof } from './used-proofs.js';

export interface ProofRules {
  /** How far `iat` may be from now, either way. */
  proofWindowSeconds: number;
  claimProof: ClaimProof;
  now(): Date;
}

export interface BoundToken {
  token: string;
  /** Thumbprint of the key to which it is bound (RFC 7638). */
  jkt: string;
}

interface Proof {
  claims: JWTPayload;
  thumbprint: string;
}

const scheme = 'DPoP';

/** RFC 9449 §4.3, in full but for nonces, which are not given out here. Used up last, so that only good ones are kept. */
export async function checkProof(request: PresentedRequest, { token, jkt }: BoundToken, rules: ProofRules) {
  const now = rules.now();
  const { claims, thumbprint } = await readProof(request.dpop, now);
  if (thumbprint !== jkt) {
    throw new AccessRefused('invalid_token', 'the token is bound to another key than that of the proof', { scheme });
  }
  const target = normalizeTargetUri(request.url);
  const age = Math.abs(Math.floor(now.getTime() / 1000) - Number(claims.iat));
  if (claims['htm'] !== request.method) throw refused('htm is not the method of this request');
  if (typeof claims['htu'] !== 'string' || target === null || normalizeTargetUri(claims['htu']) !== target) {
    throw refused('htu is not the address of this request');
  }
  if (typeof claims.iat !== 'number' || !(age <= rules.proofWindowSeconds)) throw refused('iat is not recent');
  if (claims['ath'] !== sha256(token)) throw refused('ath is not the hash of this access token');
  if (typeof claims.jti !== 'string' || claims.jti === '') throw refused('jti is missing');
  await useUp(sha256(`${jkt}.${claims.jti}`), now, rules);
}

async function readProof(header: PresentedRequest['dpop'], currentDate: Date): Promise<Proof> {
  const [proof = '', ...others] = valuesOf(header);
  // Node joins headers of the same name with a comma
  if (others.length > 0 || !/^[\w-]+\.[\w-]+\.[\w-]+$/.test(proof)) throw refused('exactly one proof is needed');
  try {
    const { payload, protectedHeader } = await jwtVerify(proof, EmbeddedJWK, {
      algorithms: proofAlgorithms,
      typ: 'dpop+jwt',
      currentDate,
    });
    return { claims: payload, thumbprint: await calculateJwkThumbprint(protectedHeader.jwk ?? {}) };
  } catch {
    // whatever is wrong, the platform's errors about a key included, is wrong with what the sender made
    throw refused('the proof is not one, or not signed with the key that it names');
  }
}

/** As long as any proof that is good now can be good, so that all are kept equally long. */
async function useUp(proofId: string, now: Date, { claimProof, proofWindowSeconds }: ProofRules): Promise<void> {
  const expiresAt = new Date(now.getTime() + (2 * proofWindowSeconds + 1) * 1000);
  let isFirstUse: boolean;
  try {
    isFirstUse = await claimProof(proofId, expiresAt);
  } catch (error) {
    throw new VerificationUnavailable('whether the proof was used before cannot be told', error);
  }
  if (!isFirstUse) throw refused('the proof was used before');
}

function refused(description: string): AccessRefused {
  return new AccessRefused('invalid_dpop_proof', description, { scheme });
}

function sha256(text: string): string {
  return createHash('sha256').update(text).digest('base64url');
}
