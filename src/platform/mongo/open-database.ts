import mongoose, { type mongo } from 'mongoose';

export interface Database {
  connection: mongoose.Connection;
  /** The driver's collection, for hot paths that want no documents and no schema. */
  collection<T extends mongo.Document = mongo.Document>(name: string): mongo.Collection<T>;
  /** Rejects when the primary does not answer. */
  ping(): Promise<void>;
  close(): Promise<void>;
}

const defaultName = 'gatehouse';

/** Connects to a MongoDB replica set, or to the embedded server that behaves like one. */
export async function openDatabase(uri: string): Promise<Database> {
  const connection = mongoose.createConnection(uri, {
    ...(databaseNameOf(uri) ? {} : { dbName: defaultName }),
    // indexes are made explicitly at start, before the first request
    autoIndex: false,
    autoCreate: false,
    maxPoolSize: 50,
    serverSelectionTimeoutMS: 2000,
    socketTimeoutMS: 5000,
    retryWrites: true,
    writeConcern: { w: 'majority' },
    readConcern: { level: 'majority' },
  });
  await connection.asPromise();
  return {
    connection,
    collection: (name) => connection.getClient().db(connection.name).collection(name) as never,
    ping: async () => void (await connection.getClient().db(connection.name).command({ ping: 1 }, { timeoutMS: 1500 })),
    close: () => connection.close(),
  };
}

function databaseNameOf(uri: string): string {
  return /^mongodb(?:\+srv)?:\/\/[^/]+\/([^?]+)/.exec(uri)?.[1] ?? '';
}
