import { defaultLanguage, lookUpLanguage, readerOf } from '../kernel/languages.js';
import { z } from 'zod';
import type { Invitation } from '../invitations/index.js';
import type { Actor, Authority } from '../kernel/actor.js';
import { parseEmail } from '../kernel/email.js';
import { AppError, invalidInput } from '../kernel/errors.js';
import { newId } from '../kernel/ids.js';
import { randomSecret } from '../kernel/secret.js';
import { secondsAfter } from '../kernel/time.js';
import { isDuplicateKey, type Tx } from '../platform/mongo/transactions.js';
import type { Tenant } from '../tenants/index.js';
import type { User } from '../users/index.js';
import type { AdministrationDeps } from './administration-deps.js';
import { requireGrantable, rolesNamed, rolesOfTenant } from './grantable.js';
import { memberExists } from './govern-members.js';
import { emailText, parsed, roleKeys } from './input.js';

export const newInvitationSchema = z.strictObject({
  email: emailText,
  roles: roleKeys,
  /** RFC 3339; a week from now unless given. */
  expiresAt: z.iso.datetime().optional(),
});

export interface InvitationReference {
  tenantId: string;
  invitationId: string;
}

export interface Inviter extends Authority {
  /** Of another tenant, with the permissions of operators; and the member who answers for an operator that is a service. */
  asOperator?: { answeredForBy: string | null };
}

function invitedBy(by: Inviter): Pick<Invitation, 'invitedBy' | 'answeredForBy' | 'byOperator'> {
  const answering = by.asOperator ? by.asOperator.answeredForBy : by.answersFor;
  return {
    invitedBy: by.actor,
    answeredForBy: by.actor.kind === 'user' ? null : answering,
    byOperator: by.asOperator !== undefined,
  };
}

/** Sent by mail, to be accepted by whoever has that address. 409 for a member, and while there is one already. */
export async function createInvitation(
  deps: AdministrationDeps,
  by: Inviter,
  tenantId: string,
  input: z.input<typeof newInvitationSchema>,
): Promise<Invitation> {
  const { email: written, roles, expiresAt } = parsed(newInvitationSchema, input);
  const email = parseEmail(written) ?? '';
  const createdAt = deps.now();
  const invitation: Invitation = {
    ...{ id: newId('inv'), tenantId, email, roles, ...invitedBy(by) },
    ...{ status: 'pending', sendings: 1, createdAt, acceptedAt: null },
    expiresAt: endOf(deps, expiresAt),
  };
  const token = randomSecret();
  const known = await deps.findUserByEmail(email);
  if (known && (await deps.memberships.findMembership(tenantId, known.id))) throw memberExists();
  await orOpen(
    deps.inTransaction(async (tx) => {
      const tenant = await deps.tenants.holdTenant(tx, tenantId);
      requireInvitations(deps, tenant);
      const named = rolesNamed(await rolesOfTenant(deps, tx, tenant), roles);
      requireGrantable(by, named);
      if ((await deps.invitations.countPendingInvitations(tx, tenantId)) >= deps.invitationLimits.pending)
        throw tooMany(`A tenant has ${deps.invitationLimits.pending} open invitations at most.`);
      await requireRoomInMailboxes(deps, tx, invitation);
      await deps.invitations.createInvitation(tx, invitation, token);
      await send(deps, tx, { invitation, token, tenant, roleNames: named.map(({ name }) => name) });
    }),
  );
  return invitation;
}

/** With a new link and a new time; the link before opens nothing any more. */
export async function resendInvitation(
  deps: AdministrationDeps,
  by: Inviter,
  reference: InvitationReference,
): Promise<Invitation> {
  const token = randomSecret();
  const sent = deps.inTransaction(async (tx) => {
    const { tenant, invitation } = await heldInvitation(deps, tx, reference);
    if (invitation.status !== 'pending') throw over(deps, invitation);
    await requireRoomInMailboxes(deps, tx, invitation);
    if (invitation.sendings >= deps.invitationLimits.sendings) throw tooMany('This invitation was sent often enough.');
    const named = rolesNamed(await rolesOfTenant(deps, tx, tenant), invitation.roles);
    requireGrantable(by, named);
    // whoever sends it again offers it: who was first may be gone
    const sending = { sendings: invitation.sendings + 1, expiresAt: endOf(deps, undefined) };
    const renewed = { ...invitation, ...sending, ...invitedBy(by) };
    await deps.invitations.renewInvitation(tx, by.actor, renewed, token);
    await send(deps, tx, { invitation: renewed, token, tenant, roleNames: named.map(({ name }) => name) });
    return renewed;
  });
  return orOpen(sent);
}

