import { isDeepStrictEqual } from 'node:util';
import type { Resource } from '../resources/index.js';
import type { Seed } from './seed.js';
import type { SeedDeps, SeedPlan } from './seed-plan.js';

/** Plans the resources and answers with every permission that will be defined, in the seed or before. */
export async function planResources(
  deps: SeedDeps,
  plan: SeedPlan,
  seed: Seed,
): Promise<{ permissions: Set<string>; identifiers: Set<string> }> {
  const existing = new Map((await deps.resources.listResources()).map((resource) => [resource.identifier, resource]));
  const seen = new Set<string>();
  for (const [index, wanted] of seed.resources.entries()) {
    if (seen.has(wanted.identifier)) plan.refuse(['resources', index, 'identifier'], 'is there twice');
    seen.add(wanted.identifier);
    if (deps.resources.isBuiltIn(wanted.identifier)) {
      plan.refuse(['resources', index, 'identifier'], 'is built in');
      continue;
    }
    const before = existing.get(wanted.identifier);
    const resource: Resource = { ...wanted, createdAt: before?.createdAt ?? deps.now() };
    existing.set(resource.identifier, resource);
    if (!before) plan.create((tx) => deps.resources.createResource(tx, plan.actor, resource));
    else if (isDeepStrictEqual(before, resource)) plan.keep();
    else plan.update((tx) => deps.resources.updateResource(tx, plan.actor, resource));
  }
  return {
    permissions: new Set([...existing.values()].flatMap((resource) => resource.permissions)),
    identifiers: new Set(existing.keys()),
  };
}
