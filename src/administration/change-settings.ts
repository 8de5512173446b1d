import { z } from 'zod';
import type { Authority } from '../kernel/actor.js';
import { AppError, type FieldProblem } from '../kernel/errors.js';
import { addressMatcher } from '../kernel/networks.js';
import type { Tenant } from '../tenants/index.js';
import type { AdministrationDeps } from './administration-deps.js';
import { storedBranding } from './branding.js';
import { orSlugTaken, requireFreeSlug } from './create-tenant.js';
import { requireOperator } from './grantable.js';
import { nameText, parsed, policyChangesSchema, settingsSchema, slugText, type Precondition } from './input.js';
import { completed, settingPaths, settingsOf, valueAt, withValue } from './template-diff.js';

/** Of one tenant, the present one and former ones. */
const mostSlugs = 20;

export const settingsChangesSchema = z
  .strictObject({
    name: nameText(200),
    slug: slugText,
    policies: policyChangesSchema,
    features: settingsSchema.shape.features,
    limits: settingsSchema.shape.limits.partial(),
    branding: settingsSchema.shape.branding.partial(),
  })
  .partial();
export type SettingsChanges = z.input<typeof settingsChangesSchema>;

interface SettingsOf {
  tenantId: string;
  precondition?: Precondition;
  /** From where the caller comes, who would be shut out by an allowlist without it. */
  address?: string;
}

/**
 * Name, slug and settings of a tenant. A setting that is given is the tenant's own from then on: no template changes
 * it. A former slug stays with the tenant. 409 when the new one is or was another tenant's.
 */
export async function changeSettings(
  deps: AdministrationDeps,
  by: Authority,
  { tenantId, precondition, address }: SettingsOf,
  input: SettingsChanges,
): Promise<void> {
  const { name, slug, branding, ...plain } = parsed(settingsChangesSchema, input);
  if (slug !== undefined) requireFreeSlug(deps, slug);
  await orSlugTaken(
    deps.inTransaction(async (tx) => {
      const tenant = await deps.tenants.holdTenant(tx, tenantId);
      precondition?.(tenant);
      requireNotClosed(tenant);
      const given = { ...plain, ...(branding ? { branding: await storedBranding(deps, tx, branding) } : {}) };
      if (given.policies?.ipAllowlist) requireUsableAllowlist(deps, tenant, given.policies.ipAllowlist, address);
      if (given.policies?.mfa === 'required' && tenant.policies.mfa !== 'required') requireMfaPolicy(deps, tenant);
      if (given.features !== undefined) requireOperator(by);
      const own = settingPaths.filter((path) => valueAt(given, path) !== undefined);
      const settings = own.reduce(
        (after, path) => withValue(after, path, completed(valueAt(after, path), valueAt(given, path))),
        settingsOf(tenant),
      );
      const overrides = [...new Set([...tenant.overrides, ...own])];
      if (name !== undefined || own.length > 0) {
        const changes = { ...(name === undefined ? {} : { name }), ...settings, overrides };
        await deps.tenants.updateTenant(tx, by.actor, tenant, changes);
        await deps.logos.dropFormerLogo(tx, tenant);
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

/** Nobody shuts themselves out by mistake. */
function requireUsableAllowlist(
  deps: AdministrationDeps,
  { plan, features }: Tenant,
  networks: readonly string[],
  address: string | undefined,
): void {
  if (networks.length === 0) return;
  const fields = (detail: string, code: string): FieldProblem[] => [{ pointer: '/ipAllowlist', code, detail }];
  if (![...deps.entitlementsOf(plan), ...features].includes('ip_allowlist'))
    throw notInPlan('The plan of the tenant does not include allowlists.', '/ipAllowlist');
  if (address === undefined || addressMatcher(networks)(address)) return;
  throw new AppError('policies.locks_out', {
    status: 409,
    detail: `This would shut you out: you come from ${address}. Add it, or say allowLockout=true.`,
    fields: fields('does not hold your address', 'locks_out'),
  });
}

/** Nobody is shut out: who has no second factor sets one up at the next sign-in. The operators need no plan for theirs. */
function requireMfaPolicy(
  { entitlementsOf, platformSlug }: AdministrationDeps,
  { slug, plan, features }: Tenant,
): void {
  if (slug === platformSlug || [...entitlementsOf(plan), ...features].includes('mfa_policy')) return;
  throw notInPlan('The plan of the tenant does not include asking for second factors.', '/mfa');
}

export function notInPlan(detail: string, pointer: string): AppError {
  const fields = [{ pointer, code: 'not_in_plan', detail: 'is not in the plan' }];
  return new AppError('feature.not_in_plan', { status: 409, detail, fields });
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
