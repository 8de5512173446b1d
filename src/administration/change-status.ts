import { z } from 'zod';
import type { Authority } from '../kernel/actor.js';
import { secondsAfter } from '../kernel/time.js';
import type { AdministrationDeps } from './administration-deps.js';
import { requireNotPlatform } from './change-settings.js';
import { parsed } from './input.js';

const statusText = z.enum(['active', 'suspended', 'archived']);

/**
 * `suspended`: nobody gets in, and nothing is lost. `archived`: the same, and the tenant is deleted after the grace
 * period unless it is made active again. The operators' own tenant stays as it is.
 */
export async function changeStatus(
  deps: AdministrationDeps,
  by: Authority,
  tenantId: string,
  status: z.input<typeof statusText>,
): Promise<void> {
  const wanted = parsed(statusText, status);
  await deps.inTransaction(async (tx) => {
    const tenant = await deps.tenants.holdTenant(tx, tenantId);
    requireNotPlatform(deps, tenant);
    if (tenant.status === wanted) return;
    const deleteAfter = wanted === 'archived' ? secondsAfter(deps.now(), deps.deletionGraceSeconds) : null;
    await deps.tenants.updateTenant(tx, by.actor, tenant, { status: wanted, deleteAfter });
  });
}
