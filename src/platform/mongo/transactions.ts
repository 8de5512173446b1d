import type { ClientSession } from 'mongoose';
import { isSilence, within } from './deadlines.js';
import type { Database } from './open-database.js';

/** Over all attempts, when others change the same records. */
const transactionMs = 10_000;

declare const transaction: unique symbol;

/** A running transaction. Opaque: only stores look inside (`sessionOf`), everybody else passes it on. */
export interface Tx {
  readonly [transaction]: never;
}

/** The work may run more than once (write conflicts), so it has no effect outside the database. */
export type InTransaction = <T>(work: (tx: Tx) => Promise<T>) => Promise<T>;

/** What an attempt at a transaction does at its end; another attempt begins with none. */
interface AtEnd {
  before: Map<string, (tx: Tx) => Promise<void>>;
  after: Map<string, () => void>;
}

const atEnd = Symbol('at the end of this attempt');
type EndingSession = ClientSession & { [atEnd]?: AtEnd };

function endOf(tx: Tx): AtEnd {
  const end = (tx as unknown as EndingSession)[atEnd];
  if (!end) throw new Error('not in a transaction');
  return end;
}

/** Last write of a transaction, once for each key: what others write, too, is held for as short as can be. */
export function beforeCommit(tx: Tx, key: string, write: (tx: Tx) => Promise<void>): void {
  endOf(tx).before.set(key, write);
}

/** Once the transaction has gone through, once for each key, in this process. */
export function afterCommit(tx: Tx, key: string, react: () => void): void {
  endOf(tx).after.set(key, react);
}

/**
 * By itself the driver tries for two minutes. Here a transaction ends when one operation or the commit finds nobody who
 * answers, without waiting for its rollback, which would wait for the same. Whether a late commit went through is then
 * unknown, which is no success.
 */
export function inTransactionOf(database: Database): InTransaction {
  return (work) =>
    new Promise((resolve, reject) => {
      const attempt = async (session: ClientSession): Promise<Awaited<ReturnType<typeof work>>> => {
        const tx = session as unknown as Tx;
        const end: AtEnd = { before: new Map(), after: new Map() };
        (session as EndingSession)[atEnd] = end;
        try {
          const result = await work(tx);
          for (const write of end.before.values()) await write(tx);
          await database.withDeadline(session.commitTransaction()).catch(throwUncertain);
          for (const react of end.after.values()) react();
          return result;
        } catch (error) {
          if (isSilence(error)) reject(error); // another attempt would only make the caller wait longer
          throw error;
        }
      };
      const client = database.connection.getClient();
      const whole = client.withSession((session) => session.withTransaction(() => attempt(session)));
      within(transactionMs, whole).then(resolve, (error: Error) => {
        reject(isSilence(error) ? asUncertain(error) : error);
      });
    });
}

const uncertain = Symbol('may have gone through');

/** Marks it: nobody knows whether the transaction went through. */
function asUncertain(error: Error): Error {
  return Object.assign(error, { [uncertain]: true });
}

function throwUncertain(error: Error): never {
  throw asUncertain(error);
}

/** Whether what failed with this error may have been stored all the same. */
export function mayHaveGoneThrough(error: unknown): boolean {
  for (let current = error; current instanceof Error; current = current.cause) if (uncertain in current) return true;
  return false;
}

export function sessionOf(tx: Tx): { session: ClientSession } {
  return { session: tx as unknown as ClientSession };
}

/** True for E11000, the way a unique index says that somebody else was first. */
export function isDuplicateKey(error: unknown): boolean {
  return error instanceof Error && (error as { code?: unknown }).code === 11000;
}

const connectionErrors =
  /^(DatabaseTimeout|DatabaseUnreachable|MongoServerSelection|MongoNetwork|MongoTopologyClosed|MongoNotConnected|PoolClosed|MongoPoolCleared|MongoPoolClosed|MongooseServerSelection|WaitQueueTimeout|MongoWaitQueueTimeout|MongoOperationTimeout|MongoClientClosed)/;

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
