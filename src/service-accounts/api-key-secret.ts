import { randomBytes } from 'node:crypto';
import { crc32 } from 'node:zlib';

const alphabet = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz';

/**
 * A new API key: `sk_`, 256 random bits, and six characters of checksum (CRC-32 of what stands before), all in base 62.
 * The prefix and the checksum let a scanner of sources and logs tell a key that leaked from any other text.
 */
export function newApiKeySecret(): string {
  const secret = `sk_${base62(BigInt(`0x${randomBytes(32).toString('hex')}`), 43)}`;
  return secret + base62(BigInt(crc32(secret)), 6);
}

function base62(value: bigint, length: number): string {
  let text = '';
  for (let rest = value; text.length < length; rest /= 62n) text = (alphabet[Number(rest % 62n)] ?? '') + text;
  return text;
}
