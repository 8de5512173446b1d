import { randomBytes } from 'node:crypto';
import { z } from 'zod';
import { systemAuthority, type Authority } from '../kernel/actor.js';
import { AppError } from '../kernel/errors.js';
import { newId } from '../kernel/ids.js';
import { isDuplicateKey, type Tx } from '../platform/mongo/transactions.js';
import type { Template } from '../templates/index.js';
import type { Tenant } from '../tenants/index.js';
import type { AdministrationDeps } from './administration-deps.js';
import { requireOperator } from './grantable.js';
import { noUser } from './look-up.js';
import { nameText, parsed, slugText, templateReference, tenantTypeText } from './input.js';

export const newTenantSchema = z.strictObject({
  slug: slugText,
  name: nameText(200),
  type: tenantTypeText,
  plan: z.string().max(40).optional(),
  template: templateReference.optional(),
  /** The user who is its first member and owner. */
  ownerId: z.string().max(64),
});
export type NewTenant = z.input<typeof newTenantSchema>;

/** Stamps a tenant from a template, with its roles and its owner. 409 when the slug is or was another tenant's. */
export async function createTenant(
  deps: AdministrationDeps,
  by: Authority,
  input: NewTenant,
  check?: (tx: Tx) => Promise<void>,
): Promise<Tenant> {
  const wanted = parsed(newTenantSchema, input);
  requireFreeSlug(deps, wanted.slug);
  if (wanted.plan !== undefined) requireOperator(by);
  const type = deps.tenantTypes[wanted.type];
  const plan = wanted.plan ?? type.plan;
  if (!deps.isPlan(plan)) throw new AppError('plan.not_found', { status: 404, detail: 'There is no such plan.' });
  const reference = wanted.template ?? { key: type.template };
  const template = await deps.templates.getTemplate(reference.key, reference.version);
  requireTemplateOfType(template, wanted.type);

  const tenant = deps.newTenant({ ...wanted, plan, template, at: deps.now() });
  await orSlugTaken(
    deps.inTransaction(async (tx) => {
      if (!(await deps.users.holdUser(tx, wanted.ownerId))) throw noUser();
      await check?.(tx);
      await deps.tenants.createTenant(tx, by.actor, tenant);
      for (const role of template.roles) await addTemplateRole(deps, tx, { by, tenantId: tenant.id, role });
      await addOwner(deps, tx, { by, tenantId: tenant.id, userId: wanted.ownerId });
    }),
  );
  return { ...tenant, seats: { ...tenant.seats, members: 1 } };
}

/**
 * The tenant of somebody who signs up, within the transaction that makes their account. Its name and slug tell nothing
 * of the person: they stand readable in the database.
 */
export async function createPersonalTenant(deps: AdministrationDeps, tx: Tx, userId: string): Promise<void> {
  const by = { ...systemAuthority('protocol'), actor: { kind: 'user', userId } } as const;
  const { plan, template: key } = deps.tenantTypes.personal;
  const template = await deps.templates.getTemplate(key);
  const slug = `personal-${randomBytes(8).toString('hex')}`;
  const tenant = deps.newTenant({ slug, name: 'Personal', type: 'personal', plan, template, at: deps.now() });
  await deps.tenants.createTenant(tx, by.actor, tenant);
  for (const role of template.roles) await addTemplateRole(deps, tx, { by, tenantId: tenant.id, role });
  await addOwner(deps, tx, { by, tenantId: tenant.id, userId });
}

async function addOwner(
  deps: AdministrationDeps,
  tx: Tx,
  { by, tenantId, userId }: { by: Authority; tenantId: string; userId: string },
): Promise<void> {
  const owner = {
    id: newId('mem'),
    tenantId,
    userId,
    roles: ['owner'],
    createdAt: deps.now(),
    pickedAt: null,
    acceptedTerms: null,
  };
  await deps.memberships.addMembership(tx, by.actor, owner);
}

export async function addTemplateRole(
  deps: AdministrationDeps,
  tx: Tx,
  { by, tenantId, role }: { by: Authority; tenantId: string; role: Template['roles'][number] },
): Promise<void> {
  const { key, name, permissions } = role;
  const added = { id: newId('rol'), tenantId, key, name, permissions, builtIn: false as const, createdAt: deps.now() };
  await deps.roles.createRole(tx, by.actor, added);
}

export function requireTemplateOfType(template: Template, type: Tenant['type']): void {
  if (template.type === type) return;
  throw new AppError('template.of_another_type', {
    status: 409,
    detail: `The template is for a ${template.type} tenant.`,
  });
}

export function requireFreeSlug(deps: AdministrationDeps, slug: string): void {
  if (!deps.reservedSlugs.has(slug)) return;
  throw new AppError('tenant.slug_reserved', {
    status: 409,
    detail: 'This name is kept for the service itself.',
    fields: [{ pointer: '/slug', code: 'reserved', detail: 'is reserved' }],
  });
}

/** The unique index decides; whoever comes second is told so. */
export async function orSlugTaken<T>(change: Promise<T>): Promise<T> {
  try {
    return await change;
  } catch (error) {
    if (!isDuplicateKey(error)) throw error;
    throw new AppError('tenant.slug_taken', {
      status: 409,
      detail: 'This name is or was that of another tenant.',
      fields: [{ pointer: '/slug', code: 'taken', detail: 'is taken' }],
      cause: error,
    });
  }
}
