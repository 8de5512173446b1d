import { Long } from 'bson';
import { ensureIndex, type Collection } from './collection.js';
import { documentField, documentsField, flagField, type CommandContext, type Commands } from './command.js';
import type { Document } from './document.js';
import { CommandError } from './errors.js';
import { isIdKey, isSameIndex, parseIndexDefinition, type IndexDefinition } from './index-definition.js';
import { compileFilter } from './match.js';
import { collectionsIn, dropCollection, ensureCollection, namespaceOf, withoutWriters } from './storage.js';

export const collectionCommands: Commands = {
  create: { fields: [], writes: true, run: create },
  createIndexes: { fields: ['indexes'], writes: true, run: createIndexes },
  drop: { fields: [], writes: true, run: drop },
  dropDatabase: { fields: [], writes: true, run: dropDatabase },
  listCollections: { fields: ['filter', 'nameOnly', 'cursor', 'authorizedCollections'], run: listCollections },
  listIndexes: { fields: ['cursor'], run: listIndexes },
};

function create({ server, database, body }: CommandContext): Document {
  const namespace = namespaceOf(database, body['create']);
  if (server.storage.collections.has(namespace)) {
    throw new CommandError('NamespaceExists', `Collection ${namespace} already exists.`);
  }
  ensureCollection(server.storage, namespace);
  return {};
}

/** Waits for writing transactions, since what they hold must get into an index that is new. */
async function createIndexes({ server, database, body, deadlineAt }: CommandContext): Promise<Document> {
  const { storage } = server;
  const namespace = namespaceOf(database, body['createIndexes']);
  const definitions = documentsField(body, 'indexes').map(parseIndexDefinition);
  const createdCollectionAutomatically = !storage.collections.has(namespace);
  const collection = ensureCollection(storage, namespace);
  const isThere = (definition: IndexDefinition): boolean =>
    isIdKey(definition.specification['key']) ||
    collection.indexes.some((index) => isSameIndex(index.definition, definition));
  if (!definitions.every(isThere)) await withoutWriters(storage, collection, deadlineAt);
  const numIndexesBefore = collection.indexes.length;
  for (const definition of definitions) {
    const { specification } = definition;
    if (isIdKey(specification['key']) || !ensureIndex(collection, definition)) continue;
    storage.journal.append({ createIndex: namespace, specification });
  }
  return { numIndexesBefore, numIndexesAfter: collection.indexes.length, createdCollectionAutomatically };
}

async function drop(context: CommandContext): Promise<Document> {
  const { server, database, body } = context;
  const namespace = namespaceOf(database, body['drop']);
  // As of 7.0 dropping what is not there succeeds.
  await dropWhenFree(context, server.storage.collections.get(namespace));
  return { ns: namespace };
}

async function dropDatabase(context: CommandContext): Promise<Document> {
  const { server, database } = context;
  for (const collection of collectionsIn(server.storage, database)) await dropWhenFree(context, collection);
  return { dropped: database };
}

async function dropWhenFree(
  { server: { storage }, deadlineAt }: CommandContext,
  collection: Collection | undefined,
): Promise<void> {
  if (!collection) return;
  await withoutWriters(storage, collection, deadlineAt);
  // Another drop may have come first.
  if (storage.collections.get(collection.namespace) === collection) dropCollection(storage, collection);
}

function listCollections({ server, database, body }: CommandContext): Document {
  const matches = compileFilter(documentField(body, 'filter'));
  const nameOnly = flagField(body, 'nameOnly');
  const listed = collectionsIn(server.storage, database).map(({ namespace }) => ({
    name: namespace.slice(database.length + 1),
    type: 'collection',
    ...(nameOnly ? {} : { options: {}, info: { readOnly: false } }),
  }));
  return listReply(`${database}.$cmd.listCollections`, listed.filter(matches));
}

function listIndexes({ server, database, body }: CommandContext): Document {
  const namespace = namespaceOf(database, body['listIndexes']);
  const collection = server.storage.collections.get(namespace);
  if (!collection) throw new CommandError('NamespaceNotFound', `ns does not exist: ${namespace}`);
  return listReply(
    namespace,
    collection.indexes.map(({ definition }) => definition.specification),
  );
}

/** These lists are short: they are complete in the first batch. */
function listReply(ns: string, firstBatch: Document[]): Document {
  return { cursor: { id: Long.ZERO, ns, firstBatch } };
}
