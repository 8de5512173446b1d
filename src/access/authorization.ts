import type { ProfileMember, TenantType, Terms } from '../tenants/index.js';
import type { AcceptedTerms } from '../users/index.js';

export type Subject =
  | { kind: 'user'; userId: string }
  | {
      kind: 'service_account';
      clientId: string;
      /** Id of the member who knows with what it has authenticated: it does no more than they may. */
      knownBy?: string;
    };

/** What a subject is and may do in one tenant, as of at most two seconds ago. */
export interface Authorization {
  tenant: { id: string; slug: string; name: string; type: TenantType };
  /** A person takes part in it only with two factors. */
  requiresSecondFactor: boolean;
  /** Keys of the roles held. */
  roles: readonly string[];
  entitlements: readonly string[];
  /** Tokens of before this are no good any more; null: none were ended together. */
  tokensEndedAt: Date | null;
  allows(permission: string): boolean;
  /** Of a service account: the member without whom it may do nothing. */
  answeredForBy: string | null;
  /** What a person has to have done before they come in; of a service nothing is asked. */
  asks: { requiredProfile: readonly ProfileMember[]; terms: Terms | null; acceptedTerms: AcceptedTerms | null };
  /** How long a session may be used in the tenant; null: as long as it lives. */
  session: { idleSeconds: number | null; absoluteSeconds: number | null };
  /** Whether the tenant, and the service account if it is one, may be used from this client address. */
  admits(address: string): boolean;
}