/** One that waits for an answer is enough for an address. */
async function orOpen<T>(change: Promise<T>): Promise<T> {
  try {
    return await change;
  } catch (error) {
    if (!isDuplicateKey(error)) throw error;
    throw new AppError('invitation.open', {
      status: 409,
      detail: 'This address has an invitation already. Send it again, or revoke it.',
      cause: error,
    });
  }
}

/** Its link opens nothing any more. */
export async function revokeInvitation(
  deps: AdministrationDeps,
  by: Authority,
  reference: InvitationReference,
): Promise<void> {
  await deps.inTransaction(async (tx) => {
    const { tenant, invitation } = await heldInvitation(deps, tx, reference);
    const available = await rolesOfTenant(deps, tx, tenant);
    requireGrantable(
      by,
      available.filter(({ key }) => invitation.roles.includes(key)),
    );
    if (!(await deps.invitations.closeInvitation(tx, by.actor, invitation, 'revoked'))) throw over(deps, invitation);
  });
}

/** The invitation that a link names and that can still be accepted. Throws 404, or 410 when it is over. */
export async function getOpenInvitation(deps: AdministrationDeps, token: string): Promise<Invitation> {
  const invitation = await deps.invitations.findInvitationByToken(token);
  if (!invitation) throw noInvitation();
  if (deps.invitations.invitationStatus(invitation) !== 'pending') throw over(deps, invitation);
  return invitation;
}

export interface AcceptedInvitation {
  tenantId: string;
  tenant: Tenant;
  roles: string[];
}

/**
 * Makes the person a member. It has to be their address, proven; and whoever invited must still be able to give these
 * roles. Of any number of acceptances at once one goes through: one membership, one seat.
 */
export async function acceptInvitation(
  deps: AdministrationDeps,
  user: Pick<User, 'id' | 'email' | 'emailVerified'>,
  token: string,
): Promise<AcceptedInvitation> {
  return acceptOpenInvitation(deps, user, await getOpenInvitation(deps, token));
}

export async function acceptOpenInvitation(
  deps: AdministrationDeps,
  user: Pick<User, 'id' | 'email' | 'emailVerified'>,
  invitation: Invitation,
): Promise<AcceptedInvitation> {
  const { tenantId } = invitation;
  if (!user.emailVerified || user.email !== invitation.email) throw otherAddress();
  const by = await authorityOf(deps, invitation);
  const actor: Actor = { kind: 'user', userId: user.id };
  return deps.inTransaction(async (tx) => {
    const tenant = await deps.tenants.holdTenant(tx, tenantId);
    if (!(await deps.users.holdUser(tx, user.id))) throw otherAddress();
    const available = await rolesOfTenant(deps, tx, tenant);
    const roles = available.filter(({ key }) => invitation.roles.includes(key));
    if (roles.length === 0) throw inviterMayNot();
    requireStillGrantable(by, roles);
    if (!(await deps.invitations.closeInvitation(tx, actor, invitation, 'accepted'))) throw over(deps, invitation);
    const present = await deps.memberships.findMembership(tenantId, user.id, tx);
    if (present) return { tenantId, tenant, roles: present.roles };
    const membership = { id: newId('mem'), tenantId, userId: user.id, roles: roles.map(({ key }) => key) };
    await deps.memberships.addMembership(tx, actor, {
      ...membership,
      createdAt: deps.now(),
      pickedAt: null,
      acceptedTerms: null,
    });
    return { tenantId, tenant, roles: membership.roles };
  });
}

/** What the inviter may do now in the tenant of the invitation. */
async function authorityOf(
  deps: AdministrationDeps,
  { invitedBy, answeredForBy, byOperator, tenantId }: Invitation,
): Promise<Authority> {
  const as = { actor: invitedBy, answersFor: null };
  if (invitedBy.kind === 'system') return { ...as, roles: ['owner'], allows: () => true };
  const subject =
    invitedBy.kind === 'user'
      ? ({ kind: 'user', userId: invitedBy.userId } as const)
      : ({ kind: 'service_account', clientId: invitedBy.clientId } as const);
  const inTenantId = byOperator ? (await deps.tenants.findTenantBySlug(deps.platformSlug))?.id : tenantId;
  const needed = byOperator ? 'platform:tenants:write' : 'invitations:write';
  const authorization = inTenantId === undefined ? null : await deps.authorizationOf(subject, inTenantId);
  if (inTenantId === undefined || !authorization?.allows(needed)) throw inviterMayNot();
  // the member who had made the key counts as well, whoever answers for the account
  const answering =
    answeredForBy === null ? null : await deps.authorizationOf({ kind: 'user', userId: answeredForBy }, inTenantId);
  if (answeredForBy !== null && !answering?.allows(needed)) throw inviterMayNot();
  if (byOperator) return { ...as, roles: ['owner'], allows: (name) => !name.startsWith('platform:') };
  const isOfBoth = (role: string): boolean => answering?.roles.includes(role) ?? true;
  return {
    ...as,
    roles: authorization.roles.filter((role) => role !== 'owner' || isOfBoth(role)),
    allows: (name) => authorization.allows(name) && (answering?.allows(name) ?? true),
  };
}

