import { ensureIndex, findCollection, parseNamespace, removeCollection, type Namespace } from '../catalog.js';
import type { Collection } from '../collection.js';
import { openCursor } from '../cursors.js';
import type { Document } from '../document.js';
import { badValue, CommandError } from '../errors.js';
import { countField, documentField, documentsField, flagField, refuseUnknownFields } from '../fields.js';
import { isIdPattern, parseIndexDefinition, type IndexDefinition } from '../index-definition.js';
import { compileFilter } from '../match.js';
import type { CommandContext, Commands } from '../server-state.js';
import { ensureCollection, withoutWriters } from '../storage.js';
import { valuesEqual } from '../value-order.js';

export const catalogCommands: Commands = {
  create: { fields: [], inTransaction: true, writes: true, run: create },
  createIndexes: { fields: ['indexes', 'commitQuorum'], inTransaction: true, writes: true, run: createIndexes },
  dropIndexes: { fields: ['index'], writes: true, run: dropIndexes },
  drop: { fields: [], writes: true, run: drop },
  dropDatabase: { fields: [], writes: true, run: dropDatabase },
  listCollections: { fields: ['filter', 'nameOnly', 'cursor', 'authorizedCollections'], run: listCollections },
  listIndexes: { fields: ['cursor'], run: listIndexes },
  listDatabases: { fields: ['filter', 'nameOnly', 'authorizedDatabases'], run: listDatabases },
};

function namespaceOf({ database, body }: CommandContext, command: string): Namespace {
  return parseNamespace(database, body[command]);
}

function existingCollection(context: CommandContext, command: string): Collection {
  const namespace = namespaceOf(context, command);
  const collection = findCollection(context.server.storage.catalog, namespace);
  if (collection) return collection;
  throw new CommandError(26, `ns does not exist: ${namespace.database}.${namespace.collection}`);
}

function create(context: CommandContext): Document {
  const { storage } = context.server;
  const namespace = namespaceOf(context, 'create');
  if (findCollection(storage.catalog, namespace)) {
    throw new CommandError(48, `Collection ${namespace.database}.${namespace.collection} already exists.`);
  }
  ensureCollection(storage, namespace);
  return {};
}

/** Waits for writing transactions, since what they hold must get into the new index as well. */
async function createIndexes(context: CommandContext): Promise<Document> {
  const { storage } = context.server;
  const namespace = namespaceOf(context, 'createIndexes');
  const definitions = documentsField(context.body, 'indexes').map(parseIndexDefinition);
  if (definitions.length === 0) throw badValue('Must specify at least one index to create');
  const createdCollectionAutomatically = findCollection(storage.catalog, namespace) === null;
  const collection = ensureCollection(storage, namespace);
  // mongod's rule as well: inside a transaction only a collection without documents may be indexed.
  if (context.transaction && collection.records.size > 0) {
    throw new CommandError(
      263,
      `Cannot create new indexes on existing collection ${collection.namespace} in a multi-document transaction.`,
    );
  }
  if (!context.transaction) await withoutWriters(storage, (held) => held === collection);
  const numIndexesBefore = collection.indexes.length;
  for (const definition of definitions) {
    if (isIdPattern(definition.specification['key'])) continue;
    if (ensureIndex(collection, definition)) {
      storage.journal.append({ createIndex: collection.namespace, specification: definition.specification });
    }
  }
  const numIndexesAfter = collection.indexes.length;
  return { numIndexesBefore, numIndexesAfter, createdCollectionAutomatically };
}

async function dropIndexes(context: CommandContext): Promise<Document> {
  const { storage } = context.server;
  const collection = existingCollection(context, 'dropIndexes');
  await withoutWriters(storage, (held) => held === collection);
  const nIndexesWas = collection.indexes.length;
  for (const { name } of indexesToDrop(collection, context.body['index'])) {
    collection.indexes.splice(
      collection.indexes.findIndex(({ definition }) => definition.name === name),
      1,
    );
    storage.journal.append({ dropIndex: collection.namespace, name });
  }
  return { nIndexesWas };
}

function indexesToDrop({ indexes }: Collection, wanted: unknown): IndexDefinition[] {
  const definitions = indexes.map(({ definition }) => definition);
  if (wanted === '*') return definitions.slice(1);
  return (Array.isArray(wanted) ? (wanted as unknown[]) : [wanted]).map((each) => {
    const found = definitions.find(
      ({ name, specification }) => name === each || valuesEqual(specification['key'], each),
    );
    if (!found) throw new CommandError(27, `index not found with name [${JSON.stringify(each)}]`);
    if (found.name === '_id_') throw new CommandError(72, 'cannot drop _id index');
    return found;
  });
}

async function drop(context: CommandContext): Promise<Document> {
  const { storage } = context.server;
  const namespace = namespaceOf(context, 'drop');
  const collection = findCollection(storage.catalog, namespace);
  // As of 7.0 dropping what is not there succeeds.
  if (!collection) return {};
  await withoutWriters(storage, (held) => held === collection);
  if (findCollection(storage.catalog, namespace) !== collection) return {};
  collection.records.clear();
  removeCollection(storage.catalog, namespace);
  storage.journal.append({ drop: collection.namespace });
  return { ns: collection.namespace, nIndexesWas: collection.indexes.length };
}

async function dropDatabase({ server, database }: CommandContext): Promise<Document> {
  const { storage } = server;
  await withoutWriters(storage, ({ namespace }) => namespace.startsWith(`${database}.`));
  const collections = storage.catalog.get(database);
  if (!collections) return {};
  for (const { records } of collections.values()) records.clear();
  storage.catalog.delete(database);
  storage.journal.append({ dropDatabase: database });
  return { dropped: database };
}

function listCollections(context: CommandContext): Document {
  const { server, database, body } = context;
  const matches = compileFilter(documentField(body, 'filter'));
  const nameOnly = flagField(body, 'nameOnly');
  const listed = [...(server.storage.catalog.get(database)?.keys() ?? [])].map((name) => ({
    name,
    type: 'collection',
    ...(nameOnly ? {} : { options: {}, info: { readOnly: false }, idIndex: { v: 2, key: { _id: 1 }, name: '_id_' } }),
  }));
  return cursorOver(context, `${database}.$cmd.listCollections`, listed.filter(matches));
}

function listIndexes(context: CommandContext): Document {
  const { indexes, namespace } = existingCollection(context, 'listIndexes');
  return cursorOver(
    context,
    namespace,
    indexes.map(({ definition }) => definition.specification),
  );
}

function cursorOver({ server, body }: CommandContext, namespace: string, documents: Document[]): Document {
  const cursor = documentField(body, 'cursor');
  refuseUnknownFields('cursor', cursor, ['batchSize']);
  return { cursor: openCursor(server.cursors, namespace, documents, { batchSize: countField(cursor, 'batchSize') }) };
}

function listDatabases({ server, database, body }: CommandContext): Document {
  if (database !== 'admin') throw new CommandError(13, 'listDatabases may only be run against the admin database.');
  const matches = compileFilter(documentField(body, 'filter'));
  const nameOnly = flagField(body, 'nameOnly');
  const databases = [...server.storage.catalog.keys()]
    .sort()
    .map((name) => ({ name, ...(nameOnly ? {} : { sizeOnDisk: 0, empty: false }) }))
    .filter(matches);
  return { databases, ...(nameOnly ? {} : { totalSize: 0 }) };
}
