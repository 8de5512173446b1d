/** `npm run seed -- FILE`: brings the configured database to what the file describes, whole or not at all. */
import { readFile } from 'node:fs/promises';
import { ConfigError, loadConfig, loadEnvironmentFile } from '../config/index.js';
import { createConfiguredApp } from '../src/configured-app.js';
import { createLogger } from '../src/platform/log/logger.js';
import { openStorage } from '../src/platform/mongo/storage.js';
import { SeedError } from '../src/seeding/index.js';

const [file] = process.argv.slice(2);

try {
  if (file === undefined) throw new SeedError(['name the file: npm run seed -- FILE']);
  const source = await readFile(file, 'utf8').catch((error: NodeJS.ErrnoException) => {
    throw new SeedError([`${file} cannot be read (${error.code})`]);
  });
  loadEnvironmentFile();
  const config = loadConfig();
  if (config.storage.mongodbUri === undefined && config.storage.dataDirectory === ':memory:') {
    throw new SeedError(['DATA_DIR=:memory: keeps nothing, so there is nothing to seed']);
  }
  const log = createLogger('warn');
  const storage = await openStorage({ ...config.storage, onLost: (reason) => log.fatal({ reason }) }, log);
  try {
    const app = await createConfiguredApp(config, { database: storage.database, log });
    const { created, updated, unchanged } = await app.seeding.applySeedFile(source, file);
    console.log(`${file}: ${created} created, ${updated} updated, ${unchanged} unchanged`);
  } finally {
    await storage.close();
  }
} catch (error) {
  if (!(error instanceof SeedError || error instanceof ConfigError)) throw error;
  console.error(error.message);
  process.exitCode = 1;
}
