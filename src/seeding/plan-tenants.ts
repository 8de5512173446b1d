import { isDeepStrictEqual } from 'node:util';
import { newId } from '../kernel/ids.js';
import { given } from '../kernel/given.js';
import type { Tx } from '../platform/mongo/transactions.js';
import type { Tenant } from '../tenants/index.js';
import type { Seed } from './seed.js';
import type { SeedDeps, SeedPlan } from './seed-plan.js';
import { planDomains } from './plan-domains.js';
import { planServiceAccounts } from './plan-service-accounts.js';

type SeedTenant = Seed['tenants'][number];

/** Plans tenants with their roles and service accounts. */
export async function planTenants(
  deps: SeedDeps,
  plan: SeedPlan,
  seed: Seed,
  permissions: ReadonlySet<string>,
): Promise<void> {
  for (const [index, wanted] of seed.tenants.entries()) {
    const path = ['tenants', index] as const;
    if (plan.tenants.has(wanted.slug)) plan.refuse([...path, 'slug'], 'is there twice');
    const before = await deps.tenants.findTenantBySlug(wanted.slug);
    if (before?.status === 'deleted') {
      plan.refuse([...path, 'slug'], 'was that of a tenant that is deleted, and is not given again');
      continue;
    }
    const tenant = await planTenant(deps, plan, { path, wanted, before });
    plan.tenants.set(tenant.slug, tenant);
    await planRoles(deps, plan, { tenant, isNew: before === null, wanted, path, permissions });
    await planServiceAccounts(deps, plan, {
      tenant,
      wanted: wanted.serviceAccounts,
      path: [...path, 'serviceAccounts'],
    });
    await planDomains(deps, plan, { tenant, wanted: wanted.domains, path: [...path, 'domains'] });
  }
}

async function planTenant(
  deps: SeedDeps,
  plan: SeedPlan,
  { path, wanted, before }: { path: readonly (string | number)[]; wanted: SeedTenant; before: Tenant | null },
): Promise<Tenant> {
  const { plan: usualPlan, template: usualTemplate } = deps.tenantTypes[wanted.type];
  const planKey = wanted.plan ?? usualPlan;
  if (!deps.isPlan(planKey)) plan.refuse([...path, 'plan'], `names no plan: ${planKey}`);
  const isReserved = deps.reservedSlugs.has(wanted.slug) && wanted.slug !== deps.platformSlug;
  if (isReserved) plan.refuse([...path, 'slug'], 'is kept for the service itself');
  const changes = { name: wanted.name, type: wanted.type, plan: planKey };
  if (!before) {
    const template = await deps.getTemplate(usualTemplate);
    const stamped = deps.newTenant({ ...wanted, plan: planKey, template, at: deps.now() });
    const tenant = { ...stamped, ...changes, ...settingsOf(deps, wanted, stamped) };
    plan.create(async (tx) => {
      await keepLogo(deps, tx, wanted);
      await deps.tenants.createTenant(tx, plan.actor, tenant);
    });
    plan.newTenants.add(tenant.slug);
    return tenant;
  }
  if (before.type !== wanted.type) plan.refuse([...path, 'type'], `is ${before.type}: a seed does not change it`);
  const after = { ...changes, ...settingsOf(deps, wanted, before) };
  const { name, type, plan: currentPlan, policies, branding } = before;
  if (isDeepStrictEqual({ name, type, plan: currentPlan, policies, branding }, after)) plan.keep();
  else
    plan.update(async (tx) => {
      await keepLogo(deps, tx, wanted);
      await deps.tenants.updateTenant(tx, plan.actor, before, after);
      await deps.logos.dropFormerLogo(tx, before);
    });
  return { ...before, ...after };
}

/** What the seed does not name of them stays as it is. */
function settingsOf(
  { logoOf }: SeedDeps,
  { policies, branding = {} }: SeedTenant,
  before: Pick<Tenant, 'policies' | 'branding'>,
): Pick<Tenant, 'policies' | 'branding'> {
  const { logo, ...named } = branding;
  const pictured = logo === undefined ? {} : { logo: logo && logoOf(logo) };
  return {
    policies: { ...before.policies, ...given(policies) },
    branding: { ...before.branding, ...given(named), ...pictured },
  };
}

async function keepLogo({ logos }: SeedDeps, tx: Tx, { branding }: SeedTenant): Promise<void> {
  if (branding?.logo) await logos.keepLogo(tx, branding.logo);
}

interface RolesToPlan {
  tenant: Tenant;
  isNew: boolean;
  wanted: SeedTenant;
  path: readonly (string | number)[];
  permissions: ReadonlySet<string>;
}

async function planRoles(
  deps: SeedDeps,
  plan: SeedPlan,
  { tenant, isNew, wanted, path, permissions }: RolesToPlan,
): Promise<void> {
  const existing = isNew ? [] : await deps.roles.listCustomRoles(tenant.id);
  const rules = deps.tenantTypes[tenant.type];
  const keys = new Set([...rules.builtInRoles, ...existing.map((role) => role.key)]);
  if (!rules.customRoles && wanted.roles.length > 0)
    plan.refuse([...path, 'roles'], `are not for ${tenant.type} tenants`);
  const seen = new Set<string>(deps.roles.builtInRoleKeys);
  for (const [index, role] of wanted.roles.entries()) {
    const at = [...path, 'roles', index];
    if (seen.has(role.key)) plan.refuse([...at, 'key'], 'is built in or there twice');
    seen.add(role.key);
    for (const [position, permission] of role.permissions.entries()) {
      if (!permissions.has(permission)) {
        plan.refuse([...at, 'permissions', position], `is defined by no resource: ${permission}`);
      }
      if (permission.startsWith('platform:') && tenant.slug !== deps.platformSlug) {
        plan.refuse([...at, 'permissions', position], 'is for operators alone');
      }
    }
    const before = existing.find((candidate) => candidate.key === role.key);
    const changes = { name: role.name ?? role.key, permissions: role.permissions };
    if (!before) {
      const added = {
        id: newId('rol'),
        tenantId: tenant.id,
        key: role.key,
        builtIn: false,
        createdAt: deps.now(),
        ...changes,
      } as const;
      plan.create((tx) => deps.roles.createRole(tx, plan.actor, added));
    } else if (isDeepStrictEqual({ name: before.name, permissions: before.permissions }, changes)) plan.keep();
    else plan.update((tx) => deps.roles.updateRole(tx, plan.actor, before, changes));
    keys.add(role.key);
  }
  plan.roleKeys.set(tenant.id, keys);
}
