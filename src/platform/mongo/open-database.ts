import mongoose, { type mongo } from 'mongoose';

export interface Database {
  connection: mongoose.Connection;
  /** The driver's collection, for hot paths that want no documents and no schema. */
  collection<T extends mongo.Document = mongo.Document>(name: string): mongo.Collection<T>;
  /** Rejects when the primary does not answer. */
  ping(): Promise<unknown>;
  close(): Promise<void>;
}

const defaultName = 'gatehouse';
const pingTimeoutMs = 1500;

/** Connects to a MongoDB replica set, or to the embedded server that behaves like one. */
export async function openDatabase(uri: string): Promise<Database> {
  const connection = mongoose.createConnection(uri, {
    ...(databaseNameOf(uri) ? {} : { dbName: defaultName }),
    // indexes are made explicitly at start, before the first request
    autoIndex: false,
    autoCreate: false,
    maxPoolSize: 50,
    serverSelectionTimeoutMS: 2000,
    connectTimeoutMS: 2000,
    socketTimeoutMS: 5000,
    waitQueueTimeoutMS: 2000,
    retryWrites: true,
    writeConcern: { w: 'majority' },
    readConcern: { level: 'majority' },
  });
  await connection.asPromise();
  return {
    connection,
    collection: (name) => connection.getClient().db(connection.name).collection(name) as never,
    ping: () => within(pingTimeoutMs, connection.getClient().db(connection.name).command({ ping: 1 })),
    close: () => connection.close(),
  };
}

/** Rejects when the work takes longer; the driver has no time limit that covers waiting, sending and answering. */
export async function within<T>(milliseconds: number, work: Promise<T>): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(() => reject(new DatabaseTimeout(`no answer within ${milliseconds} ms`)), milliseconds);
  });
  try {
    return await Promise.race([work, late]);
  } finally {
    clearTimeout(timer);
  }
}

export class DatabaseTimeout extends Error {
  override readonly name = 'DatabaseTimeout';
}

function databaseNameOf(uri: string): string {
  return /^mongodb(?:\+srv)?:\/\/[^/]+\/([^?]+)/.exec(uri)?.[1] ?? '';
}
