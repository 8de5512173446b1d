import { createHmac, createSecretKey, hkdfSync } from 'node:crypto';

/** HMAC-SHA-256 under one key that serves one purpose; base64url, 43 characters. Not reversible without the key. */
export type KeyedHash = (...parts: string[]) => string;

/**
 * A keyed hash for one purpose. Keys of different purposes are independent (HKDF, RFC 5869), so that a value stored for
 * one purpose never matches one of another. Parts are joined by NUL, which none of them contains.
 */
export function keyedHash(rootKey: Uint8Array, purpose: string): KeyedHash {
  const key = createSecretKey(derivedKey(rootKey, purpose));
  return (...parts) => createHmac('sha256', key).update(parts.join('\0')).digest('base64url');
}

/** 32 bytes for one purpose from a root key. */
export function derivedKey(rootKey: Uint8Array, purpose: string): Buffer {
  return Buffer.from(hkdfSync('sha256', rootKey, '', purpose, 32));
}
