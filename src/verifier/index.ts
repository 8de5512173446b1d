/**
 * For APIs that accept our access tokens: says of a request who sent it, in which tenant and with which rights. Owns
 * the rules of RFC 9068, RFC 6750, RFC 9449 and RFC 8705 on the side of the resource server. No part of the server: it
 * needs jose and Node alone, knows the issuer by its discovery document, and does not ask whether a token was revoked.
 */
import { createHash } from 'node:crypto';
import type { JWTVerifyGetKey } from 'jose';
import { AccessRefused } from './access-refused.js';
import { readAccessToken, type AccessTokenClaims, type Confirmation } from './access-token.js';
import { isSafeAddress, issuerKeys } from './issuer-keys.js';
import { parseCredentials, type Credentials, type PresentedRequest } from './presented-request.js';
import { checkProof } from './proof.js';
import { usedProofs, type ClaimProof } from './used-proofs.js';

export { AccessRefused, VerificationUnavailable, type RefusalCode } from './access-refused.js';
export type { AccessTokenClaims, Actor } from './access-token.js';
export { presentedRequest, type PresentedRequest } from './presented-request.js';
export type { ClaimProof } from './used-proofs.js';

export interface VerifierOptions {
  /** Word for word as it stands in the tokens. */
  issuer: string;
  /** The identifier of this API. */
  audience: string;
  /** How far the clocks of issuer and API may be apart; 5 unless given. */
  clockToleranceSeconds?: number;
  /** How far the clocks of client and API may be apart; 60 unless given. */
  proofWindowSeconds?: number;
  /** Where several processes serve one API they must share it; unless given this process remembers by itself. */
  claimProof?: ClaimProof;
  /** How many proofs this process remembers; 100 000 unless given. */
  proofCapacity?: number;
  /** After how long keys are fetched again; 600 unless given. */
  keyMaxAgeSeconds?: number;
  /** How long an unknown key does not make us ask again; 30 unless given. */
  keyCooldownSeconds?: number;
  now?: () => Date;
  /** The keys of the issuer, for who has them at hand; unless given they are fetched. */
  keys?: JWTVerifyGetKey;
}

/** What the request needs beside a good token. */
export interface Needs {
  /** All of them. */
  scope?: readonly string[];
  /** Id of the tenant whose data is asked for. */
  tenant?: string;
}

export interface Verifier {
  /** Throws `AccessRefused`, or `VerificationUnavailable` when nothing can be said now. */
  verify(request: PresentedRequest, needs?: Needs): Promise<AccessTokenClaims>;
}

export function createVerifier(options: VerifierOptions): Verifier {
  const rules = rulesOf(options);
  const keys = options.keys ?? issuerKeys(rules);

  async function checkSender(request: PresentedRequest, credentials: Credentials, confirmation: Confirmation) {
    const { jkt, 'x5t#S256': thumbprint } = confirmation;
    const { scheme, token } = credentials;
    if ((scheme === 'DPoP') !== (jkt !== undefined)) {
      const reason = jkt === undefined ? 'the token is not bound to a key' : 'the token is bound to a key';
      throw new AccessRefused('invalid_token', `${reason}: wrong scheme`, { scheme });
    }
    if (thumbprint !== undefined && thumbprintOf(request.clientCertificate) !== thumbprint) {
      throw new AccessRefused('invalid_token', 'the token is bound to another certificate', { scheme });
    }
    if (jkt !== undefined) await checkProof(request, { token, jkt }, rules);
  }

  return {
    async verify(request, needs = {}) {
      const credentials = parseCredentials(request.authorization);
      const { claims, confirmation } = await readAccessToken(credentials, keys, rules);
      await checkSender(request, credentials, confirmation);
      checkNeeds(needs, claims, credentials);
      return claims;
    },
  };
}

type Rules = Required<Omit<VerifierOptions, 'keys'>>;

function rulesOf(options: VerifierOptions): Rules {
  const { issuer, audience, now = () => new Date(), proofCapacity = 100_000 } = options;
  if (!isSafeAddress(issuer)) throw new TypeError('issuer must be an https URL (plain http is for localhost alone)');
  // an audience that is not there would not be looked at
  if (typeof audience !== 'string' || audience === '') throw new TypeError('audience must be named');
  return {
    ...{ issuer, audience, now, proofCapacity },
    clockToleranceSeconds: options.clockToleranceSeconds ?? 5,
    proofWindowSeconds: options.proofWindowSeconds ?? 60,
    claimProof: options.claimProof ?? usedProofs(now, proofCapacity),
    keyMaxAgeSeconds: options.keyMaxAgeSeconds ?? 600,
    keyCooldownSeconds: options.keyCooldownSeconds ?? 30,
  };
}

/** A need that is named is checked, also where its value got lost on the way here. */
function checkNeeds(needs: Needs, { tenant, scopes }: AccessTokenClaims, { scheme }: Credentials): void {
  if ('tenant' in needs && needs.tenant !== tenant.id) {
    throw new AccessRefused('insufficient_scope', 'the token counts in another tenant', { scheme });
  }
  const scope = 'scope' in needs ? needs.scope : [];
  if (!scope.every((name) => scopes.includes(name))) {
    throw new AccessRefused('insufficient_scope', 'the token does not have every scope needed', { scheme, scope });
  }
}

/** RFC 8705 §3.1. */
function thumbprintOf(certificate: PresentedRequest['clientCertificate']): string | undefined {
  if (certificate === undefined || typeof certificate === 'string') return certificate;
  return createHash('sha256').update(certificate).digest('base64url');
}
