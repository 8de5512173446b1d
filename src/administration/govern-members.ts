import { z } from 'zod';
import type { Authority } from '../kernel/actor.js';
import { AppError } from '../kernel/errors.js';
import { newId } from '../kernel/ids.js';
import type { Membership } from '../memberships/index.js';
import { isDuplicateKey, type Tx } from '../platform/mongo/transactions.js';
import type { AdministrationDeps } from './administration-deps.js';
import { requireGrantable, rolesNamed, rolesOfTenant } from './grantable.js';
import { parsed, roleKeys, type Precondition } from './input.js';

export const newMemberSchema = z.strictObject({ userId: z.string().max(64), roles: roleKeys });
export const rolesSchema = z.strictObject({ roles: roleKeys });

/** 409 when no seat is left or the user is a member already, 403 for roles beyond the caller's own. */
export async function addMember(
  deps: AdministrationDeps,
  by: Authority,
  tenantId: string,
  input: z.input<typeof newMemberSchema>,
): Promise<Membership> {
  const { userId, roles } = parsed(newMemberSchema, input);
  const membership = {
    id: newId('mem'),
    tenantId,
    userId,
    roles,
    createdAt: deps.now(),
    pickedAt: null,
    acceptedTerms: null,
  };
  try {
    await deps.inTransaction(async (tx) => {
      const tenant = await deps.tenants.holdTenant(tx, tenantId);
      if (!(await deps.users.holdUser(tx, userId))) throw noMember();
      requireGrantable(by, rolesNamed(await rolesOfTenant(deps, tx, tenant), roles));
      await deps.memberships.addMembership(tx, by.actor, membership);
    });
  } catch (error) {
    if (!isDuplicateKey(error)) throw error;
    throw memberExists(error);
  }
  return membership;
}

/** 409 when the tenant would be left without an owner. */
export async function changeMemberRoles(
  deps: AdministrationDeps,
  by: Authority,
  { tenantId, userId, precondition }: { tenantId: string; userId: string; precondition?: Precondition },
  input: z.input<typeof rolesSchema>,
): Promise<void> {
  const { roles } = parsed(rolesSchema, input);
  await deps.inTransaction(async (tx) => {
    const membership = await heldMembership(deps, tx, { by, tenantId, userId, roles });
    precondition?.(membership);
    if (!roles.includes('owner')) await requireOtherOwner(deps, tx, membership);
    await deps.memberships.setMembershipRoles(tx, by.actor, membership, roles);
  });
}

/** Ends with the membership whatever was granted to the person's apps in this tenant. */
export async function removeMember(
  deps: AdministrationDeps,
  by: Authority,
  { tenantId, userId }: { tenantId: string; userId: string },
): Promise<void> {
  await deps.inTransaction(async (tx) => {
    const membership = await heldMembership(deps, tx, { by, tenantId, userId, roles: [] });
    await requireOtherOwner(deps, tx, membership);
    await deps.memberships.removeMembership(tx, by.actor, membership);
    await deps.serviceAccounts.revokeKeysOf(tx, by.actor, tenantId, userId);
    await deps.forgetConsents(tx, tenantId, userId);
    await deps.endings.endGrantsOf(tx, by.actor, { accountId: userId, tenantId }, 'member_removed');
  });
}

interface MemberChange {
  by: Authority;
  tenantId: string;
  userId: string;
  /** As they will be. */
  roles: readonly string[];
}

/** The membership, with its tenant held, when the caller may change it from what it is into this. */
async function heldMembership(
  deps: AdministrationDeps,
  tx: Tx,
  { by, tenantId, userId, roles }: MemberChange,
): Promise<Membership> {
  const tenant = await deps.tenants.holdTenant(tx, tenantId);
  if (typeof userId !== 'string') throw noMember();
  const membership = await deps.memberships.findMembership(tenantId, userId, tx);
  if (!membership) throw noMember();
  const available = await rolesOfTenant(deps, tx, tenant);
  requireGrantable(by, rolesNamed(available, roles));
  requireGrantable(
    by,
    available.filter(({ key }) => membership.roles.includes(key)),
  );
  return membership;
}

/** The tenant is held, so two owners who leave at once do not both find the other one there. */
async function requireOtherOwner(deps: AdministrationDeps, tx: Tx, { tenantId, roles }: Membership): Promise<void> {
  if (!roles.includes('owner') || (await deps.memberships.countMembersWithRole(tx, tenantId, 'owner')) > 1) return;
  throw new AppError('member.last_owner', { status: 409, detail: 'The last owner of a tenant stays its owner.' });
}

export function memberExists(cause?: unknown): AppError {
  return new AppError('member.exists', { status: 409, detail: 'The user is a member already.', cause });
}

function noMember(): AppError {
  return new AppError('member.not_found', { status: 404, detail: 'There is no such member.' });
}
