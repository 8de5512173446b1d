import type { Tenant } from '../tenants/index.js';
import type { Seed } from './seed.js';
import type { SeedDeps, SeedPlan } from './seed-plan.js';

interface DomainsToPlan {
  tenant: Tenant;
  wanted: Seed['tenants'][number]['domains'];
  path: readonly (string | number)[];
}

/** Plans domains of a tenant. One that the seed calls verified is so by the word of who runs the server. */
export async function planDomains(
  deps: SeedDeps,
  plan: SeedPlan,
  { tenant, wanted, path }: DomainsToPlan,
): Promise<void> {
  if (wanted.length > 0 && !deps.mayHaveConnections(tenant)) plan.refuse(path, 'are not in the plan of the tenant');
  for (const [index, { name: written, verified }] of wanted.entries()) {
    const at = [...path, index, 'name'];
    const name = deps.parseDomainName(written);
    if (name === null) {
      plan.refuse(at, 'must be a domain as it stands in e-mail addresses');
      continue;
    }
    if ((await deps.problemOfDomainName(name)) !== null) plan.refuse(at, 'is no name that a tenant can have alone');
    const isTwice = !plan.takes('domain', `${tenant.id} ${name}`) || (verified && !plan.takes('domain', name));
    const holder = verified ? await deps.domains.findVerifiedDomain(name) : null;
    if (isTwice) plan.refuse(at, 'is there twice');
    if (holder && holder.tenantId !== tenant.id) plan.refuse(at, 'is verified for another tenant');
    await planDomain(deps, plan, { tenant, name, verified });
  }
}

async function planDomain(
  deps: SeedDeps,
  plan: SeedPlan,
  { tenant, name, verified }: { tenant: Tenant; name: string; verified: boolean },
): Promise<void> {
  const before = await deps.domains.findDomainByName(tenant.id, name);
  if (before) {
    if (!verified || before.verifiedBy === 'operator') return plan.keep();
    return plan.update((tx) => deps.domains.setDomainVerified(tx, plan.actor, before, 'operator'));
  }
  const added = deps.domains.newDomain(tenant.id, name);
  plan.create(async (tx) => {
    await deps.domains.createDomain(tx, plan.actor, added);
    if (verified) await deps.domains.setDomainVerified(tx, plan.actor, added, 'operator');
  });
}
