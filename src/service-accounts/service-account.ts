/** A machine principal of one tenant. Its OAuth client has the same client id. */
export interface ServiceAccount {
  id: string;
  tenantId: string;
  clientId: string;
  name: string;
  /** Keys of roles of its tenant. */
  roles: string[];
  status: 'active' | 'disabled';
  createdAt: Date;
}

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
