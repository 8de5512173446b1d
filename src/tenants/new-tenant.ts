import { newId } from '../kernel/ids.js';
import type { Tenant, TenantSettings } from './tenant.js';

/** Pure: what a tenant is when it begins. */
export function newTenant(wanted: {
  slug: string;
  name: string;
  type: Tenant['type'];
  plan: string;
  template: { key: string; version: number; settings: TenantSettings };
  at: Date;
}): Tenant {
  const { slug, name, type, plan, template, at } = wanted;
  return {
    ...structuredClone(template.settings),
    ...{ id: newId('ten'), slug, formerSlugs: [], name, type, plan, status: 'active', createdAt: at },
    template: { key: template.key, version: template.version },
    ...{ overrides: [], seats: { members: 0, serviceAccounts: 0 }, deleteAfter: null, tokensEndedAt: null },
  };
}
