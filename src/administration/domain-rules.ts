import { z } from 'zod';
import type { Connection, UpstreamPerson } from '../connections/index.js';
import type { Domain, DomainRules } from '../domains/index.js';
import type { Authority } from '../kernel/actor.js';
import { domainOf } from '../kernel/email.js';
import { AppError, type FieldProblem } from '../kernel/errors.js';
import { given } from '../kernel/given.js';
import { newId } from '../kernel/ids.js';
import type { Tx } from '../platform/mongo/transactions.js';
import type { Tenant } from '../tenants/index.js';
import type { AdministrationDeps } from './administration-deps.js';
import { getDomain, requireDomains, type DomainReference } from './govern-domains.js';
import { requireGrantable, rolesNamed, rolesOfTenant } from './grantable.js';
import { parsed, roleKeys, type Precondition } from './input.js';

export const domainRulesSchema = z
  .strictObject({
    connectionId: z.string().max(64).nullable(),
    enforced: z.boolean(),
    exceptUserId: z.string().max(64).nullable(),
    joinRoles: roleKeys.nullable(),
  })
  .partial();

/**
 * What a domain is good for. Enforcing takes a verified domain, a connection and an owner who is excepted, so that a
 * connection that breaks shuts nobody out for good. 403 for roles beyond the caller's own.
 */
export async function changeDomain(
  deps: AdministrationDeps,
  by: Authority,
  { tenantId, domainId, precondition }: DomainReference & { precondition?: Precondition },
  input: z.input<typeof domainRulesSchema>,
): Promise<Domain> {
  const changes = given(parsed(domainRulesSchema, input));
  const changed = await deps.inTransaction(async (tx) => {
    const tenant = await deps.tenants.holdTenant(tx, tenantId);
    requireDomains(deps, tenant);
    const domain = await getDomain(deps, { tenantId, domainId }, tx);
    precondition?.(domain);
    const { connectionId, enforced, exceptUserId, joinRoles } = { ...domain, ...changes };
    const rules = { connectionId, enforced, exceptUserId, joinRoles };
    await requireConnection(deps, tx, tenantId, rules);
    // one who is no owner any more keeps nobody from giving it up
    if (enforced || changes.exceptUserId) await requireOwner(deps, tx, tenantId, rules);
    if (changes.joinRoles) await requireGivable(deps, tx, by, { tenant, keys: changes.joinRoles });
    if (enforced) requireEnforceable(domain, rules);
    await deps.domains.setDomainRules(tx, by.actor, domain, rules);
    return getDomain(deps, { tenantId, domainId }, tx);
  });
  // also where it led there before: an ending that was cut short is made good by asking again
  const unlessBy = changed.connectionId ?? undefined;
  if (changes.connectionId !== undefined)
    await deps.endings.endAllOpenedBy(by.actor, { domainId, ...(unlessBy === undefined ? {} : { unlessBy }) });
  return changed;
}

async function requireConnection(
  deps: AdministrationDeps,
  tx: Tx,
  tenantId: string,
  { connectionId }: DomainRules,
): Promise<void> {
  if (connectionId === null || (await deps.connections.findConnection(tenantId, connectionId, tx))) return;
  throw unfit({ pointer: '/connectionId', code: 'unknown', detail: 'names no connection of the tenant' });
}

async function requireOwner(
  deps: AdministrationDeps,
  tx: Tx,
  tenantId: string,
  { exceptUserId }: DomainRules,
): Promise<void> {
  if (exceptUserId === null) return;
  const membership = await deps.memberships.findMembership(tenantId, exceptUserId, tx);
  if (membership?.roles.includes('owner')) return;
  throw unfit({ pointer: '/exceptUserId', code: 'unknown', detail: 'names no owner of the tenant' });
}

/** Nobody gives what they lack, and no provider makes an owner. */
async function requireGivable(
  deps: AdministrationDeps,
  tx: Tx,
  by: Authority,
  { tenant, keys }: { tenant: Tenant; keys: readonly string[] },
): Promise<void> {
  if (tenant.slug === deps.platformSlug || keys.includes('owner'))
    throw unfit({ pointer: '/joinRoles', code: 'owner', detail: 'make nobody an owner or an operator' });
  requireGrantable(by, rolesNamed(await rolesOfTenant(deps, tx, tenant), keys));
}

