import { setTimeout as delay } from 'node:timers/promises';
import { Long, Timestamp } from 'bson';
import { adminCommands } from './admin-commands.js';
import { collectionCommands } from './collection-commands.js';
import {
  documentField,
  refuseUnknownCommandFields,
  refuseUnknownFields,
  type Command,
  type CommandContext,
  type Commands,
  type FailPoint,
  type ServerState,
} from './command.js';
import { deadlineOf, waitFor } from './deadline.js';
import type { Document } from './document.js';
import { badValue, CommandError, notSupported } from './errors.js';
import { JournalFailure } from './journal.js';
import { fieldOf } from './paths.js';
import { readCommands } from './read-commands.js';
import { abortActive, activeTransaction, advance, openSession, sessionIdOf, startTransaction } from './sessions.js';
import { writeCommands } from './write-commands.js';

const COMMANDS: Commands = {
  ...adminCommands,
  ...readCommands,
  ...writeCommands,
  ...collectionCommands,
  // the old spelling, in the first hello of a driver
  ismaster: adminCommands['isMaster']!,
};
const ENDS_TRANSACTION = ['commitTransaction', 'abortTransaction'];
const TRANSIENT_CODES = [112, 251];
/** What a driver takes as «try again»: only fail points produce them here. */
const RETRYABLE_CODES = [6, 7, 89, 91, 189, 262, 9001, 10107, 11600, 11602, 13435, 13436];

/** Carries out one command. Null means: say nothing and close the connection. */
export async function dispatch(server: ServerState, body: Document): Promise<Document | null> {
  const name = Object.keys(body)[0] ?? '';
  const failPoint = triggered(server.failPoint, name);
  try {
    const deadlineAt = deadlineOf(body);
    if (failPoint) await waitFor(delay(failPoint.blockMs), deadlineAt);
    if (failPoint?.closeConnection) return null;
    if (failPoint?.error) throw failPoint.error;
    const reply = { ...(await carryOut(server, name, body, deadlineAt)), ok: 1, operationTime: operationTime() };
    return failPoint ? { ...reply, ...failPoint.replyFields } : reply;
  } catch (error) {
    return error instanceof JournalFailure ? null : errorReply(error, name, body);
  }
}

/** Counts the fail point down if it is meant for this command. */
function triggered(failPoint: FailPoint | null, command: string): FailPoint | null {
  if (!failPoint || failPoint.remaining <= 0 || !failPoint.commands.includes(command)) return null;
  failPoint.remaining--;
  return failPoint;
}

async function carryOut(server: ServerState, name: string, body: Document, deadlineAt: number): Promise<Document> {
  const command = fieldOf(COMMANDS, name);
  if (!command) throw new CommandError('CommandNotFound', `no such command: '${name}'`);
  refuseUnknownCommandFields(name, body, command.fields);
  checkConcerns(body);
  const context = contextOf(server, body, deadlineAt);
  if (body['autocommit'] === false && !ENDS_TRANSACTION.includes(name)) return inTransaction(context, name, command);
  if (body['startTransaction'] !== undefined) throw badValue("'startTransaction' needs autocommit: false");
  if (body['txnNumber'] !== undefined && body['autocommit'] === undefined) return oncePerNumber(context, command);
  return whenDurable(context, command);
}

/** One node that syncs before it answers fulfils w: 1, majority and j alike, and any read preference that reaches it. */
function checkConcerns(body: Document): void {
  const { w, ...writeOptions } = documentField(body, 'writeConcern');
  refuseUnknownFields('writeConcern', writeOptions, ['j', 'wtimeout']);
  if (w !== undefined && w !== 'majority' && w !== 0 && w !== 1) {
    throw new CommandError('UnsatisfiableWriteConcern', `There are not enough nodes for w: ${JSON.stringify(w)}`);
  }
  const { level, ...readOptions } = documentField(body, 'readConcern');
  refuseUnknownFields('readConcern', readOptions, ['afterClusterTime']);
  const isSnapshotRead = level === 'snapshot' && body['autocommit'] === false;
  if (level === undefined || level === 'local' || level === 'majority' || isSnapshotRead) return;
  throw notSupported(`the read concern level ${JSON.stringify(level)}`);
}

