export const tenantTypes = ['personal', 'team', 'enterprise'] as const;
export type TenantType = (typeof tenantTypes)[number];

/** `suspended`: nobody gets in, data is kept. */
export type TenantStatus = 'active' | 'suspended';

export interface TenantPolicies {
  ipAllowlist: string[];
  mfa: 'optional';
}

export interface Tenant {
  id: string;
  /** Unique, part of URLs and requests: lower-case letters, digits and hyphens. */
  slug: string;
  name: string;
  type: TenantType;
  plan: string;
  status: TenantStatus;
  policies: TenantPolicies;
  createdAt: Date;
}

/** The built-in tenant whose members are the operators. */
export const platformSlug = 'platform';
