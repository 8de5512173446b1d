import { secondsAfter, type Clock } from '../kernel/time.js';
import type { KeyedHash } from '../platform/crypto/keyed-hash.js';
import type { Database } from '../platform/mongo/open-database.js';
import { isDuplicateKey } from '../platform/mongo/transactions.js';
import type { LinkPurpose } from './action-link.js';

/** How many mails of one purpose were asked for to one address, both as one keyed hash, since the first of the hour. */
interface MailCountRecord {
  _id: string;
  count: number;
  expiresAt: Date;
}

export interface MailCountStore {
  /** Counts one more, also to an address that nobody here has. False: there were as many as there may be. */
  count(mail: { purpose: LinkPurpose; address: string }, most: number): Promise<boolean>;
  ensureIndexes(): Promise<void>;
}

const windowSeconds = 3600;

/** Each step is one conditional write and outside of any transaction: of parallel askers no more get in than there is room for. */
export function createMailCountStore(deps: { database: Database; hash: KeyedHash; now: Clock }): MailCountStore {
  const records = deps.database.collection<MailCountRecord>('action_mail_counts');

  async function begin(_id: string): Promise<boolean> {
    const now = deps.now();
    const first = { count: 1, expiresAt: secondsAfter(now, windowSeconds) };
    const over = await records.updateOne({ _id, expiresAt: { $lte: now } }, { $set: first });
    if (over.matchedCount === 1) return true;
    try {
      await records.insertOne({ _id, ...first });
      return true;
    } catch (error) {
      if (isDuplicateKey(error)) return false;
      throw error;
    }
  }

  return {
    async count({ purpose, address }, most) {
      const _id = deps.hash('mailbox', purpose, address);
      const oneMore = async (): Promise<boolean> => {
        const room = { _id, expiresAt: { $gt: deps.now() }, count: { $lt: most } };
        return (await records.updateOne(room, { $inc: { count: 1 } })).matchedCount === 1;
      };
      // who was overtaken at the beginning of an hour finds its record now
      return (await oneMore()) || (await begin(_id)) || oneMore();
    },
    async ensureIndexes() {
      await records.createIndex({ expiresAt: 1 }, { expireAfterSeconds: 60 });
    },
  };
}
