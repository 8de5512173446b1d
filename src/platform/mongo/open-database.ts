import mongoose, { type mongo } from 'mongoose';
import { operationDeadline, setDeadlines, within, type WithDeadline } from './deadlines.js';

export interface Database {
  connection: mongoose.Connection;
  /** The driver's collection, for hot paths that want no documents and no schema. */
  collection<T extends mongo.Document = mongo.Document>(name: string): mongo.Collection<T>;
  /** For what is asked of the driver past the collections. */
  withDeadline: WithDeadline;
  /** Rejects when the primary does not answer. */
  ping(): Promise<unknown>;
  close(): Promise<void>;
}

const defaultName = 'gatehouse';
const pingTimeoutMs = 1500;
/** Of a start: the database may be starting, too, or the machine be busy. */
const connectAttempts = 3;

/** Connects to a MongoDB replica set, or to the embedded server that behaves like one. */
export async function openDatabase(uri: string): Promise<Database> {
  const connection = await connect(uri);
  const db = connection.db!; // there once it is connected; mongoose takes its collections from it, too
  const withDeadline = operationDeadline();
  setDeadlines(db, withDeadline);
  return {
    connection,
    withDeadline,
    collection: (name) => db.collection(name) as never,
    ping: () => within(pingTimeoutMs, db.command({ ping: 1 })),
    close: () => connection.close(),
  };
}

async function connect(uri: string, attempt = 1): Promise<mongoose.Connection> {
  const connection = mongoose.createConnection(uri, {
    ...(databaseNameOf(uri) ? {} : { dbName: defaultName }),
    // indexes are made explicitly at start, before the first request
    autoIndex: false,
    autoCreate: false,
    // without a connection an operation fails, instead of waiting in a queue of mongoose's
    bufferCommands: false,
    maxPoolSize: 50,
    serverSelectionTimeoutMS: 2000,
    connectTimeoutMS: 2000,
    socketTimeoutMS: 5000,
    waitQueueTimeoutMS: 2000,
    // a connection that has died silently is found out by the monitor, which then drops all of its age
    heartbeatFrequencyMS: 2000,
    retryWrites: true,
    writeConcern: { w: 'majority' },
    readConcern: { level: 'majority' },
  });
  try {
    return await connection.asPromise();
  } catch (error) {
    await connection.destroy();
    if (attempt === connectAttempts) throw error;
    return connect(uri, attempt + 1);
  }
}

function databaseNameOf(uri: string): string {
  return /^mongodb(?:\+srv)?:\/\/[^/]+\/([^?]+)/.exec(uri)?.[1] ?? '';
}
