import type { Model } from 'mongoose';
import type { Database } from './open-database.js';

/** Keeps a write short: others wait for none of it. */
const portion = 500;

/** Models whose records belong to a tenant: the plugin `tenantOwned` gives them this member, and nothing else does. */
export function tenantOwnedModels({ connection }: Pick<Database, 'connection'>): Model<{ _id: unknown }>[] {
  const models = Object.values(connection.models) as unknown as Model<{ _id: unknown }>[];
  return models.filter(({ schema }) => Boolean(schema.path('tenantId')));
}

/** Every record that belongs to the tenant, whatever it is: what is added later goes along. May be repeated. */
export async function deleteRecordsOf(database: Pick<Database, 'connection'>, tenantId: string): Promise<void> {
  for (const model of tenantOwnedModels(database)) {
    for (;;) {
      const some = await model.find({ tenantId }, { _id: 1 }).limit(portion).lean<{ _id: unknown }[]>();
      if (some.length === 0) break;
      await model.deleteMany({ tenantId, _id: { $in: some.map(({ _id }) => _id) } });
    }
  }
}
