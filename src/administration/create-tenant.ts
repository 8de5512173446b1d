import { z } from 'zod';
import type { Authority } from '../kernel/actor.js';
import { AppError } from '../kernel/errors.js';
import { newId } from '../kernel/ids.js';
import { isDuplicateKey, type Tx } from '../platform/mongo/transactions.js';
import type { Template } from '../templates/index.js';
import type { Tenant } from '../tenants/index.js';
import type { AdministrationDeps } from './administration-deps.js';
import { requireOperator } from './grantable.js';
import { noUser } from './look-up.js';
import { nameText, parsed, slugText, templateReference, tenantTypeText } from './input.js';

const newTenantSchema = z.strictObject({
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
export async function createTenant(deps: AdministrationDeps, by: Authority, input: NewTenant): Promise<Tenant> {
  const wanted = parsed(newTenantSchema, input);
  requireFreeSlug(deps, wanted.slug);
  if (wanted.plan !== undefined) requireOperator(by);
  const type = deps.tenantTypes[wanted.type];
  const plan = wanted.plan ?? type.plan;
  if (!deps.isPlan(plan)) throw new AppError('plan.not_found', { status: 404, detail: 'There is no such plan.' });
  const reference = wanted.template ?? { key: type.template };
  const template = await deps.templates.getTemplate(reference.key, reference.version);
  requireTemplateOfType(template, wanted.type);
  if (!(await deps.findUserById(wanted.ownerId))) throw noUser();

  const tenant = deps.newTenant({ ...wanted, plan, template, at: deps.now() });
  await orSlugTaken(
    deps.inTransaction(async (tx) => {
      await deps.tenants.createTenant(tx, by.actor, tenant);
      for (const role of template.roles) await addTemplateRole(deps, tx, { by, tenantId: tenant.id, role });
      const owner = { id: newId('mem'), tenantId: tenant.id, userId: wanted.ownerId, roles: ['owner'] };
      await deps.memberships.addMembership(tx, by.actor, { ...owner, createdAt: deps.now(), pickedAt: null });
    }),
  );
  return { ...tenant, seats: { ...tenant.seats, members: 1 } };
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
