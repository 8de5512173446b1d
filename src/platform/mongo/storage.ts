import { join } from 'node:path';
import type { Logger } from '../log/logger.js';
import { openDatabase, type Database } from './open-database.js';
import { openEmbeddedDatabase } from './embedded/open-embedded-database.js';

export interface Storage {
  database: Database;
  /** Where others find the same one. */
  uri: string;
  embedded: boolean;
  close(): Promise<void>;
}

/** The configured MongoDB, or without one the embedded database under the data folder. */
export async function openStorage(
  options: { mongodbUri: string | undefined; dataDirectory: string; onLost: (reason: string) => void },
  log: Logger,
): Promise<Storage> {
  if (options.mongodbUri !== undefined) {
    const uri = options.mongodbUri;
    const database = await openDatabase(uri);
    return { database, uri, embedded: false, close: () => database.close() };
  }
  const directory = options.dataDirectory === ':memory:' ? ':memory:' : join(options.dataDirectory, 'database');
  const server = await openEmbeddedDatabase({ directory, onExit: options.onLost });
  log.warn('using the embedded database: for development, tests and first tries; production is a MongoDB replica set');
  try {
    const database = await openDatabase(server.uri);
    return {
      database,
      uri: server.uri,
      embedded: true,
      close: async () => {
        await database.close();
        await server.close();
      },
    };
  } catch (error) {
    await server.close();
    throw error;
  }
}
