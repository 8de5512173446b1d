import { webcrypto } from 'node:crypto';
import { CompactEncrypt, compactDecrypt, type CompactJWEHeaderParameters } from 'jose';

export interface SealingKey {
  kid: string;
  bytes: Uint8Array;
}

/**
 * What must be readable again is stored sealed: a compact JWE (RFC 7516), `dir` with A256GCM, key id in the header.
 * `context` says what the text belongs to (`user:usr_…`); it is authenticated, so that a sealed text moved to another
 * record does not open there.
 */
export interface Sealing {
  seal(text: string, context: string): Promise<string>;
  /** Throws when the text was changed, belongs to another context, or its key is not known. */
  open(sealed: string, context: string): Promise<string>;
}

/** The first key seals; all of them open. */
export async function openSealing(keys: readonly SealingKey[]): Promise<Sealing> {
  const imported = new Map<string, webcrypto.CryptoKey>();
  for (const { kid, bytes } of keys) {
    imported.set(kid, await webcrypto.subtle.importKey('raw', bytes, 'AES-GCM', false, ['encrypt', 'decrypt']));
  }
  const newest = keys[0];
  const newestKey = newest && imported.get(newest.kid);
  if (!newest || !newestKey) throw new Error('sealing needs at least one key');

  return {
    async seal(text, context) {
      return new CompactEncrypt(Buffer.from(text, 'utf8'))
        .setProtectedHeader({ alg: 'dir', enc: 'A256GCM', kid: newest.kid, ctx: context })
        .encrypt(newestKey);
    },
    async open(sealed, context) {
      const { plaintext, protectedHeader } = await compactDecrypt(sealed, (header) => keyFor(imported, header), {
        keyManagementAlgorithms: ['dir'],
        contentEncryptionAlgorithms: ['A256GCM'],
      });
      if (protectedHeader['ctx'] !== context) throw new Error('sealed text belongs to another record');
      return Buffer.from(plaintext).toString('utf8');
    },
  };
}

function keyFor(keys: Map<string, webcrypto.CryptoKey>, header: CompactJWEHeaderParameters): webcrypto.CryptoKey {
  const key = keys.get(header.kid ?? '');
  if (!key) throw new Error('the key that sealed this text is not among the known keys');
  return key;
}
