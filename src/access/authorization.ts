import type { TenantType } from '../tenants/index.js';

export type Subject = { kind: 'user'; userId: string } | { kind: 'service_account'; clientId: string };

/** What a subject is and may do in one tenant, as of at most two seconds ago. */
export interface Authorization {
  tenant: { id: string; slug: string; name: string; type: TenantType };
  /** Keys of the roles held. */
  roles: readonly string[];
  entitlements: readonly string[];
  /** Tokens of before this are no good any more; null: none were ended together. */
  tokensEndedAt: Date | null;
  allows(permission: string): boolean;
}
