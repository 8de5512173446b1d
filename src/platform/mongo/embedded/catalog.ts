import { addIndex, createCollection, type Collection } from './collection.js';
import { CommandError } from './errors.js';
import { hasSameKeyPattern, isSameIndex, type IndexDefinition } from './index-definition.js';

export interface Namespace {
  readonly database: string;
  readonly collection: string;
}

/** Databases and their collections, by name. A database without collections does not exist. */
export type Catalog = Map<string, Map<string, Collection>>;

export function parseNamespace(database: string, collection: unknown): Namespace {
  if (typeof collection !== 'string' || collection === '' || collection.includes('\0') || collection.includes('$')) {
    throw new CommandError(73, `Invalid namespace specified '${database}.${String(collection)}'`);
  }
  if (collection.startsWith('system.') || collection.startsWith('.')) {
    throw new CommandError(73, `Invalid collection name: ${collection}`);
  }
  return { database, collection };
}

export function findCollection(catalog: Catalog, { database, collection }: Namespace): Collection | null {
  return catalog.get(database)?.get(collection) ?? null;
}

export function putCollection(catalog: Catalog, { database, collection }: Namespace): Collection {
  const collections = catalog.get(database) ?? new Map<string, Collection>();
  catalog.set(database, collections);
  const created = createCollection(`${database}.${collection}`);
  collections.set(collection, created);
  return created;
}

export function removeCollection(catalog: Catalog, { database, collection }: Namespace): void {
  const collections = catalog.get(database);
  collections?.delete(collection);
  if (collections?.size === 0) catalog.delete(database);
}

/** Database names have no dot, collection names may. */
export function splitNamespace(namespace: string): Namespace {
  const dot = namespace.indexOf('.');
  return { database: namespace.slice(0, dot), collection: namespace.slice(dot + 1) };
}

/** True if it was built, false if the same index is there already; another one in its place is an error. */
export function ensureIndex(collection: Collection, wanted: IndexDefinition): boolean {
  for (const { definition } of collection.indexes) {
    if (isSameIndex(definition, wanted)) return false;
    if (definition.name === wanted.name) throw nameTaken(definition, wanted);
    // As in mongod: equal keys may be indexed twice only if the partial filters differ (sparse is an option like any).
    if (hasSameKeyPattern(definition, wanted) && samePartialFilter(definition, wanted))
      throw keyTaken(definition, wanted);
  }
  addIndex(collection, wanted);
  return true;
}

function samePartialFilter(a: IndexDefinition, b: IndexDefinition): boolean {
  return JSON.stringify(a.partialFilter) === JSON.stringify(b.partialFilter);
}

function nameTaken(existing: IndexDefinition, wanted: IndexDefinition): CommandError {
  if (!hasSameKeyPattern(existing, wanted) || !samePartialFilter(existing, wanted)) {
    return new CommandError(
      86,
      `An existing index has the same name as the requested index. Requested index: ${show(wanted)}, existing index: ${show(existing)}`,
    );
  }
  return keyTaken(existing, wanted);
}

function keyTaken(existing: IndexDefinition, wanted: IndexDefinition): CommandError {
  return new CommandError(
    85,
    `Index already exists with a different name or options. Requested index: ${show(wanted)}, existing index: ${show(existing)}`,
  );
}

function show(definition: IndexDefinition): string {
  return JSON.stringify(definition.specification);
}
