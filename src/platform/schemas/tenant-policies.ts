import { z } from 'zod';

/**
 * What a tenant may ask of its people, as seeds and the API take it; null: what the platform asks for. The loose end of
 * each bound is the number of the platform (`config/policy.ts`): a tenant is stricter or has no say.
 */

export const passwordPolicy = {
  minimumLength: z.int().min(15).max(128).nullable(),
  /** How many former passwords nobody takes again, nor the present one; 0 and null: none is kept. */
  history: z.int().min(0).max(24).nullable(),
};

/** Of passwords and of codes of second factors, each where it is stricter than what the platform asks for. */
export const signInAttemptsPolicy = {
  /** Wrong ones from one place before waits begin. */
  tries: z.int().min(2).max(5).nullable(),
  /** How long they are remembered. */
  windowSeconds: z.int().min(900).max(86_400).nullable(),
  firstWaitSeconds: z.int().min(60).max(3600).nullable(),
  longestWaitSeconds: z.int().min(3600).max(86_400).nullable(),
  /** Wrong ones in a row after which waiting does not help (NIST SP 800-63B-4 §3.2.2: 100 at most). */
  consecutive: z.int().min(10).max(100).nullable(),
};

export const sessionPolicy = {
  idleSeconds: z.int().min(60).max(3600).nullable(),
  absoluteSeconds: z.int().min(300).max(43_200).nullable(),
};

/** Whether codes by e-mail stand in for the second factors of its people. */
export const emailCodesPolicy = z.enum(['allowed', 'refused']);

/** For who names some members only: the others are null. */
export function withNull<Shape extends Record<string, z.ZodNullable>>(
  shape: Shape,
): { [Name in keyof Shape]: z.ZodDefault<Shape[Name]> } {
  const entries = Object.entries(shape).map(([name, member]) => [name, member.default(null)]);
  return Object.fromEntries(entries) as { [Name in keyof Shape]: z.ZodDefault<Shape[Name]> };
}
