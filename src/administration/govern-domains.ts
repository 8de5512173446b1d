import { z } from 'zod';
import type { Domain } from '../domains/index.js';
import { systemAuthority, type Authority } from '../kernel/actor.js';
import { AppError, invalidInput } from '../kernel/errors.js';
import { secondsAfter } from '../kernel/time.js';
import { isDuplicateKey, type Tx } from '../platform/mongo/transactions.js';
import type { Tenant } from '../tenants/index.js';
import type { AdministrationDeps } from './administration-deps.js';
import { notInPlan, requireNotClosed } from './change-settings.js';
import { parsed } from './input.js';

/** Of one tenant. */
const mostDomains = 100;
/** Of one round, so that a process that is to end does not wait for long. */
const atOnce = 200;
const { actor: maintenance } = systemAuthority('maintenance');

/** Any spelling; the one in which it is kept is shown in the answer. */
export const newDomainSchema = z.strictObject({ name: z.string().min(1).max(253) });

export interface DomainReference {
  tenantId: string;
  domainId: string;
}

/** Not verified yet: the answer says which record shows that it is the tenant's. 409 when the tenant has it. */
export async function createDomain(
  deps: AdministrationDeps,
  by: Authority,
  tenantId: string,
  input: z.input<typeof newDomainSchema>,
): Promise<Domain> {
  const name = deps.parseDomainName(parsed(newDomainSchema, input).name);
  if (name === null) throw badName('invalid', 'must be a domain as it stands in e-mail addresses');
  const problem = await deps.problemOfDomainName(name);
  if (problem === 'public_suffix') throw badName(problem, 'is a name under which anybody may register');
  if (problem === 'mail_provider') throw badName(problem, 'is one at which anybody may have a mailbox');
  const made = deps.domains.newDomain(tenantId, name);
  try {
    await deps.inTransaction(async (tx) => {
      requireDomains(deps, await deps.tenants.holdTenant(tx, tenantId));
      if ((await deps.domains.countDomains(tx, tenantId)) >= mostDomains)
        throw new AppError('domain.too_many', { status: 409, detail: `A tenant has ${mostDomains} domains at most.` });
      await deps.domains.createDomain(tx, by.actor, made);
    });
  } catch (error) {
    if (!isDuplicateKey(error)) throw error;
    throw new AppError('domain.exists', { status: 409, detail: 'The tenant has this domain.', cause: error });
  }
  return made;
}

/**
 * Looks for the record and, where it is, makes the domain the tenant's. 409 when it is not there, or while another
 * tenant has shown the same; 503 when no name server could say.
 */
export async function verifyDomain(
  deps: AdministrationDeps,
  by: Authority,
  { tenantId, domainId }: DomainReference,
): Promise<Domain> {
  const asked = await getDomain(deps, { tenantId, domainId });
  if (!(await hasRecord(deps, asked))) throw recordMissing(deps, asked);
  try {
    return await deps.inTransaction(async (tx) => {
      requireDomains(deps, await deps.tenants.holdTenant(tx, tenantId));
      const domain = await getDomain(deps, { tenantId, domainId }, tx);
      if (domain.verifiedBy !== 'operator') await deps.domains.setDomainVerified(tx, by.actor, domain, 'record');
      return getDomain(deps, { tenantId, domainId }, tx);
    });
  } catch (error) {
    if (!isDuplicateKey(error)) throw error;
    throw new AppError('domain.taken', {
      status: 409,
      detail: 'Another tenant has shown that this domain is theirs. It has to give it up first.',
      cause: error,
    });
  }
}

/**
 * The name is nobody's from then on, and whole accounts that were opened by it are closed. It leads nowhere first, so that a
 * deletion that is cut short is made good by asking again.
 */