function requireStillGrantable(by: Authority, roles: Parameters<typeof requireGrantable>[1]): void {
  try {
    requireGrantable(by, roles);
  } catch (error) {
    throw inviterMayNot(error);
  }
}

async function heldInvitation(
  deps: AdministrationDeps,
  tx: Tx,
  { tenantId, invitationId }: InvitationReference,
): Promise<{ tenant: Tenant; invitation: Invitation }> {
  const tenant = await deps.tenants.holdTenant(tx, tenantId);
  const invitation = await deps.invitations.findInvitation(tenantId, invitationId, tx);
  if (!invitation) throw noInvitation();
  return { tenant, invitation };
}

interface Sending {
  invitation: Invitation;
  token: string;
  tenant: Tenant;
  roleNames: string[];
}

async function send(
  deps: AdministrationDeps,
  tx: Tx,
  { invitation, token, tenant, roleNames }: Sending,
): Promise<void> {
  const { invitedBy, email, expiresAt } = invitation;
  const inviter = invitedBy.kind === 'user' ? await deps.findUserById(invitedBy.userId) : null;
  const invited = await deps.findUserByEmail(email);
  const spoken = lookUpLanguage(inviter?.profile.locale) ?? defaultLanguage; // most probably theirs too
  const inviterName = inviter?.profile.name ?? '';
  await deps.queueMail(tx, {
    ...{ to: email, name: 'invitation', path: `/invitations/${token}` },
    reader: readerOf(invited?.profile ?? {}, spoken),
    values: {
      ...{ email, expiresAt, tenantName: tenant.name, inviterName, hasInviter: inviterName === '' ? 'no' : 'yes' },
      ...{ roles: roleNames.join(', '), hasRoles: roleNames.length === 0 ? 'no' : 'yes' },
    },
  });
}

function requireInvitations(deps: AdministrationDeps, tenant: Tenant): void {
  const { maximumMembers, name } = deps.tenantTypes[tenant.type];
  if (tenant.status !== 'active')
    throw new AppError('tenant.not_active', { status: 409, detail: 'The tenant is not active.' });
  if (maximumMembers !== 1) return;
  throw new AppError('invitation.not_in_type', { status: 409, detail: `${name} tenants have one member.` });
}

function endOf(deps: AdministrationDeps, wanted: string | undefined): Date {
  const now = deps.now();
  const latest = secondsAfter(now, deps.invitationLimits.lifetimeSeconds);
  const end = wanted === undefined ? latest : new Date(wanted);
  if (end > now && end <= latest) return end;
  throw invalidInput([
    { pointer: '/expiresAt', code: 'out_of_range', detail: 'must be in the future, by a week at most' },
  ]);
}

export function noInvitation(): AppError {
  return new AppError('invitation.not_found', { status: 404, detail: 'There is no such invitation.' });
}

function over(deps: AdministrationDeps, invitation: Invitation): AppError {
  const status = deps.invitations.invitationStatus(invitation);
  const detail = status === 'expired' ? 'The invitation has expired.' : 'The invitation was used or revoked.';
  return new AppError('invitation.over', { status: 410, detail });
}

function otherAddress(): AppError {
  return new AppError('invitation.other_address', {
    status: 403,
    detail: 'The invitation is for another e-mail address, or yours is not verified.',
  });
}

function inviterMayNot(cause?: unknown): AppError {
  return new AppError('invitation.inviter_may_not', {
    status: 403,
    detail: 'Whoever sent this invitation may not give these roles any more. Ask for a new one.',
    cause,
  });
}

async function requireRoomInMailboxes(
  deps: AdministrationDeps,
  tx: Tx,
  { tenantId, email }: Invitation,
): Promise<void> {
  const { toAddressAnHour, ofTenantAnHour } = deps.invitationLimits;
  if ((await deps.invitations.countSentTo(tx, email)) >= toAddressAnHour) throw tooManyToAddress();
  if ((await deps.invitations.countSentBy(tx, tenantId)) < ofTenantAnHour) return;
  throw new AppError('invitation.too_many_of_tenant', {
    status: 429,
    detail: `A tenant sends ${ofTenantAnHour} invitations within the hour at most. Try again later.`,
    retryAfterSeconds: 3600,
  });
}

/** From whichever tenant: nobody's mailbox is filled from here. */
function tooManyToAddress(): AppError {
  return new AppError('invitation.too_many_to_address', {
    status: 429,
    detail: 'This address was sent several invitations within the hour. Try again later.',
    retryAfterSeconds: 3600,
  });
}

function tooMany(detail: string): AppError {
  return new AppError('invitation.too_many', { status: 409, detail });
}
