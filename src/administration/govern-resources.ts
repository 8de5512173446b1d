import { z } from 'zod';
import type { Authority } from '../kernel/actor.js';
import { AppError, invalidInput } from '../kernel/errors.js';
import { given } from '../kernel/given.js';
import { clientIdPattern } from '../kernel/patterns.js';
import { isDuplicateKey, type Tx } from '../platform/mongo/transactions.js';
import type { Resource } from '../resources/index.js';
import type { AdministrationDeps } from './administration-deps.js';
import { nameText, parsed, permissionTexts, type Precondition } from './input.js';

const members = {
  name: nameText(200),
  permissions: permissionTexts,
  accessToken: z.strictObject({
    format: z.enum(['jwt', 'opaque']).default('jwt'),
    alg: z.enum(['ES256', 'RS256']).default('ES256'),
    ttlSeconds: z.int().min(30).max(3600).default(600),
  }),
  introspectedBy: z.array(z.string().regex(clientIdPattern)).max(500),
};
export const newResourceSchema = z.strictObject({
  identifier: z
    .string()
    .max(500)
    .refine((value) => URL.canParse(value) && !/[#\s]/.test(value), 'must be an absolute URI without a fragment'),
  ...members,
  accessToken: members.accessToken.prefault({}),
  introspectedBy: members.introspectedBy.default([]),
});
export const resourceChangesSchema = z.strictObject(members).partial();

/** An API that accepts our tokens. 409 when there is one with this identifier. */
export async function createResource(
  deps: AdministrationDeps,
  by: Authority,
  input: z.input<typeof newResourceSchema>,
): Promise<Resource> {
  const resource: Resource = { ...parsed(newResourceSchema, input), createdAt: deps.now() };
  requireNoneOfOperators(resource.permissions);
  if (deps.resources.isBuiltIn(resource.identifier)) throw taken();
  try {
    await deps.inTransaction((tx) => deps.resources.createResource(tx, by.actor, resource));
  } catch (error) {
    throw isDuplicateKey(error) ? taken(error) : error;
  }
  return resource;
}

export async function changeResource(
  deps: AdministrationDeps,
  by: Authority,
  identifier: string,
  { changes: input, precondition }: { changes: z.input<typeof resourceChangesSchema>; precondition?: Precondition },
): Promise<Resource> {
  const changes = given(parsed(resourceChangesSchema, input));
  if (changes.permissions) requireNoneOfOperators(changes.permissions);
  return deps.inTransaction(async (tx) => {
    const before = await storedResource(deps, tx, identifier);
    precondition?.(before);
    const after: Resource = { ...before, ...changes };
    await deps.resources.updateResource(tx, by.actor, after);
    return after;
  });
}

/** Tokens for it are issued no more; those that are out end by themselves. */
export async function deleteResource(deps: AdministrationDeps, by: Authority, identifier: string): Promise<void> {
  await deps.inTransaction(async (tx) =>
    deps.resources.deleteResource(tx, by.actor, await storedResource(deps, tx, identifier)),
  );
}

async function storedResource(deps: AdministrationDeps, tx: Tx, identifier: string): Promise<Resource> {
  if (deps.resources.isBuiltIn(identifier))
    throw new AppError('resource.built_in', { status: 409, detail: 'This resource is built in.' });
  const found = await deps.resources.findStoredResource(tx, identifier);
  if (found) return found;
  throw noResource();
}

export function noResource(): AppError {
  return new AppError('resource.not_found', { status: 404, detail: 'There is no such resource.' });
}

/** They are those of the management API, and mean operators wherever they stand. */
function requireNoneOfOperators(permissions: readonly string[]): void {
  const fields = permissions.flatMap((permission, index) =>
    permission.startsWith('platform:')
      ? [{ pointer: `/permissions/${index}`, code: 'reserved', detail: 'is kept for the platform itself' }]
      : [],
  );
  if (fields.length > 0) throw invalidInput(fields, 'These permissions are reserved.');
}

function taken(cause?: unknown): AppError {
  return new AppError('resource.identifier_taken', {
    status: 409,
    detail: 'There is a resource with this identifier.',
    fields: [{ pointer: '/identifier', code: 'taken', detail: 'is taken' }],
    cause,
  });
}
