import { systemAuthority } from '../kernel/actor.js';
import { AppError } from '../kernel/errors.js';
import { deleteRecordsOf } from '../platform/mongo/tenant-records.js';
import type { AdministrationDeps } from './administration-deps.js';

const atOnce = 100;
const { actor } = systemAuthority('maintenance');

/**
 * Deletes the tenants whose grace period is over, with everything they own. Begins with closing the way back, then
 * takes one portion after the other, each of which may be taken twice: a process that dies in between, or another one
 * that does the same, changes nothing. The row itself stays without its name, so that its id and slugs stay taken.
 * Gives the number of tenants that are gone. One that cannot be deleted keeps no other; what was wrong is thrown last.
 */
export async function deleteDueTenants(deps: AdministrationDeps, isOver: () => boolean = () => false): Promise<number> {
  const due = await deps.tenants.listTenantsToDelete(deps.now(), atOnce);
  const failures: unknown[] = [];
  let gone = 0;
  for (const tenantId of due) {
    if (isOver()) break;
    try {
      if (!(await closeForGood(deps, tenantId))) continue;
      await deleteOwned(deps, tenantId);
      gone++;
    } catch (error) {
      failures.push(error);
    }
  }
  if (failures.length > 0) throw new AggregateError(failures, `${failures.length} tenants could not be deleted`);
  return gone;
}

/** False when somebody has made it active again meanwhile; true when another process has closed it. */
async function closeForGood(deps: AdministrationDeps, tenantId: string): Promise<boolean> {
  try {
    return await deps.inTransaction(async (tx) => {
      const tenant = await deps.tenants.holdTenant(tx, tenantId);
      if (tenant.status !== 'archived' || tenant.deleteAfter === null || tenant.deleteAfter > deps.now()) return false;
      await deps.tenants.updateTenant(tx, actor, tenant, { status: 'deleted' });
      return true;
    });
  } catch (error) {
    if (error instanceof AppError && error.status === 404) return true;
    throw error;
  }
}

/** They may have opened whole accounts, by a domain. */
async function endOpenedByProviders(deps: AdministrationDeps, tenantId: string): Promise<void> {
  for (let after = ''; ;) {
    const connections = await deps.connections.listConnections(tenantId, { limit: atOnce, after });
    for (const { id: connectionId } of connections) await deps.endings.endAllOpenedBy(actor, { connectionId });
    if (connections.length < atOnce) return;
    after = connections.at(-1)?.id ?? '';
  }
}

async function deleteOwned(deps: AdministrationDeps, tenantId: string): Promise<void> {
  await deps.endings.endAllGrantsOf(actor, { tenantId });
  await endOpenedByProviders(deps, tenantId);
  for (;;) {
    const clients = await deps.clients.listClientsOfTenant(tenantId, atOnce);
    if (clients.length === 0) break;
    await deps.inTransaction(async (tx) => {
      for (const client of clients) await deps.clients.deleteClient(tx, actor, client);
    });
  }
  await deleteRecordsOf(deps.database, tenantId);
  const tenant = await deps.tenants.findTenantById(tenantId);
  if (!tenant) return;
  await deps.inTransaction(async (tx) => {
    await deps.tenants.updateTenant(tx, actor, tenant, {
      ...{ name: '', deleteAfter: null, overrides: [], features: [], branding: deps.noBranding },
      seats: { members: 0, serviceAccounts: 0 },
    });
    await deps.logos.dropFormerLogo(tx, tenant);
  });
}
