/** Somebody of a provider, and whose account they open here. The address is never part of who they are. */
export interface Identity {
  id: string;
  /** Of the connection. */
  tenantId: string;
  connectionId: string;
  userId: string;
  /** Of the provider, as its tokens say. */
  issuer: string;
  subject: string;
  /** Address at the provider when it was linked, for people to tell their identities apart. */
  email: string | null;
  linkedAt: Date;
  lastUsedAt: Date | null;
}

/** By what somebody of a provider is known. */
export interface IdentityKey {
  tenantId: string;
  connectionId: string;
  issuer: string;
  subject: string;
}
