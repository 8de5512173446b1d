/**
 * The keys that sign tokens: made at the first start, stored sealed. Owns the `signing_keys` collection.
 * It does not sign anything (the OIDC library does).
 */
import { calculateJwkThumbprint, exportJWK, type JWK } from 'jose';
import type { Clock } from '../kernel/time.js';
import type { RecordEvent } from '../events/index.js';
import { newPrivateKey, type SigningAlgorithm } from '../platform/crypto/key-pair.js';
import type { Sealing } from '../platform/crypto/sealing.js';
import type { Database } from '../platform/mongo/open-database.js';
import { isDuplicateKey, type InTransaction } from '../platform/mongo/transactions.js';
import { createSigningKeyStore } from './signing-key-store.js';

/** RS256 because OpenID Connect Core makes it mandatory; ES256 because it is far cheaper. */
export const requiredAlgorithms = ['ES256', 'RS256'] as const;

export type PrivateJwk = JWK & { kid: string; alg: string; use: 'sig' };

export interface SigningKeysModule {
  ensureIndexes(): Promise<void>;
  /** Every key, the private half included; makes the missing ones at a first start. */
  openSigningKeys(): Promise<PrivateJwk[]>;
}

export interface SigningKeysDeps {
  database: Database;
  sealing: Sealing;
  inTransaction: InTransaction;
  recordEvent: RecordEvent;
  now: Clock;
}

export function signingKeysModule(deps: SigningKeysDeps): SigningKeysModule {
  const store = createSigningKeyStore(deps.database);

  async function createInitialKey(alg: SigningAlgorithm): Promise<void> {
    const jwk = await exportJWK(await newPrivateKey(alg));
    const kid = await calculateJwkThumbprint(jwk);
    const sealedPrivateJwk = await deps.sealing.seal(
      JSON.stringify({ ...jwk, kid, alg, use: 'sig' }),
      `signing-key:${kid}`,
    );
    const firstStart = { kind: 'system', reason: 'first_start' } as const;
    try {
      await deps.inTransaction(async (tx) => {
        await store.insertInitial(tx, { kid, alg, sealedPrivateJwk, createdAt: deps.now() });
        await deps.recordEvent(tx, {
          type: 'signing_key.created',
          tenantId: null,
          actor: firstStart,
          subjectId: kid,
          data: { alg },
        });
      });
    } catch (error) {
      // another process was first: its key is read below
      if (!isDuplicateKey(error)) throw error;
    }
  }

  return {
    ensureIndexes: () => store.ensureIndexes(),
    async openSigningKeys() {
      const present = new Set((await store.list()).map((key) => key.alg));
      for (const alg of requiredAlgorithms) if (!present.has(alg)) await createInitialKey(alg);
      return Promise.all(
        (await store.list()).map(async ({ kid, sealedPrivateJwk }) => {
          return JSON.parse(await deps.sealing.open(sealedPrivateJwk, `signing-key:${kid}`)) as PrivateJwk;
        }),
      );
    },
  };
}