export async function deleteDomain(
  deps: AdministrationDeps,
  by: Authority,
  { tenantId, domainId }: DomainReference,
): Promise<void> {
  for (let isEnded = false; ; isEnded = true) {
    const isDeleted = await deps.inTransaction(async (tx) => {
      await deps.tenants.holdTenant(tx, tenantId);
      const domain = await getDomain(deps, { tenantId, domainId }, tx);
      const leads = domain.connectionId !== null; // again, where somebody lets it meanwhile
      if (leads)
        await deps.domains.setDomainRules(tx, by.actor, domain, { ...domain, connectionId: null, enforced: false });
      else if (isEnded) await deps.domains.deleteDomain(tx, by.actor, domain);
      return !leads && isEnded;
    });
    if (isDeleted) return;
    await deps.endings.endAllOpenedBy(by.actor, { domainId });
  }
}

/** Throws 404. */
export async function getDomain(
  deps: AdministrationDeps,
  { tenantId, domainId }: DomainReference,
  tx?: Tx,
): Promise<Domain> {
  const domain = await deps.domains.findDomain(tenantId, domainId, tx);
  if (domain) return domain;
  throw new AppError('domain.not_found', { status: 404, detail: 'There is no such domain.' });
}

/**
 * Looks again for the records of those that are due. One that is gone for longer than the grace period makes the domain
 * nobody's; where no name server could say, nothing changes. Gives how many were lost. One that fails keeps no other.
 */
export async function recheckDomains(deps: AdministrationDeps, isOver: () => boolean = () => false): Promise<number> {
  const failures: unknown[] = [];
  let lost = 0;
  for (let count = 0; count < atOnce && !isOver(); count++) {
    const domain = await deps.domains.takeDueDomain();
    if (!domain) break;
    try {
      if (await recheck(deps, domain)) lost++;
    } catch (error) {
      // who is silent takes nothing away
      if (!(error instanceof AppError)) failures.push(error);
    }
  }
  if (failures.length > 0) throw new AggregateError(failures, `${failures.length} domains could not be looked after`);
  return lost;
}

/** True when it is lost. */
async function recheck(deps: AdministrationDeps, due: Domain): Promise<boolean> {
  if (due.verifiedBy === null) return endLost(deps, due);
  const isThere = await hasRecord(deps, due);
  const isLost = await deps.inTransaction(async (tx) => {
    const domain = await deps.domains.findDomain(due.tenantId, due.id, tx);
    if (domain?.verifiedBy !== 'record') return false;
    const { missingSince } = domain;
    if (isThere) {
      if (missingSince !== null) await deps.domains.setDomainVerified(tx, maintenance, domain, 'record');
      return false;
    }
    if (missingSince === null) {
      await deps.domains.setDomainMissing(tx, maintenance, domain);
      return false;
    }
    if (secondsAfter(missingSince, deps.domainRules.graceSeconds) > deps.now()) return false;
    await deps.domains.setDomainUnverified(tx, maintenance, domain);
    return true;
  });
  return isLost && endLost(deps, due);
}

/** Whole accounts that were opened by it are closed. Due again until that is done. */
async function endLost(deps: AdministrationDeps, { tenantId, id: domainId }: Domain): Promise<true> {
  await deps.endings.endAllOpenedBy(maintenance, { domainId });
  await deps.domains.setDomainSettled(tenantId, domainId);
  return true;
}

async function hasRecord(deps: AdministrationDeps, domain: Domain): Promise<boolean> {
  const { name, value } = deps.challengeOf(domain);
  try {
    return (await deps.lookupText(name)).includes(value);
  } catch (error) {
    throw new AppError('domain.lookup_failed', {
      status: 503,
      detail: `The name servers gave no answer about ${name}. Try again later.`,
      retryAfterSeconds: 30,
      cause: error,
    });
  }
}

export function requireDomains(deps: AdministrationDeps, tenant: Tenant): void {
  requireNotClosed(tenant);
  if (deps.mayHaveConnections(tenant)) return;
  throw notInPlan('The plan of the tenant does not include domains.', '/name');
}

function recordMissing(deps: AdministrationDeps, domain: Domain): AppError {
  const { name, value } = deps.challengeOf(domain);
  const detail = `There is no text record ${name} with the value ${value} yet. New records may take a while to be seen.`;
  return new AppError('domain.record_missing', { status: 409, detail });
}

function badName(code: string, detail: string): AppError {
  return invalidInput([{ pointer: '/name', code, detail }], `The name ${detail}.`);
}
