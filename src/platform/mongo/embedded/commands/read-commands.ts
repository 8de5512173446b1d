import { findCollection, parseNamespace } from '../catalog.js';
import { closeCursor, continueCursor, openCursor } from '../cursors.js';
import { documentBytes, MAX_DOCUMENT_BYTES, type Document } from '../document.js';
import { badValue, CommandError } from '../errors.js';
import { countField, documentField, flagField, optionalDocument, refuseUnknownFields } from '../fields.js';
import { parsePath, valuesAt } from '../paths.js';
import { parsePipeline } from '../pipeline.js';
import { compileProjection } from '../projection.js';
import { parseQuery, runQuery, type Query, type QueryResult } from '../query.js';
import type { CommandContext, Commands } from '../server-state.js';
import { parseSort } from '../sort.js';
import { encodeValue } from '../value-order.js';

export const FIND_FIELDS = [
  'filter',
  'sort',
  'projection',
  'skip',
  'limit',
  'batchSize',
  'singleBatch',
  'noCursorTimeout',
  'allowDiskUse',
];

export const readCommands: Commands = {
  find: { fields: FIND_FIELDS, inTransaction: true, run: find },
  aggregate: { fields: ['pipeline', 'cursor', 'allowDiskUse'], inTransaction: true, run: aggregate },
  count: { fields: ['query', 'limit', 'skip'], run: count },
  distinct: { fields: ['key', 'query'], inTransaction: true, run: distinct },
  getMore: { fields: ['collection', 'batchSize'], inTransaction: true, run: getMore },
  killCursors: { fields: ['cursors'], inTransaction: true, run: killCursors },
};

function read(context: CommandContext, command: string, query: Query): QueryResult {
  const namespace = parseNamespace(context.database, context.body[command]);
  return runQuery(findCollection(context.server.storage.catalog, namespace), query, context.transaction);
}

function find(context: CommandContext): Document {
  const { body, server, database } = context;
  const query = findQuery(body);
  const project = compileProjection(optionalDocument(body, 'projection'));
  const documents = read(context, 'find', query).found.map(({ document }) => (project ? project(document) : document));
  const batch = { batchSize: countField(body, 'batchSize'), singleBatch: flagField(body, 'singleBatch') };
  return { cursor: openCursor(server.cursors, `${database}.${String(body['find'])}`, documents, batch) };
}

export function findQuery(body: Document): Query {
  return parseQuery(documentField(body, 'filter'), {
    sort: parseSort(body['sort']),
    skip: countField(body, 'skip') ?? 0,
    limit: countField(body, 'limit') ?? 0,
  });
}

function aggregate(context: CommandContext): Document {
  const { body, server, database } = context;
  const cursor = documentField(body, 'cursor');
  refuseUnknownFields('aggregate.cursor', cursor, ['batchSize']);
  const { query, run } = parsePipeline(body['pipeline']);
  const documents = run(read(context, 'aggregate', query).found.map(({ document }) => document));
  const batch = { batchSize: countField(cursor, 'batchSize') };
  return { cursor: openCursor(server.cursors, `${database}.${String(body['aggregate'])}`, documents, batch) };
}

function count(context: CommandContext): Document {
  return { n: read(context, 'count', countQuery(context.body)).found.length };
}

export function countQuery(body: Document): Query {
  const window = { skip: countField(body, 'skip') ?? 0, limit: countField(body, 'limit') ?? 0 };
  return parseQuery(documentField(body, 'query'), window);
}

function distinct(context: CommandContext): Document {
  const { body } = context;
  if (typeof body['key'] !== 'string') throw badValue("BSON field 'distinct.key' must be a string");
  const path = parsePath(body['key']);
  const values = new Map<string, unknown>();
  for (const { document } of read(context, 'distinct', parseQuery(documentField(body, 'query'))).found) {
    const at = valuesAt(document, path);
    if (!at.found) continue;
    for (const value of at.values) if (typeof value !== 'symbol') values.set(encodeValue(value), value);
  }
  const reply = { values: [...values.values()] };
  if (documentBytes(reply) > MAX_DOCUMENT_BYTES) throw new CommandError(17217, 'distinct too big, 16mb cap');
  return reply;
}

function getMore({ server, database, body }: CommandContext): Document {
  const namespace = `${database}.${String(body['collection'])}`;
  return { cursor: continueCursor(server.cursors, body['getMore'], namespace, countField(body, 'batchSize')) };
}

function killCursors({ server, body }: CommandContext): Document {
  const ids = Array.isArray(body['cursors']) ? (body['cursors'] as unknown[]) : [];
  const cursorsKilled: unknown[] = [];
  const cursorsNotFound: unknown[] = [];
  for (const id of ids) (closeCursor(server.cursors, id) ? cursorsKilled : cursorsNotFound).push(id);
  return { cursorsKilled, cursorsNotFound, cursorsAlive: [], cursorsUnknown: [] };
}
