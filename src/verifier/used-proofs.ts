import { VerificationUnavailable } from './access-refused.js';

/**
 * Whether nobody has used this proof before; from now until `expiresAt` somebody has. Of uses at the same time one is
 * told true.
 */
export type ClaimProof = (proofId: string, expiresAt: Date) => boolean | Promise<boolean>;

/** The used proofs of this process. When it is full it refuses, since forgetting one early would let it be replayed. */
export function usedProofs(now: () => Date, capacity: number): ClaimProof {
  const expiries = new Map<string, number>();

  // all proofs are kept equally long, so they expire in the order in which they came
  function forgetExpired(instant: number): void {
    for (const [proofId, expiresAt] of expiries) {
      if (expiresAt > instant) return;
      expiries.delete(proofId);
    }
  }

  return (proofId, expiresAt) => {
    forgetExpired(now().getTime());
    if (expiries.has(proofId)) return false;
    if (expiries.size >= capacity) throw new VerificationUnavailable('no more proofs can be remembered now');
    expiries.set(proofId, expiresAt.getTime());
    return true;
  };
}
