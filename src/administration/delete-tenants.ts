import { systemAuthority } from '../kernel/actor.js';
import { deleteRecordsOf } from '../platform/mongo/tenant-records.js';
import type { AdministrationDeps } from './administration-deps.js';

const atOnce = 100;
const { actor } = systemAuthority('maintenance');

/**
 * Deletes the tenants whose grace period is over, with everything they own. Begins with closing the way back, then
 * takes one portion after the other, each of which may be taken twice: a process that dies in between, or another one
 * that does the same, changes nothing. The row itself stays without its name, so that its id and slugs stay taken.
 * Gives the number of tenants that are gone.
 */
export async function deleteDueTenants(deps: AdministrationDeps): Promise<number> {
  const due = await deps.tenants.listTenantsToDelete(deps.now(), atOnce);
  for (const tenantId of due) {
    if (await closeForGood(deps, tenantId)) await deleteOwned(deps, tenantId);
  }
  return due.length;
}

/** False when somebody has made it active again meanwhile. */
function closeForGood(deps: AdministrationDeps, tenantId: string): Promise<boolean> {
  return deps.inTransaction(async (tx) => {
    const tenant = await deps.tenants.findTenantById(tenantId);
    if (tenant?.status === 'deleted') return true;
    const held = await deps.tenants.holdTenant(tx, tenantId);
    if (held.status !== 'archived' || held.deleteAfter === null || held.deleteAfter > deps.now()) return false;
    await deps.tenants.updateTenant(tx, actor, held, { status: 'deleted' });
    return true;
  });
}

async function deleteOwned(deps: AdministrationDeps, tenantId: string): Promise<void> {
  await deps.endings.endAllGrantsOf(actor, { tenantId });
  for (;;) {
    const clients = await deps.clients.listClientsOfTenant(tenantId, atOnce);
    if (clients.length === 0) break;
    await deps.inTransaction(async (tx) => {
      for (const client of clients) await deps.clients.deleteClient(tx, actor, client);
    });
  }
  await deleteRecordsOf(deps.database, tenantId);
  await deps.inTransaction(async (tx) => {
    const tenant = await deps.tenants.findTenantById(tenantId);
    if (tenant)
      await deps.tenants.updateTenant(tx, actor, tenant, {
        ...{ name: '', deleteAfter: null, overrides: [], features: [], branding: { supportUri: null } },
        seats: { members: 0, serviceAccounts: 0 },
      });
  });
}
