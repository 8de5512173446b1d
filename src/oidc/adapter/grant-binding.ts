/** What we add to the library's Grant: its tenant, its session, whether it outlives that session, and where it came from. */
export interface GrantBinding {
  accountId: string;
  clientId: string;
  tenantId: string;
  sessionUid: string;
  offline: boolean;
  /** The grant whose token was exchanged for tokens of this one; it ends with that. */
  exchangedFrom?: string;
  /** The tenant that alone the sign-in opens from which it came: no token of another one is had for it. */
  boundTenantId?: string | undefined;
  /** The connection by which that sign-in was done; whoever closes it ends both. */
  connectionId?: string | undefined;
  /** The domain by which that opened the whole account; whoever takes it away ends both. */
  domainId?: string | undefined;
}
