import {
  documentField,
  documentsField,
  flagField,
  refuseUnknownFields,
  type CommandContext,
  type Commands,
} from './command.js';
import type { Document } from './document.js';
import { CommandError } from './errors.js';
import { compileProjection, compileQuery } from './query.js';
import { parseSort } from './sort.js';
import { namespaceOf } from './storage.js';
import { compileUpdate } from './update.js';
import { changeAll, changeFirst, insertDocument, type Changed, type WriteScope } from './writes.js';

/** Not about one statement, but about the transaction or the time of all. */
const FAIL_WHOLE_COMMAND = ['WriteConflict', 'MaxTimeMSExpired'];
const MODIFY_FIELDS = ['query', 'sort', 'fields', 'remove', 'update', 'upsert', 'new'];

export const writeCommands: Commands = {
  insert: { fields: ['documents', 'ordered'], inTransaction: true, writes: true, run: insert },
  update: { fields: ['updates', 'ordered'], inTransaction: true, writes: true, run: update },
  delete: { fields: ['deletes', 'ordered'], inTransaction: true, writes: true, run: remove },
  findAndModify: { fields: MODIFY_FIELDS, inTransaction: true, writes: true, run: findAndModify },
};

function scopeOf({ server, database, body, transaction, deadlineAt }: CommandContext, command: string): WriteScope {
  return { storage: server.storage, transaction, namespace: namespaceOf(database, body[command]), deadlineAt };
}

async function insert(context: CommandContext): Promise<Document> {
  const scope = scopeOf(context, 'insert');
  let n = 0;
  const errors = await eachStatement(context.body, 'documents', async (document) => {
    await insertDocument(scope, document);
    n++;
  });
  return { n, ...errors };
}

async function update(context: CommandContext): Promise<Document> {
  const scope = scopeOf(context, 'update');
  const upserted: Document[] = [];
  let n = 0;
  let nModified = 0;
  const errors = await eachStatement(context.body, 'updates', async (statement, index) => {
    for (const { before, after } of await applyStatement(scope, statement)) {
      n++;
      if (before === null) upserted.push({ index, _id: after?.['_id'] });
      else if (after !== before) nModified++;
    }
  });
  return { n, nModified, ...(upserted.length > 0 ? { upserted } : {}), ...errors };
}

async function applyStatement(scope: WriteScope, statement: Document): Promise<Changed[]> {
  refuseUnknownFields('update.updates', statement, ['q', 'u', 'multi', 'upsert']);
  const query = compileQuery(documentField(statement, 'q'));
  const { apply, seed, isReplacement } = compileUpdate(statement['u']);
  const upsert = flagField(statement, 'upsert') ? () => seed(query.filter) : null;
  if (flagField(statement, 'multi')) {
    if (isReplacement) throw new CommandError('FailedToParse', 'multi update is not supported for a replacement');
    const changes = await changeAll(scope, query, apply);
    if (changes.length > 0 || !upsert) return changes;
  }
  const changed = await changeFirst(scope, query, apply, upsert);
  return changed ? [changed] : [];
}

async function remove(context: CommandContext): Promise<Document> {
  const scope = scopeOf(context, 'delete');
  let n = 0;
  const errors = await eachStatement(context.body, 'deletes', async (statement) => {
    refuseUnknownFields('delete.deletes', statement, ['q', 'limit']);
    const { limit } = statement;
    if (limit !== 0 && limit !== 1) throw new CommandError('FailedToParse', "a delete needs a 'limit' of 0 or 1");
    const query = compileQuery(documentField(statement, 'q'));
    if (limit === 0) n += (await changeAll(scope, query, () => null)).length;
    else if (await changeFirst(scope, query, () => null)) n++;
  });
  return { n, ...errors };
}

/** A failed statement is reported in `writeErrors`; ordered batches end there. Others fail the command as a whole. */
async function eachStatement(
  body: Document,
  field: string,
  run: (statement: Document, index: number) => Promise<void>,
): Promise<{ writeErrors?: Document[] }> {
  const ordered = flagField(body, 'ordered', true);
  const writeErrors: Document[] = [];
  for (const [index, statement] of documentsField(body, field).entries()) {
    try {
      await run(statement, index);
    } catch (error) {
      if (!(error instanceof CommandError) || FAIL_WHOLE_COMMAND.includes(error.codeName)) throw error;
      writeErrors.push({ index, code: error.code, errmsg: error.message, ...error.details });
      if (ordered) break;
    }
  }
  return writeErrors.length > 0 ? { writeErrors } : {};
}

async function findAndModify(context: CommandContext): Promise<Document> {
  const { body } = context;
  const scope = scopeOf(context, 'findAndModify');
  const query = compileQuery(documentField(body, 'query'), parseSort(body['sort'] ?? {}));
  const project = compileProjection(documentField(body, 'fields'));
  const shown = (document: Document | null | undefined) => (document ? project(document) : null);
  const isNew = flagField(body, 'new');
  const upsert = flagField(body, 'upsert');
  if (flagField(body, 'remove')) {
    if (body['update'] !== undefined || isNew || upsert) {
      throw new CommandError('FailedToParse', 'Cannot specify update, new or upsert together with remove=true');
    }
    const removed = await changeFirst(scope, query, () => null);
    return { lastErrorObject: { n: removed ? 1 : 0 }, value: shown(removed?.before) };
  }
  const { apply, seed } = compileUpdate(body['update']);
  const changed = await changeFirst(scope, query, apply, upsert ? () => seed(query.filter) : null);
  const lastErrorObject = {
    n: changed ? 1 : 0,
    updatedExisting: changed !== null && changed.before !== null,
    ...(changed?.before === null ? { upserted: changed.after?.['_id'] } : {}),
  };
  return { lastErrorObject, value: shown(isNew ? changed?.after : changed?.before) };
}