function requireEnforceable({ verifiedAt }: Domain, { connectionId, exceptUserId }: DomainRules): void {
  const missing: FieldProblem[] = [];
  const miss = (pointer: string, detail: string): unknown => missing.push({ pointer, code: 'required', detail });
  if (connectionId === null) miss('/connectionId', 'must name the connection');
  if (exceptUserId === null) miss('/exceptUserId', 'must name an owner who may sign in when the connection is down');
  if (verifiedAt === null) miss('/enforced', 'takes a domain that is verified');
  if (missing.length === 0) return;
  const detail = 'A domain can be enforced once it is verified, has a connection, and excepts one owner.';
  throw new AppError('domain.not_enforceable', { status: 409, detail, fields: missing });
}

function unfit(field: FieldProblem): AppError {
  return new AppError('domain.unfit_rule', {
    status: 400,
    detail: `${field.pointer} ${field.detail}.`,
    fields: [field],
  });
}

/** Somebody whom a connection has just vouched for. */
export interface VouchedFor {
  userId: string;
  connection: Connection;
  person: UpstreamPerson;
}

/**
 * Takes somebody in, if a domain of the connection's tenant says so. The address has to be verified there, and of exactly
 * that domain. `full`: no seat is left.
 */
export async function joinByDomain(
  deps: AdministrationDeps,
  joining: VouchedFor,
): Promise<'member' | 'stranger' | 'full'> {
  const { userId, connection, person } = joining;
  if (await deps.memberships.findMembership(connection.tenantId, userId)) return 'member';
  if (!(await findDomainVouching(deps, connection, person))?.joinRoles) return 'stranger';
  return deps
    .inTransaction((tx) => joinByDomainIn(deps, tx, joining))
    .catch((error: unknown) => {
      if (error instanceof AppError && error.code === 'seat.none_left') return 'full';
      throw error;
    });
}

/** Throws `seat.none_left`. */
export async function joinByDomainIn(
  deps: AdministrationDeps,
  tx: Tx,
  { userId, connection, person }: VouchedFor,
): Promise<'member' | 'stranger'> {
  const { tenantId } = connection;
  const known = await findDomainVouching(deps, connection, person);
  const tenant = await deps.tenants.holdTenant(tx, tenantId);
  const domain = known && (await deps.domains.findDomain(tenantId, known.id, tx));
  const isMember = await deps.memberships.findMembership(tenantId, userId, tx);
  const isHere = (await deps.users.holdUser(tx, userId)) && tenant.status === 'active';
  if (isMember) return 'member';
  if (!isHere || !domain?.verifiedAt || domain.connectionId !== connection.id || !domain.joinRoles) return 'stranger';
  const mapped = deps.mappedRoles(connection, person);
  const wanted = mapped.length > 0 ? mapped : domain.joinRoles;
  const available = await rolesOfTenant(deps, tx, tenant);
  const roles = available.map(({ key }) => key).filter((key) => wanted.includes(key) && key !== 'owner');
  if (roles.length === 0) return 'stranger';
  const membership = {
    ...{ id: newId('mem'), tenantId, userId, roles, createdAt: deps.now() },
    ...{ pickedAt: null, acceptedTerms: null },
  };
  await deps.memberships.addMembership(tx, { kind: 'user', userId }, membership);
  return 'member';
}

/** The verified domain by which this connection is the one that knows whose this address is, if there is one. */
export async function findDomainVouching(
  deps: AdministrationDeps,
  { id, tenantId }: Pick<Connection, 'id' | 'tenantId'>,
  { email, isEmailVerified }: Pick<UpstreamPerson, 'email' | 'isEmailVerified'>,
): Promise<Domain | null> {
  if (email === null || !isEmailVerified) return null;
  const domain = await deps.domains.findVerifiedDomain(domainOf(email));
  return domain?.tenantId === tenantId && domain.connectionId === id ? domain : null;
}
