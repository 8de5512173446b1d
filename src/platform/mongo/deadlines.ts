import { mongo } from 'mongoose';

/** A request that meets a silent database asks it once or twice, and is answered within three seconds. */
const operationMs = 1800;
/** While the last answer was none: whoever asks now need not wait as long to learn the same. */
const operationMsInSilence = 700;

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

/** Nobody answered within the time that there was. */
export function isSilence(error: unknown): error is Error {
  return error instanceof Error && /^(DatabaseTimeout|DatabaseUnreachable|MongoServerSelection)/.test(error.name);
}

/** Rejects as the work does, or when it takes longer than an operation may. */
export type WithDeadline = <T>(work: Promise<T>) => Promise<T>;

/** One for a database, since it remembers whether that answers. */
export function operationDeadline(): WithDeadline {
  let isSilent = false;
  return async (work) => {
    try {
      const answer = await within(isSilent ? operationMsInSilence : operationMs, work);
      isSilent = false;
      return answer;
    } catch (error) {
      isSilent = !(error instanceof mongo.MongoServerError); // that one is an answer
      throw error;
    }
  };
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
export function setDeadlines(database: mongo.Db, withDeadline: WithDeadline): void {
  const soon = (answer: unknown): unknown => withDeadline(answer as Promise<unknown>);
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
