import { createExpiringMap } from '../platform/cache/expiring.js';
import type { Database } from '../platform/mongo/open-database.js';
import { afterCommit, beforeCommit, sessionOf, type Tx } from '../platform/mongo/transactions.js';

/** Stands for null, which is what belongs to no tenant; ids of tenants carry a prefix. */
const platform = 'platform';

/** How often what others decide by was changed, for each tenant and for the platform. */
export interface Revisions {
  /** As of at most two seconds ago; a change made by this process shows at once. */
  revisionOf(tenantId: string | null): Promise<number>;
  /** Raises the revision in the transaction of the change. */
  revise(tx: Tx, tenantId: string | null): void;
}

interface RevisionRecord {
  _id: string;
  revision: number;
}

export function createRevisions(deps: { database: Database; cacheSeconds: number }): Revisions {
  const records = deps.database.collection<RevisionRecord>('revisions');
  const known = createExpiringMap<number>(deps.cacheSeconds);
  return {
    revisionOf(tenantId) {
      const _id = tenantId ?? platform;
      return known.get(_id, async () => (await records.findOne({ _id }))?.revision ?? 0);
    },
    revise(tx, tenantId) {
      const _id = tenantId ?? platform;
      beforeCommit(tx, `revision ${_id}`, async () => {
        await records.updateOne({ _id }, { $inc: { revision: 1 } }, { upsert: true, ...sessionOf(tx) });
      });
      afterCommit(tx, 'revisions', known.forgetAll);
    },
  };
}
