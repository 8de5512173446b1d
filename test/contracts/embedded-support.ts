import { randomUUID } from 'node:crypto';
import { connect } from 'node:net';
import type { ObjectId } from 'bson';
import mongoose from 'mongoose';
import { openEmbeddedDatabase } from '../../src/platform/mongo/embedded/open-embedded-database.js';
import { createMessageReader, encodeCommand, parseBody } from '../../src/platform/mongo/embedded/wire.js';

export type MongoClient = mongoose.mongo.MongoClient;
export type Db = mongoose.mongo.Db;

export type Row = mongoose.mongo.BSON.Document & { _id: string | number | ObjectId };

/** The suites about behaviour run against a real server, too: MONGODB_URI=mongodb://… npx mocha test/contracts/embedded-*.ts */
export const realServerUri = process.env['MONGODB_URI'];

export interface TestServer {
  readonly client: MongoClient;
  /** A database of its own for each test. */
  freshDb(): Db;
  close(): Promise<void>;
}

export async function openTestServer(): Promise<TestServer> {
  const server = realServerUri === undefined ? await openEmbeddedDatabase({ directory: ':memory:' }) : null;
  const client = await connectTo(server?.uri ?? realServerUri!);
  const names: string[] = [];
  return {
    client,
    freshDb() {
      const name = `test-${randomUUID()}`;
      names.push(name);
      return client.db(name);
    },
    async close() {
      for (const name of names) await client.db(name).dropDatabase();
      await client.close();
      await server?.close();
    },
  };
}

export async function connectTo(uri: string, options: mongoose.mongo.MongoClientOptions = {}): Promise<MongoClient> {
  const client = new mongoose.mongo.MongoClient(uri, { serverSelectionTimeoutMS: 3000, ...options });
  return client.connect();
}

/** The server's refusal as an object, to be compared with what mongod says. */
export async function refusalOf(work: Promise<unknown>): Promise<mongoose.mongo.MongoServerError> {
  try {
    await work;
  } catch (error) {
    if (error instanceof mongoose.mongo.MongoServerError) return error;
    throw error;
  }
  throw new Error('the server did not refuse');
}

export type Reply = Record<string, unknown>;

/** One command on a connection of its own, with the session that it names itself, and the reply as it comes. */
export async function sendRaw(client: MongoClient, command: Record<string, unknown>): Promise<Reply> {
  const { host = '', port = 0 } = client.options.hosts[0]!;
  const socket = connect(port, host);
  const read = createMessageReader();
  socket.write(encodeCommand(command));
  try {
    for await (const chunk of socket as AsyncIterable<Buffer>) {
      for (const message of read(chunk)) return parseBody(message);
    }
    throw new Error('the connection was closed');
  } finally {
    socket.destroy();
  }
}
