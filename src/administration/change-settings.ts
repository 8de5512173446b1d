import { z } from 'zod';
import type { Authority } from '../kernel/actor.js';
import { AppError } from '../kernel/errors.js';
import type { Tenant } from '../tenants/index.js';
import type { AdministrationDeps } from './administration-deps.js';
import { orSlugTaken, requireFreeSlug } from './create-tenant.js';
import { requireOperator } from './grantable.js';
import { nameText, parsed, settingsSchema, slugText } from './input.js';
import { settingPaths, settingsOf, valueAt, withValue } from './template-diff.js';

/** Of one tenant, the present one and former ones. */
const mostSlugs = 20;

const changesSchema = z
  .strictObject({
    name: nameText(200),
    slug: slugText,
    policies: settingsSchema.shape.policies.partial(),
    features: settingsSchema.shape.features,
    limits: settingsSchema.shape.limits.partial(),
    branding: settingsSchema.shape.branding.partial(),
  })
  .partial();
export type SettingsChanges = z.input<typeof changesSchema>;

/**
 * Name, slug and settings of a tenant. A setting that is given is the tenant's own from then on: no template changes
 * it. A former slug stays with the tenant. 409 when the new one is or was another tenant's.
 */
export async function changeSettings(
  deps: AdministrationDeps,
  by: Authority,
  tenantId: string,
  input: SettingsChanges,
): Promise<void> {
  const { name, slug, ...given } = parsed(changesSchema, input);
  if (slug !== undefined) requireFreeSlug(deps, slug);
  await orSlugTaken(
    deps.inTransaction(async (tx) => {
      const tenant = await deps.tenants.holdTenant(tx, tenantId);
      requireNotClosed(tenant);
      if (given.features !== undefined) requireOperator(by);
      const own = settingPaths.filter((path) => valueAt(given, path) !== undefined);
      const settings = own.reduce((after, path) => withValue(after, path, valueAt(given, path)), settingsOf(tenant));
      const overrides = [...new Set([...tenant.overrides, ...own])];
      if (name !== undefined || own.length > 0) {
        const changes = { ...(name === undefined ? {} : { name }), ...settings, overrides };
        await deps.tenants.updateTenant(tx, by.actor, tenant, changes);
      }
      if (slug === undefined || slug === tenant.slug) return;
      requireNotPlatform(deps, tenant);
      requireFormerSlugs(tenant, slug);
      await deps.tenants.renameTenant(tx, by.actor, tenant, slug);
    }),
  );
}

export function requireNotClosed(tenant: Tenant): void {
  if (tenant.status !== 'archived') return;
  throw new AppError('tenant.archived', { status: 409, detail: 'The tenant is archived. Activate it first.' });
}

/** It is known by its slug, and somebody has to be able to sign in to it. */
export function requireNotPlatform({ platformSlug }: AdministrationDeps, tenant: Tenant): void {
  if (tenant.slug !== platformSlug) return;
  throw new AppError('tenant.is_platform', { status: 409, detail: 'The tenant of the operators stays as it is.' });
}

/** Former ones stay taken, so a tenant does not use up the names of others. */
function requireFormerSlugs({ slug, formerSlugs }: Tenant, wanted: string): void {
  const kept = new Set([slug, ...formerSlugs, wanted]);
  if (kept.size <= mostSlugs) return;
  throw new AppError('tenant.too_many_slugs', { status: 409, detail: `A tenant has had ${mostSlugs} names at most.` });
}
