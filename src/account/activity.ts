import type { Event, EventPosition, EventType } from '../events/index.js';
import type { Reader } from '../kernel/languages.js';
import type { MessageKey } from '../kernel/message.js';
import { momentsFor, type Moment } from '../platform/i18n/moments.js';
import type { AccountDeps } from './account-deps.js';

/** What happened to the person, whoever did it. */
const about = [
  ...(['user.created', 'user.updated', 'user.disabled', 'user.enabled'] as const),
  ...(['user.deletion_requested', 'user.deletion_cancelled', 'user.terms_accepted'] as const),
  ...(['user.password_changed', 'user.password_reset_required'] as const),
  ...(['user.recovery_requested', 'user.recovered', 'user.email_verified'] as const),
  ...(['user.email_change_requested', 'user.email_changed', 'user.email_change_undone'] as const),
  ...(['user.signed_in', 'user.sign_in_failed', 'user.sign_in_blocked', 'user.unlocked'] as const),
  ...(['user.factor_added', 'user.factor_renamed', 'user.factor_removed', 'user.factors_reset'] as const),
  ...(['user.factor_accepted', 'user.passkey_counter_regressed'] as const),
  ...(['user.factor_failed', 'user.factor_blocked', 'user.recovery_codes_made', 'session.ended'] as const),
  ...(['user.trusted_browsers_forgotten', 'identity.linked', 'identity.unlinked'] as const),
  ...(['membership.added', 'membership.roles_changed', 'membership.removed', 'membership.terms_accepted'] as const),
] satisfies EventType[];

/** What the person did. */
const by = [
  ...(['consent.granted', 'consent.denied', 'consent.revoked', 'invitation.accepted'] as const),
  ...(['device.approved', 'device.denied', 'tenant.created'] as const),
] satisfies EventType[];

export const kindsOfActivity = { about, by };
type Kind = (typeof about | typeof by)[number];

export interface ActivityShown {
  label: MessageKey;
  /** The app or the tenant that it was about, if there is one to name. */
  place: string | null;
  /** Whether somebody else did it. */
  byOthers: boolean;
  at: Moment;
}

export const eventsOnPage = 20;

/** A page of what happened, the newest first, and where the next one begins. */
export async function listActivity(
  deps: Pick<AccountDeps, 'events' | 'clients' | 'tenants'>,
  { id: userId, reader }: { id: string; reader: Reader },
  before: EventPosition | null,
): Promise<{ events: ActivityShown[]; next: string | null }> {
  const found = await deps.events.listEventsOfPerson(
    { userId, ...kindsOfActivity },
    { limit: eventsOnPage + 1, before },
  );
  const shown = found.slice(0, eventsOnPage);
  const named = await namesFor(deps, shown);
  const moment = momentsFor(reader);
  const last = shown.at(-1);
  return {
    events: shown.map((event) => ({
      label: `events.${event.type as Kind}`, // no other kind was asked for
      place: named(event),
      byOthers: event.actor.kind !== 'user' || event.actor.userId !== userId,
      at: moment(event.at),
    })),
    next: last && found.length > shown.length ? writePosition(last) : null,
  };
}

async function namesFor(
  deps: Pick<AccountDeps, 'clients' | 'tenants'>,
  events: readonly Event[],
): Promise<(event: Event) => string | null> {
  const tenantIds = [...new Set(events.flatMap(({ tenantId }) => tenantId ?? []))];
  const clientIds = [...new Set(events.flatMap((event) => clientIdOf(event) ?? []))];
  const tenants = new Map((await deps.tenants.findTenantsByIds(tenantIds)).map(({ id, name }) => [id, name]));
  const clients = new Map(
    await Promise.all(
      clientIds.map(async (id) => [id, (await deps.clients.findClient(id))?.metadata.client_name ?? null] as const),
    ),
  );
  return (event) => {
    const clientId = clientIdOf(event);
    if (clientId !== null) return clients.get(clientId) ?? null;
    return (event.tenantId !== null && tenants.get(event.tenantId)) || null;
  };
}

function clientIdOf({ type, subjectId, data }: Event): string | null {
  if (type.startsWith('consent.')) return subjectId;
  return typeof data['clientId'] === 'string' && data['clientId'] !== '' ? data['clientId'] : null;
}

function writePosition({ at, id }: EventPosition): string {
  return `${at.getTime()}.${id}`;
}

/** Null for what no page has written. */
export function parsePosition(text: unknown): EventPosition | null {
  const [, time = '', id = ''] = typeof text === 'string' ? (/^(\d{1,14})\.(evt_[0-9a-f]{32})$/.exec(text) ?? []) : [];
  return id === '' ? null : { at: new Date(Number(time)), id };
}
