import { createHash, randomBytes } from 'node:crypto';
import { decodeProtectedHeader } from 'jose';
import type { DataKeyStore } from './data-key-store.js';
import { derivedKey, keyedHash, type KeyedHash } from './keyed-hash.js';
import { openSealing, type Sealing, type SealingKey } from './sealing.js';

/**
 * Envelope encryption: data keys do the work and are stored sealed under the master keys, which never touch the
 * database. A new master key needs only the data keys sealed again, which opening the ring does.
 */
export interface KeyRing {
  sealing: Sealing;
  /** A keyed hash for one purpose: blind indexes, stored forms of tokens, CSRF tokens. */
  hashFor(purpose: string): KeyedHash;
  /** 32 bytes for one purpose, the same in every process. */
  bytesFor(purpose: string): Buffer;
}

/** Throws when no master key opens the stored data keys: a wrong MASTER_KEYS must stop the start. */
export async function openKeyRing(masterKeys: readonly Uint8Array[], store: DataKeyStore): Promise<KeyRing> {
  const masters: SealingKey[] = masterKeys.map((bytes) => ({ kid: fingerprint(bytes), bytes }));
  const masterSealing = await openSealing(masters);
  const sealingKey = await openDataKey('sealing', masters, masterSealing, store);
  const hashingKey = await openDataKey('hashing', masters, masterSealing, store);
  return {
    sealing: await openSealing([{ kid: fingerprint(sealingKey), bytes: sealingKey }]),
    hashFor: (purpose) => keyedHash(hashingKey, `hash:${purpose}`),
    bytesFor: (purpose) => derivedKey(hashingKey, `bytes:${purpose}`),
  };
}

async function openDataKey(
  name: string,
  masters: readonly SealingKey[],
  sealing: Sealing,
  store: DataKeyStore,
): Promise<Buffer> {
  const context = `data-key:${name}`;
  if (!(await store.find(name))) {
    await store.insertIfAbsent({ name, sealed: await sealing.seal(randomBytes(32).toString('base64url'), context) });
  }
  const stored = await store.find(name);
  if (!stored) throw new Error(`data key ${name} vanished while it was opened`);
  const text = await sealing.open(stored.sealed, context).catch((cause: unknown) => {
    throw new Error('MASTER_KEYS does not open the keys of this database', { cause });
  });
  if (decodeProtectedHeader(stored.sealed).kid !== masters[0]?.kid) {
    await store.replaceSealed(name, await sealing.seal(text, context));
  }
  return Buffer.from(text, 'base64url');
}

function fingerprint(key: Uint8Array): string {
  return createHash('sha256').update(key).digest('base64url').slice(0, 12);
}
