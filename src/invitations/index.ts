/**
 * Offers to become a member of a tenant: whom, with which roles, until when. Owns the `invitations` collection: the
 * token as a keyed hash, the address sealed. It does not decide who may invite and what acceptance does
 * (administration), nor does it send anything.
 */
import type { Actor } from '../kernel/actor.js';
import { secondsAfter, type Clock } from '../kernel/time.js';
import type { EventDraft, RecordEvent } from '../events/index.js';
import type { KeyRing } from '../platform/crypto/key-ring.js';
import type { Database } from '../platform/mongo/open-database.js';
import type { Page } from '../platform/mongo/page.js';
import type { Tx } from '../platform/mongo/transactions.js';
import { createInvitationStore } from './invitation-store.js';
import { statusOf, type Invitation } from './invitation.js';

export type { Invitation } from './invitation.js';
export { statusOf } from './invitation.js';

export interface InvitationsModule {
  /** Throws a duplicate key error while the address has a pending one in this tenant. */
  createInvitation(tx: Tx, invitation: Invitation, token: string): Promise<void>;
  findInvitation(tenantId: string, id: string, tx?: Tx): Promise<Invitation | null>;
  findInvitationByToken(token: string): Promise<Invitation | null>;
  /** Whether somebody may still accept what this link names. */
  isOpenInvitation(token: string): Promise<boolean>;
  listInvitations(tenantId: string, page: Page): Promise<Invitation[]>;
  /** Those to this address that can still be accepted, the newest first. */
  listOpenInvitationsTo(email: string): Promise<Invitation[]>;
  countPendingInvitations(tx: Tx, tenantId: string): Promise<number>;
  /** Mails to the address within the hour, from whichever tenants. */
  countSentTo(tx: Tx, email: string): Promise<number>;
  /** Invitations of the tenant of which a mail was sent within the hour. */
  countSentBy(tx: Tx, tenantId: string): Promise<number>;
  /** With a new token; the one before opens nothing any more. */
  renewInvitation(tx: Tx, actor: Actor, invitation: Invitation, token: string): Promise<void>;
  /** Decided by one write. False: it is over already. */
  closeInvitation(tx: Tx, actor: Actor, invitation: Invitation, status: 'accepted' | 'revoked'): Promise<boolean>;
  invitationStatus(invitation: Invitation): ReturnType<typeof statusOf>;
}

export function invitationsModule(deps: {
  database: Database;
  keyRing: KeyRing;
  recordEvent: RecordEvent;
  now: Clock;
}): InvitationsModule {
  const store = createInvitationStore({
    database: deps.database,
    sealing: deps.keyRing.sealing,
    hash: deps.keyRing.hashFor('invitation'),
  });
  const record = (tx: Tx, type: EventDraft['type'], actor: Actor, { tenantId, id, roles }: Invitation): Promise<void> =>
    deps.recordEvent(tx, { type, tenantId, actor, subjectId: id, data: { roles } });
  return {
    async createInvitation(tx, invitation, token) {
      await store.insert(tx, invitation, token);
      await record(tx, 'invitation.created', invitation.invitedBy, invitation);
    },
    findInvitation: store.find,
    findInvitationByToken: store.findByToken,
    async isOpenInvitation(token) {
      const invitation = await store.findByToken(token);
      return invitation !== null && statusOf(invitation, deps.now()) === 'pending';
    },
    listInvitations: store.list,
    listOpenInvitationsTo: (email) => store.listPendingTo(email, deps.now()),
    countPendingInvitations: (tx, tenantId) => store.countPending(tx, tenantId, deps.now()),
    countSentTo: (tx, email) => store.countSentTo(tx, email, secondsAfter(deps.now(), -3600)),
    countSentBy: (tx, tenantId) => store.countSentBy(tx, tenantId, secondsAfter(deps.now(), -3600)),
    async renewInvitation(tx, actor, invitation, token) {
      await store.renew(tx, invitation, { token, at: deps.now() });
      await record(tx, 'invitation.resent', actor, invitation);
    },
    async closeInvitation(tx, actor, invitation, status) {
      if (!(await store.close(tx, invitation, { status, at: deps.now() }))) return false;
      await record(tx, `invitation.${status}`, actor, invitation);
      return true;
    },
    invitationStatus: (invitation) => statusOf(invitation, deps.now()),
  };
}
