import { ObjectId } from 'bson';
import { type Document, MAX_DOCUMENT_BYTES } from '../document.js';
import { badValue, CommandError, noSuchTransaction } from '../errors.js';
import { parseFailPoint } from '../fail-points.js';
import type { CommandContext, Commands, ServerState } from '../server-state.js';
import { abortActive, endSession, SESSION_MINUTES, sessionIdOf } from '../sessions.js';
import { commitTransaction } from '../storage.js';
import { MAX_MESSAGE_BYTES } from '../wire.js';

const ELECTION_ID = new ObjectId('7fffffff0000000000000001');

export const serverCommands: Commands = {
  /** Its fields are offers (compression, credentials, …): those that are not taken up are left unanswered. */
  hello: { fields: 'any', run: ({ server }) => ({ isWritablePrimary: true, ...hello(server) }) },
  isMaster: {
    fields: 'any',
    run: ({ server }) => ({ ismaster: true, isWritablePrimary: true, ...hello(server) }),
  },
  ping: { fields: [], run: () => ({}) },
  buildInfo: {
    fields: [],
    run: () => ({ version: '7.0.0', versionArray: [7, 0, 0, 0], modules: ['embedded'], gitVersion: '' }),
  },
  endSessions: { fields: [], run: endSessions },
  commitTransaction: { fields: ['recoveryToken'], inTransaction: true, writes: true, run: commit },
  abortTransaction: { fields: ['recoveryToken'], inTransaction: true, run: abort },
  configureFailPoint: { fields: ['mode', 'data'], run: configureFailPoint },
  getParameter: { fields: ['ttlMonitorSleepSecs', 'transactionLifetimeLimitSeconds'], run: getParameter },
  setParameter: { fields: ['ttlMonitorSleepSecs', 'transactionLifetimeLimitSeconds'], run: setParameter },
};

/**
 * A replica set of one: sessions, transactions and retryable writes need it. `hosts` must be reachable, since the
 * driver connects to the names in it. There is no topologyVersion, which would ask for a streaming hello.
 */
function hello({ address }: ServerState): Document {
  return {
    helloOk: true,
    setName: 'embedded',
    setVersion: 1,
    electionId: ELECTION_ID,
    secondary: false,
    hosts: [address],
    primary: address,
    me: address,
    maxBsonObjectSize: MAX_DOCUMENT_BYTES,
    maxMessageSizeBytes: MAX_MESSAGE_BYTES,
    maxWriteBatchSize: 100_000,
    localTime: new Date(),
    logicalSessionTimeoutMinutes: SESSION_MINUTES,
    minWireVersion: 0,
    // The lowest production has (7.0): claiming a version is a promise to have its commands.
    maxWireVersion: 21,
    readOnly: false,
  };
}

function endSessions({ server, body }: CommandContext): Document {
  for (const lsid of body['endSessions'] as unknown[]) endSession(server.storage, server.sessions, sessionIdOf(lsid));
  return {};
}

/** The dispatcher has found the session and its number; a commit that is asked for twice succeeds twice. */
function commit({ server, session, body }: CommandContext): Document {
  const active = session?.transaction;
  const number = body['txnNumber'] as number;
  if (!session || !active || session.txnNumber !== number || active.state === 'aborted')
    throw noSuchTransaction(number);
  if (active.state === 'active') {
    active.state = 'committed';
    commitTransaction(server.storage, active.handle);
  }
  return {};
}

function abort({ server, session, body }: CommandContext): Document {
  const active = session?.transaction;
  const number = body['txnNumber'] as number;
  if (!session || !active || session.txnNumber !== number || active.state === 'aborted')
    throw noSuchTransaction(number);
  if (active.state === 'committed') throw new CommandError(256, `Transaction ${number} has been committed.`);
  abortActive(server.storage, session);
  return {};
}

function configureFailPoint({ server, database, body }: CommandContext): Document {
  assertAdmin(database, 'configureFailPoint');
  server.failPoint = parseFailPoint(body['configureFailPoint'], body['mode'], body['data']);
  return {};
}

function getParameter({ server, body }: CommandContext): Document {
  return Object.fromEntries(Object.entries(server.parameters).filter(([name]) => name in body));
}

function setParameter({ server, database, body }: CommandContext): Document {
  assertAdmin(database, 'setParameter');
  for (const name of Object.keys(server.parameters) as (keyof ServerState['parameters'])[]) {
    const value = body[name];
    if (value === undefined) continue;
    if (!Number.isInteger(value) || (value as number) < 1)
      throw badValue(`${name} has to be a whole number of seconds, at least 1`);
    server.parameters[name] = value as number;
  }
  server.rescheduleExpiry();
  return {};
}

function assertAdmin(database: string, command: string): void {
  if (database !== 'admin') throw new CommandError(13, `${command} may only be run against the admin database.`);
}
