import type { Actor } from '../kernel/actor.js';

/** Every kind of fact that is recorded. Data holds ids and plain facts, never addresses, names or secrets. */
export type EventType =
  | 'tenant.created'
  | 'tenant.updated'
  | 'tenant.renamed'
  | 'tenant.type_changed'
  | 'tenant.activated'
  | 'tenant.suspended'
  | 'tenant.archived'
  | 'tenant.deleted'
  | 'tenant.seats_reconciled'
  | 'tenant.tokens_ended'
  | 'template.published'
  | 'template.applied'
  | 'user.created'
  | 'user.updated'
  | 'user.password_changed'
  | 'user.password_accepted'
  | 'user.signed_in'
  | 'user.sign_in_failed'
  | 'user.sign_in_blocked'
  | 'membership.added'
  | 'membership.roles_changed'
  | 'membership.removed'
  | 'role.created'
  | 'role.updated'
  | 'role.deleted'
  | 'resource.created'
  | 'resource.updated'
  | 'client.created'
  | 'client.updated'
  | 'client.deleted'
  | 'client.tokens_ended'
  | 'service_account.created'
  | 'service_account.updated'
  | 'service_account.tokens_ended'
  | 'api_key.created'
  | 'consent.granted'
  | 'consent.denied'
  | 'device.approved'
  | 'device.denied'
  | 'session.ended'
  | 'grant.created'
  | 'grant.revoked'
  | 'access_token.revoked'
  | 'token.exchanged'
  | 'signing_key.created';

export interface EventDraft {
  type: EventType;
  /** The tenant that the fact belongs to; null for facts of the platform and of people across tenants. */
  tenantId: string | null;
  actor: Actor;
  /** Id of what it happened to. */
  subjectId: string;
  data?: Record<string, string | number | boolean | readonly string[]>;
}

export interface Event extends Required<EventDraft> {
  id: string;
  at: Date;
}
