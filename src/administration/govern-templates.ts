import { z } from 'zod';
import type { Authority } from '../kernel/actor.js';
import { AppError } from '../kernel/errors.js';
import { slugPattern } from '../kernel/patterns.js';
import { isDuplicateKey, type Tx } from '../platform/mongo/transactions.js';
import type { Template } from '../templates/index.js';
import type { Tenant } from '../tenants/index.js';
import type { AdministrationDeps } from './administration-deps.js';
import { storedBranding } from './branding.js';
import { addTemplateRole, requireTemplateOfType } from './create-tenant.js';
import { requireGrantable, requireOperator } from './grantable.js';
import { requireNotClosed } from './change-settings.js';
import { getTenant } from './look-up.js';
import { countHolders } from './govern-roles.js';
import {
  nameText,
  parsed,
  permissionTexts,
  roleKeyText,
  settingsSchema,
  templateReference,
  tenantTypeText,
} from './input.js';
import { settingsOf, templateDiff, withValue, type RoleChange, type TemplateDiff } from './template-diff.js';

const templateRole = z.strictObject({ key: roleKeyText, name: nameText(100), permissions: permissionTexts });
export const templateSchema = z.strictObject({
  key: z.string().max(40).regex(slugPattern, 'must be lower-case letters, digits and hyphens'),
  name: nameText(200),
  type: tenantTypeText,
  settings: settingsSchema,
  roles: z
    .array(templateRole)
    .max(100)
    .refine((roles) => new Set(roles.map(({ key }) => key)).size === roles.length, 'must not repeat a key'),
});

/** Stores a template as the next version of its key; versions never change. For operators. */
export async function publishTemplate(
  deps: AdministrationDeps,
  by: Authority,
  input: z.input<typeof templateSchema>,
): Promise<Template> {
  requireOperator(by);
  const { settings, ...draft } = parsed(templateSchema, input);
  await requireUsableRoles(deps, draft);
  try {
    return await deps.inTransaction(async (tx) => {
      const branding = { ...deps.noBranding, ...(await storedBranding(deps, tx, settings.branding)) };
      return deps.templates.publishTemplate(tx, by.actor, { ...draft, settings: { ...settings, branding } });
    });
  } catch (error) {
    if (!isDuplicateKey(error)) throw error;
    throw new AppError('template.published_meanwhile', {
      status: 409,
      detail: 'Somebody else has published a version of this template. Look at it and try again.',
      cause: error,
    });
  }
}

/** What `applyTemplate` would do now; changes nothing. The latest version when none is named. */
export function previewTemplate(
  deps: AdministrationDeps,
  tenantId: string,
  input: z.input<typeof templateReference>,
): Promise<TemplateDiff> {
  return deps.inTransaction(async (tx) => diffOf(deps, tx, await getTenant(deps, tenantId), input));
}

/** Brings a tenant to a version of a template, a later or an earlier one; what it set itself stays. */
export function applyTemplate(
  deps: AdministrationDeps,
  by: Authority,
  tenantId: string,
  input: z.input<typeof templateReference>,
): Promise<TemplateDiff> {
  return deps.inTransaction(async (tx) => {
    const tenant = await deps.tenants.holdTenant(tx, tenantId);
    const diff = await diffOf(deps, tx, tenant, input);
    requireNotClosed(tenant);
    await applyDiff(deps, tx, { by, tenant, diff });
    return diff;
  });
}

export async function applyDiff(
  deps: AdministrationDeps,
  tx: Tx,
  { by, tenant, diff }: { by: Authority; tenant: Tenant; diff: TemplateDiff },
): Promise<void> {
  if (diff.settings.some(({ path }) => path === 'features')) requireOperator(by);
  for (const change of diff.roles) await applyRoleChange(deps, tx, { by, tenantId: tenant.id, change });
  const settings = diff.settings.reduce(
    (after, { path, after: value }) => withValue(after, path, value),
    settingsOf(tenant),
  );
  await deps.tenants.updateTenant(tx, by.actor, tenant, { ...settings, template: diff.template });
  await deps.logos.dropFormerLogo(tx, tenant);
  await deps.recordEvent(tx, {
    type: 'template.applied',
    tenantId: tenant.id,
    actor: by.actor,
    subjectId: diff.template.key,
    data: { version: diff.template.version, before: tenant.template.version },
  });
}

export async function diffTo(
  deps: AdministrationDeps,
  tx: Tx,
  { tenant, next }: { tenant: Tenant; next: Template },
): Promise<TemplateDiff> {
  const roles = await deps.roles.listCustomRoles(tenant.id, tx);
  const held = new Set<string>();
  for (const { key } of roles) if ((await countHolders(deps, tx, { tenantId: tenant.id, key })) > 0) held.add(key);
  const former = await deps.templates.getTemplate(tenant.template.key, tenant.template.version).catch(orNone);
  return templateDiff({ tenant, roles, held, former, next });
}

async function diffOf(
  deps: AdministrationDeps,
  tx: Tx,
  tenant: Tenant,
  input: z.input<typeof templateReference>,
): Promise<TemplateDiff> {
  const { key, version } = parsed(templateReference, input);
  const next = await deps.templates.getTemplate(key, version);
  requireTemplateOfType(next, tenant.type);
  return diffTo(deps, tx, { tenant, next });
}

async function applyRoleChange(
  deps: AdministrationDeps,
  tx: Tx,
  { by, tenantId, change }: { by: Authority; tenantId: string; change: RoleChange },
): Promise<void> {
  if ('before' in change) requireGrantable(by, [change.before]);
  if ('after' in change) requireGrantable(by, [change.after]);
  switch (change.change) {
    case 'add':
      return addTemplateRole(deps, tx, { by, tenantId, role: change.after });
    case 'update': {
      const { name, permissions } = change.after;
      return deps.roles.updateRole(tx, by.actor, change.before, { name, permissions });
    }
    case 'remove':
      return deps.roles.deleteRole(tx, by.actor, change.before);
  }
}

async function requireUsableRoles(
  deps: AdministrationDeps,
  { type, roles }: Pick<z.output<typeof templateSchema>, 'type' | 'roles'>,
): Promise<void> {
  const defined = new Set((await deps.listResources()).flatMap((resource) => resource.permissions));
  const problems = roles.flatMap(({ key, permissions }, index) => {
    const at = `/roles/${index}`;
    if (!deps.tenantTypes[type].customRoles) return [{ pointer: at, detail: 'is not for tenants of this type' }];
    if (deps.roles.builtInRoles.some((role) => role.key === key))
      return [{ pointer: `${at}/key`, detail: 'is built in' }];
    return permissions.flatMap((permission, position) =>
      defined.has(permission) && !permission.startsWith('platform:')
        ? []
        : [{ pointer: `${at}/permissions/${position}`, detail: 'is defined by no resource' }],
    );
  });
  if (problems.length === 0) return;
  const fields = problems.map((problem) => ({ ...problem, code: 'invalid' }));
  throw new AppError('template.unusable_roles', {
    status: 400,
    detail: 'Roles of the template cannot be made.',
    fields,
  });
}

function orNone(error: unknown): null {
  if (error instanceof AppError && error.status === 404) return null;
  throw error;
}
