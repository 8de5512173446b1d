import type { mongo } from 'mongoose';

/** What a person or a balancer still waits for: the server answers within three seconds whatever the database does. */
export const operationMs = 2000;

export class DatabaseTimeout extends Error {
  override readonly name = 'DatabaseTimeout';
}

/** A broken connection that the driver found while it wrote, which it passes on as the bare error of the socket. */
export class DatabaseUnreachable extends Error {
  override readonly name = 'DatabaseUnreachable';
}

/** Rejects when the work takes longer. It is not stopped by that: whether a late write was made is not known. */
export async function within<T>(milliseconds: number, work: Promise<T>): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(() => reject(new DatabaseTimeout(`no answer within ${milliseconds} ms`)), milliseconds);
  });
  try {
    return await Promise.race([work, late]);
  } catch (error) {
    throw named(error);
  } finally {
    clearTimeout(timer);
  }
}

function named(thrown: unknown): unknown {
  // a bulk write hides what went wrong, and with it whether another attempt may help
  const { errorResponse } = thrown as { errorResponse?: unknown };
  const error = errorResponse instanceof Error ? errorResponse : thrown;
  const isBare = error instanceof Error && 'syscall' in error;
  return isBare ? new DatabaseUnreachable('the connection broke', { cause: error }) : error;
}

/** `insertMany` is made of `bulkWrite`, and making indexes takes the time it takes. */
const operations = [
  ...['findOne', 'insertOne', 'bulkWrite', 'updateOne', 'updateMany', 'replaceOne', 'deleteOne', 'deleteMany'],
  ...['findOneAndUpdate', 'findOneAndReplace', 'findOneAndDelete', 'countDocuments', 'distinct'],
];

/**
 * Gives every operation on the collections of this database one deadline over all its parts. The driver has none (its
 * `timeoutMS` has no effect in 7.8): it limits choosing a server, waiting for a connection and waiting for bytes each
 * by itself, and then tries once more.
 */
export function setDeadlines(database: mongo.Db, milliseconds: number): void {
  const soon = (answer: unknown): unknown => within(milliseconds, answer as Promise<unknown>);
  const readSoon = (cursor: unknown): unknown => {
    change(cursor, 'toArray', soon);
    return cursor;
  };
  change(database, 'collection', (collection) => {
    for (const name of operations) change(collection, name, soon);
    for (const name of ['find', 'aggregate']) change(collection, name, readSoon);
    return collection;
  });
}

type Method = (...args: unknown[]) => unknown;

/** Gives this one object a method that does something more to what it answers. */
function change(owner: unknown, name: string, more: (answer: unknown) => unknown): void {
  const methods = owner as Record<string, Method>;
  const method = methods[name]!.bind(owner);
  methods[name] = (...args) => more(method(...args));
}
