import { ObjectId } from 'bson';
import {
  countField,
  documentField,
  flagField,
  refuseUnknownFields,
  type CommandContext,
  type Commands,
  type FailPoint,
  type ServerState,
} from './command.js';
import { MAX_DOCUMENT_BYTES, type Document } from './document.js';
import { badValue, CommandError, notSupported } from './errors.js';
import { abortActive, activeTransaction, commitSession, endSession, SESSION_MINUTES, sessionIdOf } from './sessions.js';
import { MAX_MESSAGE_BYTES } from './wire.js';

const ELECTION_ID = new ObjectId('7fffffff0000000000000001');
const FAIL_POINT_FIELDS = [
  ...['failCommands', 'errorCode', 'errorLabels', 'closeConnection'],
  ...['blockConnection', 'blockTimeMS', 'writeConcernError'],
];

export const adminCommands: Commands = {
  // Its fields are offers (compression, credentials, …): those that are not taken up are left unanswered.
  hello: { fields: 'any', run: ({ server }) => hello(server) },
  isMaster: { fields: 'any', run: ({ server }) => ({ ismaster: true, ...hello(server) }) },
  ping: { fields: [], run: () => ({}) },
  buildInfo: { fields: [], run: () => ({ version: '7.0.0', versionArray: [7, 0, 0, 0], modules: ['embedded'] }) },
  endSessions: { fields: [], run: endSessions },
  commitTransaction: { fields: ['recoveryToken'], writes: true, run: commit },
  abortTransaction: { fields: ['recoveryToken'], run: abort },
  setParameter: { fields: ['transactionLifetimeLimitSeconds'], run: setParameter },
  configureFailPoint: { fields: ['mode', 'data'], run: configureFailPoint },
};

/**
 * A replica set of one: sessions, transactions and retryable writes need it. `hosts` must be reachable, since the
 * driver connects to the names in it. There is no topologyVersion, which would ask for a streaming hello.
 */
function hello({ address }: ServerState): Document {
  return {
    isWritablePrimary: true,
    helloOk: true,
    setName: 'embedded',
    setVersion: 1,
    electionId: ELECTION_ID,
    hosts: [address],
    me: address,
    maxBsonObjectSize: MAX_DOCUMENT_BYTES,
    maxMessageSizeBytes: MAX_MESSAGE_BYTES,
    maxWriteBatchSize: 100_000,
    logicalSessionTimeoutMinutes: SESSION_MINUTES,
    minWireVersion: 0,
    // The lowest production has (7.0): claiming a version is a promise to have its commands.
    maxWireVersion: 21,
  };
}

function endSessions({ server, body }: CommandContext): Document {
  for (const lsid of body['endSessions'] as unknown[]) endSession(server.storage, server.sessions, sessionIdOf(lsid));
  return {};
}

function commit({ server, session, body }: CommandContext): Document {
  if (!session) throw badValue('a transaction needs an lsid');
  commitSession(server.storage, session, body['txnNumber'] as number);
  return {};
}

function abort({ server, session, body }: CommandContext): Document {
  if (!session) throw badValue('a transaction needs an lsid');
  activeTransaction(session, body['txnNumber'] as number);
  abortActive(server.storage, session);
  return {};
}

function setParameter({ server, body }: CommandContext): Document {
  const was = server.transactionSeconds;
  server.transactionSeconds = countField(body, 'transactionLifetimeLimitSeconds') || was;
  return { was };
}

function configureFailPoint({ server, database, body }: CommandContext): Document {
  if (database !== 'admin') throw badValue('this command may only be run against the admin database');
  server.failPoint = parseFailPoint(body);
  return {};
}

function parseFailPoint(body: Document): FailPoint | null {
  const { configureFailPoint: name, mode } = body;
  if (name !== 'failCommand') throw notSupported(`the fail point '${String(name)}'`);
  if (mode === 'off') return null;
  const remaining = mode === 'alwaysOn' ? Infinity : countField(documentField(body, 'mode'), 'times');
  if (remaining === undefined) throw badValue("the mode of a fail point must be 'alwaysOn', 'off' or {times: n}");
  const data = documentField(body, 'data');
  refuseUnknownFields('failCommand', data, FAIL_POINT_FIELDS);
  const errorCode = countField(data, 'errorCode');
  const { errorLabels: labels, ...writeConcernError } = documentField(data, 'writeConcernError');
  return {
    remaining,
    commands: data['failCommands'] as unknown[],
    error: errorCode === undefined ? null : failure(errorCode, data['errorLabels']),
    closeConnection: flagField(data, 'closeConnection'),
    blockMs: flagField(data, 'blockConnection') ? (countField(data, 'blockTimeMS') ?? 0) : 0,
    replyFields: {
      ...('writeConcernError' in data ? { writeConcernError } : {}),
      ...(labels ? { errorLabels: labels } : {}),
    },
  };
}

function failure(code: number, labels: unknown): CommandError {
  return new CommandError(code, "Failing command via 'failCommand' failpoint", labels ? { errorLabels: labels } : {});
}
