import type { mongo } from 'mongoose';
import type { AdapterPayload } from 'oidc-provider';
import type { Clock } from '../../kernel/time.js';
import { secondsAfter } from '../../kernel/time.js';
import type { KeyedHash } from '../../platform/crypto/keyed-hash.js';
import type { Sealing } from '../../platform/crypto/sealing.js';
import type { Database } from '../../platform/mongo/open-database.js';
import type { StorageRule } from './storage-rules.js';

/** One stored row of a model of the library. The payload is JSON text, or that text sealed. */
export interface ProtocolRecord {
  _id: string;
  payload: string;
  expiresAt?: Date;
  /** Epoch seconds; set once. */
  consumed?: number;
  endedAt?: Date;
  /** When the last grant was made in it (Session); written so that a sign-out at the same moment is noticed. */
  grantedAt?: Date;
  /** Keyed hash of the current identifier, where `_id` is another one (Session). */
  idHash?: string;
  /** The identifier before, and when it was changed (Session). */
  formerIdHash?: string;
  renamedAt?: Date;
  /** When the person last changed their password in it, which ended all others (Session). */
  credentialsAsOf?: Date;
  userCodeHash?: string;
  grantId?: string;
  accountId?: string;
  clientId?: string;
  tenantId?: string;
  /** Epoch seconds of the last sign-in (Session). */
  loginTs?: number;
  /** Those that have used the session, also where it does not know it any more (Session). */
  clientIds?: string[];
  /** When it was last used, and with what, sealed (Session). */
  seenAt?: Date;
  device?: string;
  sessionUid?: string;
  offline?: boolean;
  /** The grant that this one came of, and when a grant last came of this one (Grant). */
  exchangedFrom?: string;
  exchangedAt?: Date;
  /** The tenant that alone the sign-in opens from which it came (Grant). */
  boundTenantId?: string;
  /** The connection by which it, or the sign-in from which it came, was begun (Session, Grant). */
  connectionId?: string | null;
  /** The domain by which that opened the whole account (Session, Grant). */
  domainId?: string | null;
  /** Grants are never changed, so this is also when it was written. */
  createdAt?: Date;
}

/** Rows live this long past their end; the library allows 15 s of clock tolerance and wants to see the expired. */
export const keptAfterExpirySeconds = 60;
/** How long the tombstone of something ended is kept: far longer than any request that may still be writing it. */
export const tombstoneSeconds = 3600;

export interface ProtocolRecordDeps {
  database: Database;
  hash: KeyedHash;
  sealing: Sealing;
  now: Clock;
}

export interface ProtocolRecords {
  collection: mongo.Collection<ProtocolRecord>;
  idFor(id: string): string;
  encode(recordId: string, payload: AdapterPayload): Promise<string>;
  /** The payload as the library gave it, with `jti` and `consumed` back in their places; undefined for what is over. */
  decode(record: ProtocolRecord | null, jti: string | undefined): Promise<AdapterPayload | undefined>;
  expiryIn(seconds: number | undefined): { expiresAt: Date } | Record<string, never>;
}

export function protocolRecords(model: string, rule: StorageRule, deps: ProtocolRecordDeps): ProtocolRecords {
  const contextOf = (recordId: string): string => `${model}:${recordId}`;
  return {
    collection: deps.database.collection<ProtocolRecord>(rule.collection),
    idFor: (id) => (rule.id === 'plain' ? id : deps.hash(model, id)),
    async encode(recordId, payload) {
      const { jti, consumed: _consumed, ...rest } = payload as Record<string, unknown>;
      if (rule.sealed) return deps.sealing.seal(JSON.stringify({ jti, ...rest }), contextOf(recordId));
      // in clear text the identifier, which is the credential, is left out: whoever presents it brings it back
      return JSON.stringify(rest);
    },
    async decode(record, jti) {
      if (!record || record.endedAt) return undefined;
      // the TTL monitor runs when it likes; what it would have removed is gone
      if (record.expiresAt && secondsAfter(record.expiresAt, keptAfterExpirySeconds) < deps.now()) return undefined;
      const text = rule.sealed ? await deps.sealing.open(record.payload, contextOf(record._id)) : record.payload;
      const payload = JSON.parse(text) as AdapterPayload;
      if (jti !== undefined) payload.jti = jti;
      if (record.consumed !== undefined) payload.consumed = record.consumed;
      return payload;
    },
    expiryIn: (seconds) => (seconds === undefined ? {} : { expiresAt: secondsAfter(deps.now(), seconds) }),
  };
}
