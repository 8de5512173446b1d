import { compilePipeline } from './aggregation.js';
import {
  countField,
  documentField,
  flagField,
  refuseUnknownCommandFields,
  refuseUnknownFields,
  type CommandContext,
  type Commands,
} from './command.js';
import { continueCursor, openCursor } from './cursors.js';
import { assertInTime } from './deadline.js';
import type { Document } from './document.js';
import { badValue, notSupported } from './errors.js';
import { choosePlan, describePlan } from './planner.js';
import { compileProjection, compileQuery, runQuery, type Query } from './query.js';
import { parseSort } from './sort.js';
import { namespaceOf } from './storage.js';

const FIND_FIELDS = ['filter', 'sort', 'projection', 'skip', 'limit', 'batchSize', 'singleBatch'];

export const readCommands: Commands = {
  find: { fields: FIND_FIELDS, inTransaction: true, run: find },
  aggregate: { fields: ['pipeline', 'cursor'], inTransaction: true, run: aggregate },
  count: { fields: [], run: count },
  getMore: { fields: ['collection', 'batchSize'], inTransaction: true, run: getMore },
  killCursors: { fields: ['cursors'], inTransaction: true, run: killCursors },
  explain: { fields: ['verbosity'], run: explain },
};

function find(context: CommandContext): Document {
  const { body, server, database } = context;
  const namespace = namespaceOf(database, body['find']);
  const found = read(context, namespace, findQuery(body));
  const documents = body['projection'] ? found.map(compileProjection(documentField(body, 'projection'))) : found;
  const options = { batchSize: countField(body, 'batchSize'), singleBatch: flagField(body, 'singleBatch') };
  return { cursor: openCursor(server.cursors, namespace, documents, options) };
}

function findQuery(body: Document): Query {
  const query = compileQuery(documentField(body, 'filter'), parseSort(body['sort'] ?? {}));
  // A limit of 0 means all.
  return { ...query, skip: countField(body, 'skip') ?? 0, limit: countField(body, 'limit') || Infinity };
}

function aggregate(context: CommandContext): Document {
  const { body, server, database } = context;
  const namespace = namespaceOf(database, body['aggregate']);
  const cursor = documentField(body, 'cursor');
  refuseUnknownFields('aggregate.cursor', cursor, ['batchSize']);
  const { filter, run } = compilePipeline(body['pipeline']);
  const documents = run(read(context, namespace, compileQuery(filter)));
  return { cursor: openCursor(server.cursors, namespace, documents, { batchSize: countField(cursor, 'batchSize') }) };
}

/** Nothing else runs meanwhile, so it is not broken off in time; but a late answer is none. */
function read({ server, transaction, deadlineAt }: CommandContext, namespace: string, query: Query): Document[] {
  const found = runQuery(server.storage.collections.get(namespace), query, transaction);
  assertInTime(deadlineAt);
  return found.map(({ document }) => document);
}

/** Of a whole collection; counting what matches a filter is an aggregation. */
function count({ server, database, body }: CommandContext): Document {
  return { n: server.storage.collections.get(namespaceOf(database, body['count']))?.records.size ?? 0 };
}

function getMore({ server, database, body }: CommandContext): Document {
  // As in mongod: only who waits for what is not there yet can wait too long.
  if (body['maxTimeMS']) throw badValue('cannot set maxTimeMS on getMore command for a non-awaitData cursor');
  const namespace = `${database}.${String(body['collection'])}`;
  const batchSize = countField(body, 'batchSize') || Infinity;
  return { cursor: continueCursor(server.cursors, String(body['getMore']), namespace, batchSize) };
}

function killCursors({ server, body }: CommandContext): Document {
  const cursorsKilled: unknown[] = [];
  const cursorsNotFound: unknown[] = [];
  for (const id of body['cursors'] as unknown[]) {
    const wasOpen = server.cursors.open.delete(String(id));
    (wasOpen ? cursorsKilled : cursorsNotFound).push(id);
  }
  return { cursorsKilled, cursorsNotFound, cursorsAlive: [], cursorsUnknown: [] };
}

/** Shows which index a find would use; of any other command ask for a find with its filter. */
function explain({ server, database, body }: CommandContext): Document {
  const explained = documentField(body, 'explain');
  const [name] = Object.keys(explained);
  if (name !== 'find') throw notSupported(`explain of ${name}`);
  refuseUnknownCommandFields('find', explained, FIND_FIELDS);
  const { filter, sort } = findQuery(explained);
  const collection = server.storage.collections.get(namespaceOf(database, explained['find']));
  const winningPlan = collection ? describePlan(choosePlan(collection, filter, sort), sort) : { stage: 'EOF' };
  return { explainVersion: '1', queryPlanner: { winningPlan, rejectedPlans: [] } };
}
