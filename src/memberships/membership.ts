import type { AcceptedTerms } from '../users/index.js';

/** User × tenant × roles: the only source of what a person may do in a tenant. */
export interface Membership {
  id: string;
  tenantId: string;
  userId: string;
  /** Keys of roles of this tenant. */
  roles: string[];
  createdAt: Date;
  /** When the person last chose this tenant among theirs. */
  pickedAt: Date | null;
  /** Those of the tenant, as the person accepted them last. */
  acceptedTerms: AcceptedTerms | null;
}
