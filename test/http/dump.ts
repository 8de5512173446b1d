import type { mongo } from 'mongoose';
import type { Database } from '../../src/platform/mongo/open-database.js';

export type Dump = Record<string, unknown[]>;

/** Every document of every collection, whole unless a projection is given. */
export async function dump({ connection, collection }: Database, projection: mongo.Document = {}): Promise<Dump> {
  const listed = await connection.getClient().db(connection.name).listCollections().toArray();
  const names = listed.map(({ name }) => name).sort();
  const contents = await Promise.all(names.map((name) => collection(name).find({}, { projection }).toArray()));
  return Object.fromEntries(names.map((name, index) => [name, contents[index] ?? []]));
}
