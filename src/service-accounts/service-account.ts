import type { PublicJwk } from '../kernel/public-keys.js';

/** A machine principal of one tenant. Its OAuth client has the same client id. */
export interface ServiceAccount {
  id: string;
  tenantId: string;
  clientId: string;
  name: string;
  /** Keys of roles of its tenant. */
  roles: string[];
  status: 'active' | 'disabled';
  /** Public keys with which it authenticates (`private_key_jwt`) instead of API keys; null: API keys count. */
  jwks: { keys: PublicJwk[] } | null;
  /** Tokens issued before this are no good any more. */
  tokensEndedAt: Date | null;
  createdAt: Date;
}

/** What may change about it. */
export type AccountChanges = Partial<Pick<ServiceAccount, 'name' | 'roles' | 'jwks' | 'status' | 'tokensEndedAt'>>;

/** A secret of a service account; several may be live at once, so that they can be rotated. */
export interface ApiKey {
  id: string;
  tenantId: string;
  serviceAccountId: string;
  label: string;
  secretHash: string;
  createdAt: Date;
  /** Null: does not expire. */
  expiresAt: Date | null;
  revokedAt: Date | null;
}
