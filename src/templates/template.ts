import type { TenantSettings, TenantType } from '../tenants/index.js';

/**
 * A preset that stamps a new tenant. A version never changes, so a tenant can be brought to a later one, and back:
 * what should be different is a new version.
 */
export interface Template {
  key: string;
  version: number;
  name: string;
  type: TenantType;
  settings: TenantSettings;
  /** Custom roles that a tenant of it begins with. */
  roles: readonly TemplateRole[];
}

export interface TemplateRole {
  key: string;
  name: string;
  permissions: readonly string[];
}
