import { Long, Timestamp } from 'bson';
import { catalogCommands } from './commands/catalog-commands.js';
import { explain } from './commands/explain.js';
import { readCommands } from './commands/read-commands.js';
import { serverCommands } from './commands/server-commands.js';
import { writeCommands } from './commands/write-commands.js';
import type { Document } from './document.js';
import { badValue, codeNameOf, CommandError } from './errors.js';
import { errorOf, triggered, type FailPoint } from './fail-points.js';
import {
  checkReadConcern,
  checkReadPreference,
  checkWriteConcern,
  countField,
  documentField,
  refuseUnknownCommandFields,
} from './fields.js';
import type { Command, CommandContext, Commands, ServerState } from './server-state.js';
import { abortActive, advance, continueTransaction, openSession, sessionIdOf, startTransaction } from './sessions.js';

const COMMANDS: Commands = { ...serverCommands, ...readCommands, ...writeCommands, ...catalogCommands, explain };
/** Old spellings that drivers still use. */
const ALIASES: Readonly<Record<string, string>> = {
  ismaster: 'isMaster',
  buildinfo: 'buildInfo',
  findandmodify: 'findAndModify',
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
    if (failPoint && failPoint.blockMs > 0) await new Promise((resolve) => setTimeout(resolve, failPoint.blockMs));
    if (failPoint?.closeConnection) return null;
    const reply = await carryOut(server, name, body, failPoint);
    return { ...reply, ok: 1, operationTime: operationTime(), ...extraOf(failPoint) };
  } catch (error) {
    return errorReply(error, name, body);
  }
}

function extraOf(failPoint: FailPoint | null): Document {
  if (!failPoint?.writeConcernError) return {};
  const { errorLabels, ...writeConcernError } = failPoint.writeConcernError;
  return { writeConcernError, ...(errorLabels ? { errorLabels } : {}) };
}

async function carryOut(
  server: ServerState,
  name: string,
  body: Document,
  failPoint: FailPoint | null,
): Promise<Document> {
  const spelling = ALIASES[name] ?? name;
  const command = Object.hasOwn(COMMANDS, spelling) ? COMMANDS[spelling] : undefined;
  if (!command) throw new CommandError(59, `no such command: '${name}'`);
  refuseUnknownCommandFields(name, body, command.fields);
  const inTransaction = body['autocommit'] === false;
  checkWriteConcern(body['writeConcern']);
  checkReadConcern(body['readConcern'], inTransaction);
  checkReadPreference(body['$readPreference']);
  normaliseNumber(body);

  const context = contextOf(server, body);
  if (inTransaction && !ENDS_TRANSACTION.includes(name)) return inItsTransaction(context, name, command, failPoint);
  const failure = failPoint && errorOf(failPoint);
  if (failure) throw failure;
  if (body['txnNumber'] !== undefined && !inTransaction) return oncePerNumber(context, command);
  if (body['startTransaction'] !== undefined) throw badValue("'startTransaction' needs autocommit: false");
  return safely(context, command);
}

function contextOf(server: ServerState, body: Document): CommandContext {
  const { lsid } = body;
  const database = body['$db'];
  if (typeof database !== 'string' || !/^[^/\\. "$*<>:|?\0]+$/.test(database)) {
    throw new CommandError(73, `Invalid database name: '${String(database)}'`);
  }
  const session = lsid === undefined ? null : openSession(server.sessions, sessionIdOf(lsid));
  const maxTimeMs = countField(body, 'maxTimeMS');
  return {
    server,
    database,
    body,
    session,
    transaction: null,
    deadlineAt: maxTimeMs ? Date.now() + maxTimeMs : Infinity,
  };
}

/** The driver sends txnNumber as int64. */
function normaliseNumber(body: Document): void {
  const number = body['txnNumber'];
  if (number instanceof Long) body['txnNumber'] = number.toNumber();
}

/** Answers when the journal is safe, also after an error: part of a batch may have been written. */
async function safely(context: CommandContext, command: Command): Promise<Document> {
  const level = documentField(context.body, 'readConcern')['level'];
  const { journal } = context.server.storage;
  try {
    return await command.run(context);
  } finally {
    // A majority read promises that what it saw will not be lost.
    if (command.writes || level === 'majority') await journal.durable();
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
  if (!session || !command.writes)
    throw new CommandError(20, 'txnNumber is for retryable writes and transactions only');
  advance(server.storage, session, txnNumber);
  if (session.transaction)
    throw new CommandError(256, `Transaction number ${txnNumber} was a multi-document transaction`);
  if (session.reply) {
    const reply = await session.reply;
    await server.storage.journal.durable();
    return reply;
  }
  const running = safely(context, {
    ...command,
    run: async () => {
      const reply = await command.run(context);
      server.storage.journal.append({ reply, session: session.id, txnNumber });
      return reply;
    },
  });
  session.reply = running;
  try {
    const reply = await running;
    if (session.reply === running) session.reply = reply;
    return reply;
  } catch (error) {
    // A command that failed as a whole may be tried again.
    if (session.reply === running) session.reply = null;
    throw error;
  }
}

/** Any failure ends the transaction on the server, as in mongod; the client is to start over. */
async function inItsTransaction(
  context: CommandContext,
  name: string,
  command: Command,
  failPoint: FailPoint | null,
): Promise<Document> {
  const { session, server, body } = context;
  const txnNumber = body['txnNumber'];
  if (!session || typeof txnNumber !== 'number') throw badValue('a transaction needs lsid and txnNumber');
  const starts = body['startTransaction'] === true;
  const transaction = starts
    ? startTransaction(server.storage, session, txnNumber)
    : continueTransaction(session, txnNumber);
  try {
    const failure = failPoint && errorOf(failPoint);
    if (failure) throw failure;
    if (!command.inTransaction) throw new CommandError(263, `Cannot run '${name}' in a multi-document transaction.`);
    const reply = await command.run({ ...context, transaction });
    if (reply['writeErrors'] !== undefined) abortActive(server.storage, session);
    return reply;
  } catch (error) {
    abortActive(server.storage, session);
    throw error;
  }
}

function errorReply(error: unknown, name: string, body: Document): Document {
  const known = error instanceof CommandError ? error : new CommandError(1, `Internal error: ${String(error)}`);
  const labels = new Set(known.labels);
  const inTransaction = body['autocommit'] === false;
  const ends = ENDS_TRANSACTION.includes(name);
  if (labels.size === 0) {
    if (inTransaction && TRANSIENT_CODES.includes(known.code)) labels.add('TransientTransactionError');
    if (RETRYABLE_CODES.includes(known.code)) {
      if (inTransaction && !ends) labels.add('TransientTransactionError');
      else if (body['txnNumber'] !== undefined) labels.add('RetryableWriteError');
    }
  }
  return {
    ok: 0,
    errmsg: known.message,
    code: known.code,
    codeName: codeNameOf(known.code),
    ...known.details,
    ...(labels.size > 0 ? { errorLabels: [...labels] } : {}),
    operationTime: operationTime(),
  };
}

/** Clients compare it, nobody here does: everything is on one node. */
function operationTime(): Timestamp {
  return new Timestamp({ t: Math.floor(Date.now() / 1000), i: 1 });
}
