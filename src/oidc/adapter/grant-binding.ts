/** What we add to the library's Grant: its tenant, its session, whether it outlives that session, and where it came from. */
export interface GrantBinding {
  accountId: string;
  clientId: string;
  tenantId: string;
  sessionUid: string;
  offline: boolean;
  /** The grant whose token was exchanged for tokens of this one; it ends with that. */
  exchangedFrom?: string;
}
