import type { Query, Schema } from 'mongoose';

declare module 'mongoose' {
  interface QueryOptions {
    /** The only way out of the tenant scope, with the reason why this query may look across tenants. */
    acrossTenants?: string;
  }
}

const scoped = [
  'find',
  'findOne',
  'countDocuments',
  'distinct',
  'updateOne',
  'updateMany',
  'replaceOne',
  'deleteOne',
  'deleteMany',
  'findOneAndUpdate',
  'findOneAndDelete',
  'findOneAndReplace',
] as const;

/**
 * For collections whose records belong to a tenant: a query that names no tenant throws, so that forgetting the tenant
 * is a failing test and not a leak.
 */
export function tenantOwned(schema: Schema): void {
  schema.add({ tenantId: { type: String, required: true, immutable: true } });
  schema.pre([...scoped], function (this: Query<unknown, unknown>) {
    const { tenantId } = this.getFilter() as { tenantId?: unknown };
    if (typeof tenantId === 'string' && tenantId !== '') return;
    if (this.getOptions().acrossTenants) return;
    throw new Error(`${this.model.modelName}: a query without its tenant`);
  });
  schema.pre('aggregate', function () {
    throw new Error('aggregation of tenant-owned records is not allowed: it would bypass the tenant scope');
  });
}
