import type { Database } from '../platform/mongo/open-database.js';
import { sessionOf, type Tx } from '../platform/mongo/transactions.js';
import type { Logo } from '../tenants/index.js';

export interface StoredLogo {
  type: Logo['type'];
  bytes: Buffer;
}

interface LogoRecord {
  /** SHA-256 of the bytes, hexadecimal. */
  _id: string;
  type: Logo['type'];
  /** Base64. */
  data: string;
  /** When somebody last took it; written each time, so that it is not dropped in the same moment. */
  keptAt: Date;
}

export interface LogoStore {
  find(digest: string): Promise<StoredLogo | null>;
  keep(tx: Tx, digest: string, logo: StoredLogo, keptAt: Date): Promise<void>;
  drop(tx: Tx, digest: string): Promise<void>;
}

/** The same picture is kept once, whoever uses it: it is nobody's, and whoever knows its digest has it. */
export function createLogoStore(database: Database): LogoStore {
  const logos = database.collection<LogoRecord>('logos');
  return {
    async find(digest) {
      const record = await logos.findOne({ _id: digest });
      return record && { type: record.type, bytes: Buffer.from(record.data, 'base64') };
    },
    async keep(tx, digest, { type, bytes }, keptAt) {
      const changes = { $set: { type, data: bytes.toString('base64'), keptAt } };
      await logos.updateOne({ _id: digest }, changes, { upsert: true, ...sessionOf(tx) });
    },
    async drop(tx, digest) {
      await logos.deleteOne({ _id: digest }, sessionOf(tx));
    },
  };
}
