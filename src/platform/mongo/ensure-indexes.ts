import type { Database } from './open-database.js';

/** Of all models that there are by now, and of what is no model. */
export async function ensureIndexes(
  database: Database,
  modules: readonly { ensureIndexes(): Promise<void> }[],
): Promise<void> {
  for (const model of Object.values(database.connection.models)) await model.createIndexes();
  for (const module of modules) await module.ensureIndexes();
}
