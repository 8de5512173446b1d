import type { BrandColors } from '../kernel/brand-colors.js';

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

/** Members of a profile that may be asked for. */
export type ProfileMember = 'name' | 'givenName' | 'familyName' | 'locale';

/** What people accept before they come in; another version is accepted anew. */
export interface Terms {
  version: string;
  /** Where they can be read. */
  uri: string;
}

/** How sign-in pages look for the tenant. Null: as for everybody. */
export interface Branding extends BrandColors {
  /** The name that is shown there, in the place of the tenant's. */
  displayName: string | null;
  logo: Logo | null;
  supportUri: string | null;
}

/** A picture that is kept under the digest of its bytes (logos). */
export interface Logo {
  /** SHA-256, hexadecimal. */
  digest: string;
  type: 'image/png' | 'image/jpeg' | 'image/webp';
  /** Pixels. */
  width: number;
  height: number;
  alt: string;
}

export interface TenantPolicies {
  /** Networks from which the tenant may be used; empty: from everywhere. */
  ipAllowlist: string[];
  /** Whether whoever acts in the tenant has proven two factors. */
  mfa: 'optional' | 'required';
  /** Whether codes by e-mail may stand in for the second factors of its members, wherever they sign in. */
  emailCodes: 'allowed' | 'refused';
  /** Of new passwords of its members, beside what their other tenants ask for; null: what the platform asks for. */
  password: { minimumLength: number | null; history: number | null };
  /** Of passwords and codes of its members, where it is stricter than the platform and their other tenants. */
  signInAttempts: AttemptPolicy;
  /** How long a session may be used in the tenant; null: as long as it lives. */
  session: { idleSeconds: number | null; absoluteSeconds: number | null };
  /** What stands in the profile of whoever comes in. Those of the tenant `platform` are asked of everybody. */
  requiredProfile: ProfileMember[];
  /** Accepted by whoever comes in; those of the tenant `platform` by everybody. Null: none. */
  terms: Terms | null;
}

/** How many wrong ones within how long, the waits that follow, and how many in a row; null: as the platform. */
export type AttemptPolicy = Record<
  'tries' | 'windowSeconds' | 'firstWaitSeconds' | 'longestWaitSeconds' | 'consecutive',
  number | null
>;

/** What a template stamps and a tenant may set for itself. */
export interface TenantSettings {
  policies: TenantPolicies;
  /** Entitlements beside those of the plan. */
  features: string[];
  /** Null: what the plan allows. */
  limits: Record<SeatKind, number | null>;
  branding: Branding;
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
