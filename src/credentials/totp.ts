import { createHmac, randomBytes } from 'node:crypto';
import { equalSecrets } from '../kernel/secret.js';
import { epochSeconds } from '../kernel/time.js';

/**
 * Codes of authenticator apps (RFC 6238): SHA-1, six digits, 30 seconds, which is what all apps know. The algorithm is
 * twenty lines over Node's HMAC, so no package stands between a secret and its code.
 */
const stepSeconds = 30;
const digits = 6;
/** Steps before and after the present one that count too: clocks differ, and people type slowly. */
const window = 1;
const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567';

/** 160 random bits in base32, as apps take them. */
export function newTotpSecret(): string {
  return base32(randomBytes(20));
}

/** What the QR code says (the key URI format of authenticator apps). */
export function totpUri(secret: string, { issuer, account }: { issuer: string; account: string }): string {
  const label = `${encodeURIComponent(issuer)}:${encodeURIComponent(account)}`;
  const parameters = new URLSearchParams({
    ...{ secret, issuer, algorithm: 'SHA1', digits: String(digits), period: String(stepSeconds) },
  });
  return `otpauth://totp/${label}?${parameters.toString().replaceAll('+', '%20')}`;
}

/** The steps within the window whose code this is. */
export function stepsOfCode(secret: string, code: string, now: Date): number[] {
  const present = Math.floor(epochSeconds(now) / stepSeconds);
  const steps = Array.from({ length: 2 * window + 1 }, (_, index) => present - window + index);
  const key = fromBase32(secret);
  return steps.filter((step) => equalSecrets(codeAt(key, step), code)); // each is compared: nothing is told by the time
}

/** The code of the moment, as an app shows it. */
export function totpCode(secret: string, now: Date): string {
  return codeAt(fromBase32(secret), Math.floor(epochSeconds(now) / stepSeconds));
}

/** RFC 4226 §5.3. */
function codeAt(key: Buffer, step: number): string {
  const counter = Buffer.alloc(8);
  counter.writeBigUInt64BE(BigInt(Math.max(0, step)));
  const mac = createHmac('sha1', key).update(counter).digest();
  const offset = (mac.at(-1) ?? 0) & 0xf;
  const number = (mac.readUInt32BE(offset) & 0x7fffffff) % 10 ** digits;
  return String(number).padStart(digits, '0');
}

/** RFC 4648 without padding: what is written here are whole groups of five bits. */
export function base32(bytes: Buffer): string {
  let bits = '';
  for (const byte of bytes) bits += byte.toString(2).padStart(8, '0');
  return (bits.match(/.{1,5}/g) ?? []).map((group) => alphabet[parseInt(group.padEnd(5, '0'), 2)]).join('');
}

function fromBase32(text: string): Buffer {
  let bits = '';
  for (const letter of text) bits += alphabet.indexOf(letter).toString(2).padStart(5, '0');
  return Buffer.from((bits.match(/.{8}/g) ?? []).map((byte) => parseInt(byte, 2)));
}
