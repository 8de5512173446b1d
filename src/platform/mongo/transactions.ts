import type { ClientSession } from 'mongoose';
import { within, type Database } from './open-database.js';

const transactionTimeoutMs = 10_000;

declare const transaction: unique symbol;

/** A running transaction. Opaque: only stores look inside (`sessionOf`), everybody else passes it on. */
export interface Tx {
  readonly [transaction]: never;
}

/** The work may run more than once (write conflicts), so it has no effect outside the database. */
export type InTransaction = <T>(work: (tx: Tx) => Promise<T>) => Promise<T>;

export function inTransactionOf(database: Database): InTransaction {
  return (work) => {
    const client = database.connection.getClient();
    // the driver would try again for two minutes; whether a late one was committed is then unknown, which is no success
    return within(
      transactionTimeoutMs,
      client.withSession((session) => session.withTransaction(() => work(session as unknown as Tx))),
    );
  };
}

export function sessionOf(tx: Tx): { session: ClientSession } {
  return { session: tx as unknown as ClientSession };
}

/** True for E11000, the way a unique index says that somebody else was first. */
export function isDuplicateKey(error: unknown): boolean {
  return error instanceof Error && (error as { code?: unknown }).code === 11000;
}

const connectionErrors =
  /^(DatabaseTimeout|MongoServerSelection|MongoNetwork|MongoTopologyClosed|MongoNotConnected|PoolClosed|MongoPoolCleared|MongoPoolClosed|MongooseServerSelection|WaitQueueTimeout|MongoWaitQueueTimeout|MongoOperationTimeout|MongoClientClosed)/;

/** Changes of the primary, shutdown, exceeded time and write concern: another try may succeed. */
const passingCodes = new Set([6, 7, 24, 50, 64, 89, 91, 112, 189, 262, 9001, 10107, 11600, 11602, 13435, 13436]);

/** True when the database could not be reached or could not serve just now, as against an error in what was asked. */
export function isDatabaseUnavailable(error: unknown): boolean {
  for (let current = error; current instanceof Error; current = current.cause) {
    if (connectionErrors.test(current.name) || connectionErrors.test(current.constructor.name)) return true;
    const { code, errorLabels } = current as { code?: unknown; errorLabels?: readonly string[] };
    if (typeof code === 'number' && passingCodes.has(code)) return true;
    if (errorLabels?.some((label) => label === 'RetryableWriteError' || label === 'TransientTransactionError'))
      return true;
  }
  return false;
}
