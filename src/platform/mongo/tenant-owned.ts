import type { Document, Query, Schema } from 'mongoose';

declare module 'mongoose' {
  interface QueryOptions {
    /** The only way out of the tenant scope, with the reason why this query may look across tenants. */
    acrossTenants?: string;
  }
}

const queries = [
  ...(['find', 'findOne', 'countDocuments', 'estimatedDocumentCount', 'distinct'] as const),
  ...(['updateOne', 'updateMany', 'replaceOne', 'deleteOne', 'deleteMany'] as const),
  ...(['findOneAndUpdate', 'findOneAndDelete', 'findOneAndReplace'] as const),
] as const;

type Owned = Document & { tenantId?: unknown };
type Update = Record<string, unknown>;

/**
 * For collections whose records belong to a tenant: what is asked or written without naming the tenant throws, and so
 * does what would give a record to another one. Forgetting the tenant is a failing test, and not a leak.
 */
export function tenantOwned(schema: Schema): void {
  schema.add({ tenantId: { type: String, required: true } });
  schema.pre(
    [...queries],
    unskippable(function (this: Query<unknown, unknown>) {
      requireTenant(this);
      requireSameTenant(this);
    }),
  );
  schema.pre(
    'save',
    unskippable(function (this: Owned) {
      requireOwner(schema, this);
      if (!this.isNew && this.isModified('tenantId')) throw refusal(schema, 'a record does not change its tenant');
    }),
  );
  schema.pre(
    'insertMany',
    unskippable((records: unknown) => {
      for (const record of [records].flat()) requireOwner(schema, record as Owned);
    }),
  );
  for (const road of ['aggregate', 'bulkWrite'] as const) {
    schema.pre(
      road as 'aggregate',
      unskippable(() => {
        throw refusal(schema, `${road} would bypass the tenant scope`);
      }),
    );
  }
  schema.static('watch', () => {
    throw refusal(schema, 'watch would bypass the tenant scope');
  });
}

/** Mongoose leaves out all other hooks for who asks with `middleware: false`. */
function unskippable<Hook extends object>(hook: Hook): Hook {
  return Object.assign(hook, { [Symbol.for('mongoose:built-in-middleware')]: true });
}

function refusal(schema: Schema, why: string): Error {
  return new Error(`${String(schema.get('collection'))}: ${why}`);
}

function isTenant(tenantId: unknown): tenantId is string {
  return typeof tenantId === 'string' && tenantId !== '';
}

function requireOwner(schema: Schema, { tenantId }: Owned): void {
  if (!isTenant(tenantId)) throw refusal(schema, 'a record without its tenant');
}

/** At the top of the filter and as it is: within `$or`, or as an operator, it would not bound what is found. */
function requireTenant(query: Query<unknown, unknown>): void {
  const { acrossTenants, upsert } = query.getOptions();
  if (isTenant(query.getFilter()['tenantId'])) return;
  const saysWhy = typeof acrossTenants === 'string' && acrossTenants.trim() !== '';
  if (!saysWhy || upsert) throw refusal(query.model.schema, 'a query without its tenant');
}

function requireSameTenant(query: Query<unknown, unknown>): void {
  const update = query.getUpdate() as Update | Update[] | null | undefined;
  if (!update) return;
  const { tenantId } = query.getFilter() as { tenantId?: unknown };
  const isReplacement = /replace/i.test((query as unknown as { op: string }).op);
  const stays = isReplacement
    ? isTenant(tenantId) && (update as Update)['tenantId'] === tenantId
    : !Array.isArray(update) && Object.entries(update).every((change) => keepsTenant(change, tenantId));
  if (!stays) throw refusal(query.model.schema, 'a record does not change its tenant');
}

/** `$set` of what it is already is no change; no other operator has business with the tenant, nor has a pipeline. */
function keepsTenant([operator, change]: [string, unknown], tenantId: unknown): boolean {
  if (!operator.startsWith('$')) return keepsTenant(['$set', { [operator]: change }], tenantId);
  const isSet = operator === '$set' || operator === '$setOnInsert';
  return Object.entries(change as Update).every(([path, value]) => {
    if (path.split('.')[0] === 'tenantId') return isSet && isTenant(value) && value === tenantId;
    return operator !== '$rename' || value !== 'tenantId';
  });
}
