import { parseNamespace } from '../catalog.js';
import type { Document } from '../document.js';
import { badValue, codeNameOf, CommandError, failedToParse } from '../errors.js';
import { documentField, documentsField, flagField, optionalDocument, refuseUnknownFields } from '../fields.js';
import { compileProjection } from '../projection.js';
import { parseQuery, type Query } from '../query.js';
import type { CommandContext, Commands } from '../server-state.js';
import { parseSort } from '../sort.js';
import { compileUpdate } from '../update.js';
import type { WriteScope } from '../write-scope.js';
import { insertDocument, removeAll, removeFirst, updateAll, updateFirst, type Changed } from '../writes.js';

const BATCH_FIELDS = ['ordered', 'bypassDocumentValidation'];
const MAX_BATCH = 100_000;

export const writeCommands: Commands = {
  insert: { fields: ['documents', ...BATCH_FIELDS], inTransaction: true, writes: true, run: insert },
  update: { fields: ['updates', 'let', ...BATCH_FIELDS], inTransaction: true, writes: true, run: update },
  delete: { fields: ['deletes', 'let', 'ordered'], inTransaction: true, writes: true, run: remove },
  findAndModify: {
    fields: [
      'query',
      'sort',
      'remove',
      'update',
      'new',
      'fields',
      'upsert',
      'bypassDocumentValidation',
      'arrayFilters',
    ],
    inTransaction: true,
    writes: true,
    run: findAndModify,
  },
};

function scopeOf({ server, database, body, transaction, deadlineAt }: CommandContext, command: string): WriteScope {
  const namespace = parseNamespace(database, body[command]);
  return { storage: server.storage, transaction, namespace, deadlineAt };
}

async function insert(context: CommandContext): Promise<Document> {
  const scope = scopeOf(context, 'insert');
  let n = 0;
  const writeErrors = await eachStatement(context, documentsField(context.body, 'documents'), async (document) => {
    await insertDocument(scope, document);
    n++;
  });
  return { n, ...writeErrors };
}

async function update(context: CommandContext): Promise<Document> {
  refuseLet(context.body);
  const scope = scopeOf(context, 'update');
  const upserted: Document[] = [];
  let n = 0;
  let nModified = 0;
  const writeErrors = await eachStatement(
    context,
    documentsField(context.body, 'updates'),
    async (statement, index) => {
      for (const { kind, after } of await updateOneStatement(scope, statement)) {
        n++;
        if (kind === 'modified') nModified++;
        if (kind === 'inserted') upserted.push({ index, _id: after?.['_id'] });
      }
    },
  );
  return { n, nModified, ...(upserted.length > 0 ? { upserted } : {}), ...writeErrors };
}

async function updateOneStatement(scope: WriteScope, statement: Document): Promise<Changed[]> {
  refuseUnknownFields('update.updates', statement, ['q', 'u', 'multi', 'upsert', 'hint']);
  refuseHint(statement);
  const query = parseQuery(documentField(statement, 'q'));
  const compiled = compileUpdate(statement['u']);
  const upsert = flagField(statement, 'upsert');
  if (!flagField(statement, 'multi')) {
    const changed = await updateFirst(scope, query, compiled, upsert);
    return changed ? [changed] : [];
  }
  if (compiled.isReplacement) throw failedToParse('multi update is not supported for replacement-style update');
  return updateAll(scope, query, compiled, upsert);
}

async function remove(context: CommandContext): Promise<Document> {
  refuseLet(context.body);
  const scope = scopeOf(context, 'delete');
  let n = 0;
  const writeErrors = await eachStatement(context, documentsField(context.body, 'deletes'), async (statement) => {
    refuseUnknownFields('delete.deletes', statement, ['q', 'limit', 'hint']);
    refuseHint(statement);
    const { limit } = statement;
    if (limit !== 0 && limit !== 1)
      throw failedToParse(`The limit field in delete objects must be 0 or 1. Got ${JSON.stringify(limit)}`);
    const query = parseQuery(documentField(statement, 'q'));
    if (limit === 0) n += await removeAll(scope, query);
    else if (await removeFirst(scope, query)) n++;
  });
  return { n, ...writeErrors };
}

/** A failed statement is reported in `writeErrors`; ordered batches end there. A write conflict fails the command. */
async function eachStatement(
  { body }: CommandContext,
  statements: Document[],
  run: (statement: Document, index: number) => Promise<void>,
): Promise<{ writeErrors?: Document[] }> {
  if (statements.length === 0 || statements.length > MAX_BATCH) {
    throw new CommandError(
      16,
      `Write batch sizes must be between 1 and ${MAX_BATCH}. Got ${statements.length} operations.`,
    );
  }
  const ordered = flagField(body, 'ordered', true);
  const writeErrors: Document[] = [];
  for (const [index, statement] of statements.entries()) {
    try {
      await run(statement, index);
    } catch (error) {
      if (!(error instanceof CommandError) || error.code === 112) throw error;
      // A reply has to stay below 16 MB, however many errors there are: mongod, too, drops the later texts.
      const text = writeErrors.length < 1000 ? { errmsg: error.message, ...error.details } : { errmsg: '' };
      writeErrors.push({ index, code: error.code, codeName: codeNameOf(error.code), ...text });
      if (ordered) break;
    }
  }
  return writeErrors.length > 0 ? { writeErrors } : {};
}

async function findAndModify(context: CommandContext): Promise<Document> {
  const { body } = context;
  if (body['arrayFilters'] !== undefined) throw badValue('arrayFilters are not supported by the embedded database');
  const scope = scopeOf(context, 'findAndModify');
  const query = parseQuery(documentField(body, 'query'), { sort: parseSort(body['sort']) });
  const project = compileProjection(optionalDocument(body, 'fields'));
  const shown = (document: Document | null | undefined) =>
    document && project ? project(document) : (document ?? null);
  if (flagField(body, 'remove')) return findAndRemove(scope, query, body, shown);

  if (body['update'] === undefined) throw failedToParse('Either an update or remove=true must be specified');
  const upsert = flagField(body, 'upsert');
  const changed = await updateFirst(scope, query, compileUpdate(body['update']), upsert);
  const isNew = changed?.kind === 'inserted';
  const lastErrorObject = {
    n: changed ? 1 : 0,
    updatedExisting: changed !== null && !isNew,
    ...(isNew ? { upserted: changed.after?.['_id'] } : {}),
  };
  return { lastErrorObject, value: shown(flagField(body, 'new') ? changed?.after : changed?.before) };
}

async function findAndRemove(
  scope: WriteScope,
  query: Query,
  body: Document,
  shown: (document: Document | null | undefined) => Document | null,
): Promise<Document> {
  if (body['update'] !== undefined) throw failedToParse('Cannot specify both an update and remove=true');
  if (flagField(body, 'upsert')) throw failedToParse('Cannot specify both upsert=true and remove=true');
  if (flagField(body, 'new'))
    throw failedToParse("Cannot specify both new=true and remove=true; 'remove' always returns the deleted document");
  const changed = await removeFirst(scope, query);
  return { lastErrorObject: { n: changed ? 1 : 0 }, value: shown(changed?.before) };
}

function refuseHint(statement: Document): void {
  if (statement['hint'] !== undefined) throw badValue("'hint' is not supported by the embedded database");
}

function refuseLet(body: Document): void {
  if (body['let'] !== undefined) throw badValue("'let' is not supported by the embedded database");
}
