import type { ClientAuthentication } from '../clients/index.js';

/** A machine principal of one tenant. Its OAuth client has the same client id. */
export interface ServiceAccount {
  id: string;
  tenantId: string;
  clientId: string;
  name: string;
  /** Keys of roles of its tenant. */
  roles: string[];
  status: 'active' | 'disabled';
  /** With API keys (`client_secret_basic`) unless it says otherwise. */
  authentication: ClientAuthentication;
  /** Id of the member who set public keys, and so has the private ones. Null: nobody in particular. */
  authenticationSetBy: string | null;
  /** Networks from which it may be used, beside those of its tenant; empty: from everywhere. */
  ipAllowlist: string[];
  /** Id of the member who answers for it: it can never do more than they can. Null: made by the server itself. */
  createdBy: string | null;
  /** Tokens issued before this are no good any more. */
  tokensEndedAt: Date | null;
  createdAt: Date;
}

/** What may change about it. */
export type AccountChanges = Partial<Omit<ServiceAccount, 'id' | 'tenantId' | 'clientId' | 'createdAt'>>;

/** A secret of a service account; several may be live at once, so that they can be rotated. */
export interface ApiKey {
  id: string;
  tenantId: string;
  serviceAccountId: string;
  label: string;
  secretHash: string;
  /** Id of the member who made it and so knows it: without them it opens nothing. Null: made by the server itself. */
  createdBy: string | null;
  createdAt: Date;
  /** Null: does not expire. */
  expiresAt: Date | null;
  revokedAt: Date | null;
  /** To the minute. */
  lastUsedAt: Date | null;
}

export function isLiveKey(key: ApiKey, now: Date): boolean {
  return key.revokedAt === null && (key.expiresAt === null || key.expiresAt > now);
}

export const withApiKeys: ClientAuthentication = { token_endpoint_auth_method: 'client_secret_basic' };
