import { createCipheriv, createDecipheriv, createSecretKey, randomBytes, type KeyObject } from 'node:crypto';

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

interface Header {
  alg: string;
  enc: string;
  kid: string;
  ctx: string;
}

const keyBytes = 32;
const nonceBytes = 12;
const tagBytes = 16;

/**
 * The first key seals; all of them open. Made of the runtime's own cipher because several records are sealed or opened
 * in every token request, and jose, which reads and writes the same form, takes five times as long for one.
 */
export async function openSealing(keys: readonly SealingKey[]): Promise<Sealing> {
  const imported = new Map(keys.map(({ kid, bytes }) => [kid, importKey(bytes)]));
  const newest = keys[0];
  const newestKey = newest && imported.get(newest.kid);
  if (!newest || !newestKey) throw new Error('sealing needs at least one key');

  return {
    async seal(text, context) {
      const members: Header = { alg: 'dir', enc: 'A256GCM', kid: newest.kid, ctx: context };
      const header = Buffer.from(JSON.stringify(members)).toString('base64url');
      const nonce = randomBytes(nonceBytes);
      const cipher = createCipheriv('aes-256-gcm', newestKey, nonce, { authTagLength: tagBytes });
      cipher.setAAD(Buffer.from(header, 'ascii'));
      const ciphertext = Buffer.concat([cipher.update(text, 'utf8'), cipher.final()]);
      const parts = [nonce, ciphertext, cipher.getAuthTag()].map((part) => part.toString('base64url'));
      return `${header}..${parts.join('.')}`;
    },
    async open(sealed, context) {
      const [header = '', wrappedKey, ...rest] = sealed.split('.');
      const [nonce, ciphertext, tag, ...others] = rest.map(decode);
      if (wrappedKey !== '' || !nonce || !ciphertext || tag?.length !== tagBytes || others.length > 0) {
        throw new Error('this is no sealed text');
      }
      const { alg, enc, kid, ctx } = JSON.parse(decode(header).toString('utf8')) as Partial<Header>;
      if (alg !== 'dir' || enc !== 'A256GCM' || nonce.length !== nonceBytes) throw new Error('this is no sealed text');
      const key = imported.get(kid ?? '');
      if (!key) throw new Error('the key that sealed this text is not among the known keys');
      const decipher = createDecipheriv('aes-256-gcm', key, nonce, { authTagLength: tagBytes });
      decipher.setAAD(Buffer.from(header, 'ascii'));
      decipher.setAuthTag(tag);
      const text = Buffer.concat([decipher.update(ciphertext), decipher.final()]).toString('utf8');
      if (ctx !== context) throw new Error('sealed text belongs to another record');
      return text;
    },
  };
}

function importKey(bytes: Uint8Array): KeyObject {
  if (bytes.length !== keyBytes) throw new Error(`a sealing key has ${keyBytes} bytes`);
  return createSecretKey(bytes);
}

/** Of the spellings that Buffer reads alike only one was written. */
function decode(part: string): Buffer {
  const bytes = Buffer.from(part, 'base64url');
  if (bytes.toString('base64url') !== part) throw new Error('this is no sealed text');
  return bytes;
}
