import type { Clock } from '../kernel/time.js';
import type { KeyedHash } from '../platform/crypto/keyed-hash.js';
import type { Sealing } from '../platform/crypto/sealing.js';
import type { Database } from '../platform/mongo/open-database.js';
import { sessionOf, type Tx } from '../platform/mongo/transactions.js';
import type { ActionLink, LinkPurpose } from './action-link.js';

/** Purpose and token together make the id, so that a token is found under its own purpose alone. */
interface ActionLinkRecord {
  _id: string;
  purpose: LinkPurpose;
  userId: string | null;
  sealed: string;
  createdAt: Date;
  expiresAt: Date;
}

export interface ActionLinkStore {
  insert(tx: Tx, link: ActionLink, token: string): Promise<void>;
  /** Null when there is none, or it is too old. */
  find(purpose: LinkPurpose, token: string): Promise<ActionLink | null>;
  /** The same, and it is gone: one write, so that of any number of parallel uses one gets it. */
  take(tx: Tx, purpose: LinkPurpose, token: string): Promise<ActionLink | null>;
  /** Those of a person that are good, oldest first. */
  listOf(tx: Tx, userId: string, purpose: LinkPurpose): Promise<ActionLink[]>;
  /** Those of these purposes (of all unless given) that were made after that instant (whenever unless given). */
  removeOf(tx: Tx, userId: string, which: { purposes?: readonly LinkPurpose[]; madeAfter?: Date }): Promise<void>;
  ensureIndexes(): Promise<void>;
}

const contextOf = (id: string): string => `action-link:${id}`;

export function createActionLinkStore(deps: {
  database: Database;
  sealing: Sealing;
  hash: KeyedHash;
  now: Clock;
}): ActionLinkStore {
  const records = deps.database.collection<ActionLinkRecord>('action_links');
  const idOf = (purpose: LinkPurpose, token: string): string => deps.hash('token', purpose, token);
  // the TTL monitor runs when it likes
  const live = (purpose: LinkPurpose, token: string): object => ({
    _id: idOf(purpose, token),
    expiresAt: { $gt: deps.now() },
  });

  async function opened({ _id, sealed, ...plain }: ActionLinkRecord): Promise<ActionLink> {
    const data = JSON.parse(await deps.sealing.open(sealed, contextOf(_id))) as ActionLink['data'];
    return { ...plain, data };
  }
  const toLink = async (record: ActionLinkRecord | null): Promise<ActionLink | null> => record && opened(record);

  return {
    async insert(tx, { data, ...plain }, token) {
      const _id = idOf(plain.purpose, token);
      const sealed = await deps.sealing.seal(JSON.stringify(data), contextOf(_id));
      await records.insertOne({ _id, sealed, ...plain }, sessionOf(tx));
    },
    find: async (purpose, token) => toLink(await records.findOne(live(purpose, token))),
    take: async (tx, purpose, token) => toLink(await records.findOneAndDelete(live(purpose, token), sessionOf(tx))),
    async listOf(tx, userId, purpose) {
      const found = records.find({ userId, purpose, expiresAt: { $gt: deps.now() } }, sessionOf(tx));
      return Promise.all((await found.sort({ createdAt: 1 }).toArray()).map(opened));
    },
    async removeOf(tx, userId, { purposes, madeAfter }) {
      const which = {
        ...(purposes ? { purpose: { $in: [...purposes] } } : {}),
        ...(madeAfter ? { createdAt: { $gt: madeAfter } } : {}),
      };
      await records.deleteMany({ userId, ...which }, sessionOf(tx));
    },
    async ensureIndexes() {
      await records.createIndex({ userId: 1 });
      await records.createIndex({ expiresAt: 1 }, { expireAfterSeconds: 60 });
    },
  };
}
