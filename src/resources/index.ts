/**
 * APIs that accept our tokens, with the permissions they define and the form of their tokens. Owns the `resources`
 * collection. Resources belong to the platform: what a tenant may do with one is decided by its roles.
 */
import type { Actor } from '../kernel/actor.js';
import type { RecordEvent } from '../events/index.js';
import type { Database } from '../platform/mongo/open-database.js';
import type { Tx } from '../platform/mongo/transactions.js';
import { createExpiringValue } from '../platform/cache/expiring.js';
import { createResourceStore } from './resource-store.js';
import type { Resource } from './resource.js';

export type { Resource, SigningAlgorithm } from './resource.js';

export interface ResourcesModule {
  /** From a list that is at most as old as the decision cache allows. */
  findResource(identifier: string): Promise<Resource | null>;
  listResources(): Promise<Resource[]>;
  createResource(tx: Tx, actor: Actor, resource: Resource): Promise<void>;
  updateResource(tx: Tx, actor: Actor, resource: Resource): Promise<void>;
  forgetResources(): void;
}

export function resourcesModule(deps: {
  database: Database;
  recordEvent: RecordEvent;
  cacheSeconds: number;
}): ResourcesModule {
  const store = createResourceStore(deps.database);
  const all = createExpiringValue(deps.cacheSeconds, async () => {
    const resources = await store.list();
    return new Map(resources.map((resource) => [resource.identifier, resource]));
  });
  return {
    findResource: async (identifier) => (await all.get()).get(identifier) ?? null,
    listResources: () => store.list(),
    async createResource(tx, actor, resource) {
      await store.insert(tx, resource);
      await deps.recordEvent(tx, {
        type: 'resource.created',
        tenantId: null,
        actor,
        subjectId: resource.identifier,
        data: { permissions: resource.permissions },
      });
    },
    async updateResource(tx, actor, resource) {
      await store.replace(tx, resource);
      await deps.recordEvent(tx, {
        type: 'resource.updated',
        tenantId: null,
        actor,
        subjectId: resource.identifier,
        data: { permissions: resource.permissions },
      });
    },
    forgetResources: () => all.forget(),
  };
}
