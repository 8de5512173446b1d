export const tenantTypes = ['personal', 'team', 'enterprise'] as const;
export type TenantType = (typeof tenantTypes)[number];

/** What tells a type apart, as data (`config/tenant-types.ts`). */
export interface TenantTypeRules {
  name: string;
  rank: number;
  plan: string;
  template: string;
  maximumMembers: number | null;
  builtInRoles: readonly string[];
  customRoles: boolean;
  serviceAccounts: boolean;
  clients: boolean;
}
export type TenantTypes = Readonly<Record<TenantType, TenantTypeRules>>;

/**
 * `suspended`: nobody gets in, data is kept. `archived`: the same until `deleteAfter`. `deleted`: what it owned is going
 * or gone; the row stays, so that neither its id nor its slugs are ever given to another tenant.
 */
export const tenantStatuses = ['active', 'suspended', 'archived', 'deleted'] as const;
export type TenantStatus = (typeof tenantStatuses)[number];

export interface TenantPolicies {
  ipAllowlist: string[];
  mfa: 'optional';
}

/** What a template stamps and a tenant may set for itself. */
export interface TenantSettings {
  policies: TenantPolicies;
  /** Entitlements beside those of the plan. */
  features: string[];
  /** Null: what the plan allows. */
  limits: Record<SeatKind, number | null>;
  branding: { supportUri: string | null };
}

/** What a tenant has a limited number of. */
export type SeatKind = 'members' | 'serviceAccounts';

export interface Tenant extends TenantSettings {
  id: string;
  /** Unique, part of URLs and requests: lower-case letters, digits and hyphens. */
  slug: string;
  /** Names it had before; they still lead to it, and to nobody else. */
  formerSlugs: string[];
  name: string;
  type: TenantType;
  plan: string;
  status: TenantStatus;
  /** Of an archived tenant: when it is deleted. */
  deleteAfter: Date | null;
  /** The version of the template that its settings are from. */
  template: { key: string; version: number };
  /** Settings (`policies.mfa`) and roles (`roles.editor`) that the tenant has set itself: no template changes them. */
  overrides: string[];
  /** How many of each are there, counted along in the transactions that add and remove them. */
  seats: Record<SeatKind, number>;
  /** Tokens issued before this are no good any more. */
  tokensEndedAt: Date | null;
  createdAt: Date;
}

/** The built-in tenant whose members are the operators. */
export const platformSlug = 'platform';
