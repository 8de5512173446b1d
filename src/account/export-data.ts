import type { Event, EventPosition } from '../events/index.js';
import type { User } from '../users/index.js';
import type { AccountDeps } from './account-deps.js';
import { kindsOfActivity } from './activity.js';
import { listOwnTerms } from './own-terms.js';

const portion = 500;
/** The newest of them: a file that somebody still opens. */
const mostEvents = 10_000;

type Deps = Pick<
  AccountDeps,
  'memberships' | 'tenants' | 'sessions' | 'consents' | 'invitations' | 'factors' | 'identities' | 'events' | 'now'
>;

/** Everything that is kept about a person, but for what proves who they are. */
export async function exportData(deps: Deps, user: User): Promise<object> {
  const [memberships, acceptedTerms, sessions, consents, invitations, factors, identities, events] = await Promise.all([
    deps.memberships.listMembershipsOfUser(user.id),
    listOwnTerms(deps, user),
    deps.sessions.listSessionsOf(user.id),
    deps.consents.listConsentsOf(user.id),
    user.emailVerified ? deps.invitations.listOpenInvitationsTo(user.email) : [],
    deps.factors.listFactors(user.id),
    deps.identities.listIdentitiesOf(user.id),
    eventsOf(deps, user.id),
  ]);
  const tenants = await deps.tenants.findTenantsByIds(memberships.map(({ tenantId }) => tenantId));
  const tenantOf = (tenantId: string): object => {
    const { slug = null, name = null } = tenants.find(({ id }) => id === tenantId) ?? {};
    return { id: tenantId, slug, name };
  };
  const { id, email, emailVerified, status, profile, createdAt, updatedAt } = user;
  return {
    exportedAt: deps.now(),
    account: { id, email, emailVerified, status, ...profile, createdAt, updatedAt },
    memberships: memberships.map(({ tenantId, roles, createdAt: since }) => ({
      ...{ tenant: tenantOf(tenantId), roles, since },
    })),
    acceptedTerms,
    factors: factors.map(({ kind, name, createdAt: since, lastUsedAt }) => ({ kind, name, since, lastUsedAt })),
    sessions,
    consents: consents.map(({ tenantId, clientId, granted, grantedAt }) => ({
      ...{ tenantId, clientId, granted, grantedAt },
    })),
    invitations: invitations.map(({ tenantId, roles, createdAt: at, expiresAt }) => ({
      ...{ tenantId, roles, createdAt: at, expiresAt },
    })),
    identities: identities.map(({ connectionId, issuer, subject, email: address, linkedAt, lastUsedAt }) => ({
      ...{ connectionId, issuer, subject, email: address, linkedAt, lastUsedAt },
    })),
    events,
  };
}

async function eventsOf(deps: Deps, userId: string): Promise<object[]> {
  const all: Event[] = [];
  let before: EventPosition | null = null;
  while (all.length < mostEvents) {
    const found: Event[] = await deps.events.listEventsOfPerson(
      { userId, ...kindsOfActivity },
      { limit: portion, before },
    );
    all.push(...found);
    before = found.at(-1) ?? null;
    if (found.length < portion) break;
  }
  // who else was there is not theirs to take along
  return all.map(({ id, type, at, tenantId, subjectId, data, actor }) => ({
    ...{ id, type, at, tenantId, subjectId, data },
    byYou: actor.kind === 'user' && actor.userId === userId,
  }));
}
