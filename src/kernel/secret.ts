import { randomBytes, timingSafeEqual } from 'node:crypto';

/** 256 random bits as base64url (43 characters). */
export function randomSecret(): string {
  return randomBytes(32).toString('base64url');
}

/** Compares without telling by its duration where the two differ; lengths may differ. */
export function equalSecrets(left: string, right: string): boolean {
  const a = Buffer.from(left);
  const b = Buffer.from(right);
  return a.length === b.length && timingSafeEqual(a, b);
}
