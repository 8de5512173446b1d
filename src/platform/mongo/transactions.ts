import type { ClientSession } from 'mongoose';
import type { Database } from './open-database.js';

declare const transaction: unique symbol;

/** A running transaction. Opaque: only stores look inside (`sessionOf`), everybody else passes it on. */
export interface Tx {
  readonly [transaction]: never;
}

/** The work may run more than once (write conflicts), so it has no effect outside the database. */
export type InTransaction = <T>(work: (tx: Tx) => Promise<T>) => Promise<T>;

export function inTransactionOf(database: Database): InTransaction {
  return (work) =>
    database.connection
      .getClient()
      .withSession((session) => session.withTransaction(() => work(session as unknown as Tx)));
}

export function sessionOf(tx: Tx): { session: ClientSession } {
  return { session: tx as unknown as ClientSession };
}

/** True for E11000, the way a unique index says that somebody else was first. */
export function isDuplicateKey(error: unknown): boolean {
  return error instanceof Error && (error as { code?: unknown }).code === 11000;
}

const connectionErrors =
  /^(MongoServerSelection|MongoNetwork|MongoNetworkTimeout|MongoTopologyClosed|MongoNotConnected|PoolClosedError|MongoPoolCleared|MongoPoolClosed|MongooseServerSelection|WaitQueueTimeout|MongoWaitQueueTimeout|MongoOperationTimeout)/;

/** True when the database could not be reached or did not answer in time, as against an error in what was asked. */
export function isDatabaseUnavailable(error: unknown): boolean {
  for (let current = error; current instanceof Error; current = current.cause) {
    if (connectionErrors.test(current.name) || connectionErrors.test(current.constructor.name)) return true;
  }
  return false;
}
