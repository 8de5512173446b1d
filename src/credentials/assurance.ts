/**
 * How sure we are of a person. `aal1`: one factor. `aal2`: two of different kinds, or a passkey whose device has looked
 * at the person too (NIST SP 800-63B-4). An upstream provider counts for a password, unless it is trusted to tell of more. Codes by e-mail and trusted browsers stand in for a person's own factor; they
 * never make `aal2`.
 */
export const levels = ['aal1', 'aal2'] as const;
export type Level = (typeof levels)[number];

export interface Proof {
  method: 'pwd' | 'totp' | 'recovery_code' | 'email_code' | 'trusted_device' | 'passkey' | 'federated';
  /** Authentication method references (RFC 8176). */
  amr: readonly string[];
  /** Of a passkey: its device has checked a PIN or a feature of the body. Of a provider: it says so of two factors, and is trusted in that. */
  isVerified?: boolean;
}

/** What a login has to prove, from whichever side that is asked for. */
export interface Required {
  /** What the person has enrolled; empty: their password is all they have. */
  enrolled: readonly string[];
  /** The highest that platform, tenant, client and request ask for. */
  level: Level;
}

export const passwordProof: Proof = { method: 'pwd', amr: ['pwd'] };
export const trustedDeviceProof: Proof = { method: 'trusted_device', amr: [] };

/** Somebody's own provider has vouched for them: one factor, whatever they did there. */
export const federatedProof: Proof = { method: 'federated', amr: ['fed'] };

const firstFactors: readonly Proof['method'][] = ['pwd', 'federated'];
const secondFactors: readonly Proof['method'][] = ['totp', 'recovery_code', 'passkey'];

export function isLevel(value: unknown): value is Level {
  return levels.includes(value as Level);
}

/** Whether one level is as high as another; a level that is not known is the lowest. */
export function reaches(level: string | undefined, needed: Level): boolean {
  return needed === 'aal1' || level === needed;
}

export function levelOf(proofs: readonly Proof[]): Level {
  if (proofs.some(({ isVerified }) => isVerified === true)) return 'aal2';
  const hasFirst = proofs.some(({ method }) => firstFactors.includes(method));
  return hasFirst && proofs.some(({ method }) => secondFactors.includes(method)) ? 'aal2' : 'aal1';
}

export function amrOf(proofs: readonly Proof[]): string[] {
  return [...new Set([...proofs.flatMap(({ amr }) => amr), ...(levelOf(proofs) === 'aal2' ? ['mfa'] : [])])];
}

/** The one decision whether a login is finished: all that is required is proven. */
export function isLoginFinished({ enrolled, level }: Required, proofs: readonly Proof[]): boolean {
  const proven = levelOf(proofs);
  const hasFirst = proven === 'aal2' || proofs.some(({ method }) => firstFactors.includes(method));
  if (!hasFirst || !reaches(proven, level)) return false;
  return enrolled.length === 0 || proven === 'aal2' || proofs.some(({ method }) => standsIn(method, enrolled));
}

/** Codes by e-mail count for who has chosen them. */
function standsIn(method: Proof['method'], enrolled: readonly string[]): boolean {
  return method === 'trusted_device' || (method === 'email_code' && enrolled.includes('email'));
}

/**
 * What counts of this where a tenant of the person refuses codes by e-mail. Who has nothing else still gives one, or a
 * password alone would be enough to set up what takes its place (`restsOnEmail`).
 */
export function withoutEmailCodes(enrolled: readonly string[]): readonly string[] {
  return reachesSecondLevel(enrolled) ? enrolled.filter((kind) => kind !== 'email') : enrolled;
}

/**
 * Whether a sign-in at the first level was by a code by e-mail, also by one that is not chosen any more, or by somebody who
 * has nothing better.
 */
export function restsOnEmail(enrolled: readonly string[], amr: readonly string[]): boolean {
  // any other one-time code beside a first factor makes the second level
  return reachesSecondLevel(enrolled) ? amr.includes('otp') : enrolled.includes('email');
}

/** Whether a sign-in has proven the most that somebody who has these can: their own factors, or else a code by e-mail. */
export function isStrongest(
  enrolled: readonly string[],
  { level, amr }: { level: string | undefined; amr: readonly string[] },
): boolean {
  if (reaches(level, 'aal2')) return true;
  return !reachesSecondLevel(enrolled) && (!enrolled.includes('email') || amr.includes('otp'));
}

/** Whether somebody who has these can prove more than a password and a mailbox. */
export function reachesSecondLevel(enrolled: readonly string[]): boolean {
  return enrolled.includes('totp') || enrolled.includes('passkey');
}
