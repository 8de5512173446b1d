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
  /** One that is stored, as it is in the transaction: who changes it meanwhile makes the other begin again. */
  findStoredResource(tx: Tx, identifier: string): Promise<Resource | null>;
  createResource(tx: Tx, actor: Actor, resource: Resource): Promise<void>;
  updateResource(tx: Tx, actor: Actor, resource: Resource): Promise<void>;
  deleteResource(tx: Tx, actor: Actor, resource: Resource): Promise<void>;
  /** Ours: it is there without being stored, and nobody changes it. */
  isBuiltIn(identifier: string): boolean;
  forgetResources(): void;
}

export function resourcesModule(deps: {
  database: Database;
  recordEvent: RecordEvent;
  cacheSeconds: number;
  builtIn: readonly Resource[];
}): ResourcesModule {
  const list = async (): Promise<Resource[]> => [...deps.builtIn, ...(await store.list())];
  const store = createResourceStore(deps.database);
  const all = createExpiringValue(deps.cacheSeconds, async () => {
    const resources = await list();
    return new Map(resources.map((resource) => [resource.identifier, resource]));
  });
  return {
    findResource: async (identifier) => (await all.get()).get(identifier) ?? null,
    listResources: list,
    findStoredResource: store.find,
    isBuiltIn: (identifier) => deps.builtIn.some((resource) => resource.identifier === identifier),
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
    async deleteResource(tx, actor, { identifier }) {
      await store.remove(tx, identifier);
      await deps.recordEvent(tx, { type: 'resource.deleted', tenantId: null, actor, subjectId: identifier });
    },
    forgetResources: () => all.forget(),
  };
}