function contextOf(server: ServerState, body: Document, deadlineAt: number): CommandContext {
  const { lsid, $db: database, txnNumber } = body;
  if (typeof database !== 'string' || !/^[^/\\. "$*<>:|?\0]+$/.test(database)) {
    throw new CommandError('InvalidNamespace', `Invalid database name: '${String(database)}'`);
  }
  // The driver sends it as int64.
  if (txnNumber instanceof Long) body['txnNumber'] = txnNumber.toNumber();
  const session = lsid === undefined ? null : openSession(server.sessions, sessionIdOf(lsid));
  return { server, database, body, session, transaction: null, deadlineAt };
}

/** Answers when the journal is safe, also after an error: part of a batch may have been written. */
async function whenDurable(context: CommandContext, { run, writes }: Command): Promise<Document> {
  try {
    return await run(context);
  } finally {
    // A majority read promises that what it saw will not be lost.
    const isMajorityRead = documentField(context.body, 'readConcern')['level'] === 'majority';
    if (writes || isMajorityRead) await context.server.storage.journal.durable();
  }
}

/**
 * A retryable write: the same number of the same session gets the same answer, and the write happens once. The answer
 * goes into the journal together with the write, so this holds across a restart. Only if the command had to wait for
 * a transaction in its middle can a crash part the two.
 */
async function oncePerNumber(context: CommandContext, command: Command): Promise<Document> {
  const { session, server, body } = context;
  const txnNumber = body['txnNumber'] as number;
  if (!session || !command.writes) {
    throw new CommandError('IllegalOperation', 'txnNumber is for retryable writes and transactions only');
  }
  advance(server.storage, session, txnNumber);
  if (session.transaction) {
    throw new CommandError('TransactionCommitted', `Transaction number ${txnNumber} was a multi-document transaction`);
  }
  session.reply ??= answerOnce(context, command, txnNumber);
  const reply = await session.reply;
  await server.storage.journal.durable();
  return reply;
}

async function answerOnce(context: CommandContext, command: Command, txnNumber: number): Promise<Document> {
  const session = context.session!;
  const { journal } = context.server.storage;
  const isNewest = () => session.txnNumber === txnNumber;
  try {
    const reply = await command.run(context);
    journal.append({ reply, session: session.id, txnNumber });
    if (isNewest()) session.reply = reply;
    return reply;
  } catch (error) {
    await journal.durable();
    // A command that failed as a whole may be tried again.
    if (isNewest()) session.reply = null;
    throw error;
  }
}

/** Any failure ends the transaction on the server, as in mongod; the client is to start over. */
async function inTransaction(context: CommandContext, name: string, command: Command): Promise<Document> {
  const { session, server, body } = context;
  const { txnNumber, startTransaction: starts } = body;
  if (!session || typeof txnNumber !== 'number') throw badValue('a transaction needs lsid and txnNumber');
  const transaction =
    starts === true ? startTransaction(server.storage, session, txnNumber) : activeTransaction(session, txnNumber);
  try {
    if (!command.inTransaction) {
      const message = `Cannot run '${name}' in a multi-document transaction.`;
      throw new CommandError('OperationNotSupportedInTransaction', message);
    }
    const reply = await command.run({ ...context, transaction });
    if (reply['writeErrors'] !== undefined) abortActive(server.storage, session);
    return reply;
  } catch (error) {
    abortActive(server.storage, session);
    throw error;
  }
}

function errorReply(error: unknown, name: string, body: Document): Document {
  const known =
    error instanceof CommandError ? error : new CommandError('InternalError', `Internal error: ${String(error)}`);
  const { errorLabels = labelsOf(known.code, name, body), ...details } = known.details;
  return {
    ok: 0,
    errmsg: known.message,
    code: known.code,
    codeName: known.codeName,
    ...details,
    errorLabels,
    operationTime: operationTime(),
  };
}

/** How a driver learns that it may try again: the whole transaction, or just this write. */
function labelsOf(code: number, name: string, body: Document): string[] {
  const inTransaction = body['autocommit'] === false;
  if (inTransaction && TRANSIENT_CODES.includes(code)) return ['TransientTransactionError'];
  if (!RETRYABLE_CODES.includes(code)) return [];
  if (inTransaction && !ENDS_TRANSACTION.includes(name)) return ['TransientTransactionError'];
  return body['txnNumber'] === undefined ? [] : ['RetryableWriteError'];
}

/** Clients compare it, nobody here does: everything is on one node. */
function operationTime(): Timestamp {
  return new Timestamp({ t: Math.floor(Date.now() / 1000), i: 1 });
}
