import { isDeepStrictEqual } from 'node:util';
import type { CustomRole } from '../roles/index.js';
import type { Template, TemplateRole } from '../templates/index.js';
import type { Tenant, TenantSettings } from '../tenants/index.js';

/** Each setting that a template stamps and a tenant can make its own. */
export const settingPaths = [
  'policies.ipAllowlist',
  'policies.mfa',
  'policies.emailCodes',
  'policies.password',
  'policies.signInAttempts',
  'policies.session',
  'policies.requiredProfile',
  'policies.terms',
  'features',
  'limits.members',
  'limits.serviceAccounts',
  'branding.displayName',
  'branding.logo',
  'branding.primaryColor',
  'branding.primaryColorDark',
  'branding.supportUri',
] as const;
export type SettingPath = (typeof settingPaths)[number];

/** What bringing a tenant to a version of a template changes, and what it leaves because the tenant set it itself. */
export interface TemplateDiff {
  template: { key: string; version: number };
  settings: { path: SettingPath; before: unknown; after: unknown }[];
  roles: RoleChange[];
  /** Settings and roles of the tenant's own that differ from the template. */
  kept: { path: string; own: unknown; ofTemplate: unknown }[];
}

export type RoleChange =
  | { change: 'add'; key: string; after: TemplateRole }
  | { change: 'update'; key: string; before: CustomRole; after: TemplateRole }
  | { change: 'remove'; key: string; before: CustomRole };

interface Sides {
  tenant: Tenant;
  roles: readonly CustomRole[];
  /** Keys of roles that somebody holds. */
  held: ReadonlySet<string>;
  /** What the tenant is of now; null when that is not there any more. */
  former: Template | null;
  next: Template;
}

/** Pure. A role that the former version brought and the next one lacks goes, unless it is held or the tenant's own. */
export function templateDiff(sides: Sides): TemplateDiff {
  const { tenant, next } = sides;
  const diff: TemplateDiff = {
    template: { key: next.key, version: next.version },
    ...{ settings: [], roles: [], kept: [] },
  };
  for (const path of settingPaths) {
    const before = valueAt(settingsOf(tenant), path);
    const after = completed(before, valueAt(next.settings, path));
    if (isDeepStrictEqual(before, after)) continue;
    if (tenant.overrides.includes(path)) diff.kept.push({ path, own: before, ofTemplate: after });
    else diff.settings.push({ path, before, after });
  }
  const own = ownRoles(sides);
  for (const role of next.roles) compareRole(diff, { ...sides, own }, role);
  const gone = (sides.former?.roles ?? []).filter(({ key }) => !next.roles.some((role) => role.key === key));
  for (const { key } of gone) removeRole(diff, sides, key);
  return diff;
}

/** Keys of roles that the tenant made, changed or deleted itself: no template has a say in them. */
function ownRoles({ tenant, roles, former }: Sides): ReadonlySet<string> {
  const marked = tenant.overrides.flatMap((path) => (path.startsWith('roles.') ? [path.slice('roles.'.length)] : []));
  const made = roles.map(({ key }) => key).filter((key) => !former?.roles.some((role) => role.key === key));
  return new Set([...marked, ...made]);
}

function compareRole(
  diff: TemplateDiff,
  { roles, own }: Sides & { own: ReadonlySet<string> },
  after: TemplateRole,
): void {
  const { key } = after;
  const path = `roles.${key}`;
  const before = roles.find((role) => role.key === key);
  if (!before && own.has(key)) return void diff.kept.push({ path, own: null, ofTemplate: after.permissions });
  if (!before) return void diff.roles.push({ change: 'add', key, after });
  const isSame = before.name === after.name && isDeepStrictEqual([...before.permissions], [...after.permissions]);
  if (isSame) return;
  if (own.has(key)) diff.kept.push({ path, own: before.permissions, ofTemplate: after.permissions });
  else diff.roles.push({ change: 'update', key, before, after });
}

function removeRole(diff: TemplateDiff, { tenant, roles, held }: Sides, key: string): void {
  const before = roles.find((role) => role.key === key);
  if (!before) return;
  const path = `roles.${key}`;
  if (held.has(key) || tenant.overrides.includes(path))
    diff.kept.push({ path, own: before.permissions, ofTemplate: null });
  else diff.roles.push({ change: 'remove', key, before });
}

export function settingsOf({ policies, features, limits, branding }: Tenant): TenantSettings {
  return structuredClone({ policies, features, limits, branding });
}

/** Undefined where the path is not there. */
export function valueAt(settings: object, path: SettingPath): unknown {
  const [group = '', name] = path.split('.');
  const found = (settings as Record<string, unknown>)[group];
  return name === undefined ? found : (found as Record<string, unknown> | undefined)?.[name];
}

/** A template of before there was a setting, or a member of one, says nothing of it; nor does who changes another member. */
export function completed(before: unknown, after: unknown): unknown {
  if (after === undefined) return before;
  return isRecord(before) && isRecord(after) ? { ...before, ...after } : after;
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

export function withValue(settings: TenantSettings, path: SettingPath, value: unknown): TenantSettings {
  const [group = '', name] = path.split('.');
  const { [group]: found, ...others } = settings as unknown as Record<string, object>;
  return { ...others, [group]: name === undefined ? value : { ...found, [name]: value } } as unknown as TenantSettings;
}
