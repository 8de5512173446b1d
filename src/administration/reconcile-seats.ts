import { systemAuthority } from '../kernel/actor.js';
import type { AdministrationDeps } from './administration-deps.js';

/**
 * Sets the seats of a tenant to what is there, should the two ever differ (a restored backup, a change by hand). The
 * tenant is held meanwhile, so nobody takes a seat between the count and its writing. True when they did differ.
 */
export function reconcileSeats(deps: AdministrationDeps, tenantId: string): Promise<boolean> {
  const { actor } = systemAuthority('maintenance');
  return deps.inTransaction(async (tx) => {
    const tenant = await deps.tenants.holdTenant(tx, tenantId);
    const { seats: before } = tenant;
    const members = await deps.memberships.countMembers(tx, tenantId);
    const serviceAccounts = await deps.serviceAccounts.countServiceAccounts(tx, tenantId);
    if (before.members === members && before.serviceAccounts === serviceAccounts) return false;
    await deps.tenants.updateTenant(tx, actor, tenant, { seats: { members, serviceAccounts } });
    await deps.recordEvent(tx, {
      type: 'tenant.seats_reconciled',
      tenantId,
      actor,
      subjectId: tenantId,
      data: { membersBefore: before.members, members, serviceAccountsBefore: before.serviceAccounts, serviceAccounts },
    });
    return true;
  });
}
