import type { Actor } from '../kernel/actor.js';

/** An offer to one address to become a member of a tenant. Whoever has its token has read that mailbox. */
export interface Invitation {
  id: string;
  tenantId: string;
  /** Canonical form, see `parseEmail`. */
  email: string;
  /** Keys of the roles that its acceptance gives. */
  roles: string[];
  invitedBy: Actor;
  /** Id of the member who answers for the service that invited. Null: no service, or nobody in particular. */
  answeredForBy: string | null;
  /** The inviter is no member but an operator. */
  byOperator: boolean;
  status: 'pending' | 'accepted' | 'revoked';
  /** How often it was sent. */
  sendings: number;
  createdAt: Date;
  expiresAt: Date;
  acceptedAt: Date | null;
}

/** As people see it: one that was not answered in time is over without anybody's doing. */
export function statusOf({ status, expiresAt }: Invitation, now: Date): Invitation['status'] | 'expired' {
  return status === 'pending' && expiresAt <= now ? 'expired' : status;
}
