import { z } from 'zod';
import type { Authority } from '../kernel/actor.js';
import { AppError } from '../kernel/errors.js';
import type { Tx } from '../platform/mongo/transactions.js';
import type { Tenant } from '../tenants/index.js';
import type { User } from '../users/index.js';
import type { AdministrationDeps } from './administration-deps.js';
import { changeStatus } from './change-status.js';
import { createTenant } from './create-tenant.js';
import { acceptOpenInvitation, noInvitation } from './govern-invitations.js';
import { removeMember } from './govern-members.js';
import { noUser } from './look-up.js';
import { nameText, parsed, slugText } from './input.js';
import { listTenantsOwnedAlone } from './own-account.js';

export const newTeamSchema = z.strictObject({ slug: slugText, name: nameText(200) });

/** 409 for the last owner. */
export async function leaveTenant(deps: AdministrationDeps, userId: string, tenantId: string): Promise<void> {
  if (!(await deps.memberships.findMembership(tenantId, userId))) throw deps.noTenant();
  // nobody takes more from themselves than they have
  const self: Authority = { ...authorityOf(userId), allows: () => true };
  await removeMember(deps, self, { tenantId, userId });
}

/** 409 when the person owns as many as they may. */
export async function createOwnTeam(
  deps: AdministrationDeps,
  userId: string,
  input: z.input<typeof newTeamSchema>,
): Promise<Tenant> {
  const { slug, name } = parsed(newTeamSchema, input);
  const draft = { slug, name, type: 'team' as const, ownerId: userId };
  return createTenant(deps, authorityOf(userId), draft, (tx) => requireFewTeams(deps, tx, userId));
}

/** Of somebody who gives up their account: a tenant that nobody else owns goes too, after its own grace period. */
export async function closeOwnTenant(deps: AdministrationDeps, userId: string, tenantId: string): Promise<void> {
  const owned = await listTenantsOwnedAlone(deps, userId);
  if (!owned.some(({ id }) => id === tenantId)) throw deps.noTenant();
  await changeStatus(deps, authorityOf(userId), tenantId, 'archived');
}

/** Without its link: that it was sent to the address that is proven to be theirs says as much. */
export async function acceptOwnInvitation(
  deps: AdministrationDeps,
  user: Pick<User, 'id' | 'email' | 'emailVerified'>,
  invitationId: string,
): Promise<{ tenantId: string }> {
  const open = user.emailVerified ? await deps.invitations.listOpenInvitationsTo(user.email) : [];
  const invitation = open.find(({ id }) => id === invitationId);
  if (!invitation) throw noInvitation();
  return acceptOpenInvitation(deps, user, invitation);
}

/** The person is held, so of two that they make at once one sees the other. */
async function requireFewTeams(deps: AdministrationDeps, tx: Tx, userId: string): Promise<void> {
  if (!(await deps.users.holdUser(tx, userId))) throw noUser();
  const memberships = await deps.memberships.listMembershipsOfUser(userId, tx);
  const owned = memberships.filter(({ roles }) => roles.includes('owner')).map(({ tenantId }) => tenantId);
  const teams = (await deps.tenants.findTenantsByIds(owned)).filter(({ type }) => type === 'team');
  if (teams.length < deps.portal.ownedTeams) return;
  throw new AppError('tenant.too_many', {
    status: 409,
    detail: `A person owns ${deps.portal.ownedTeams} team tenants at most.`,
  });
}

function authorityOf(userId: string): Authority {
  return {
    ...{ actor: { kind: 'user', userId }, answersFor: userId, roles: ['owner'] },
    allows: (permission) => !permission.startsWith('platform:'),
  };
}
