import { randomBytes } from 'node:crypto';
import {
  openEmbeddedDatabase,
  type EmbeddedDatabase,
} from '../../src/platform/mongo/embedded/open-embedded-database.js';

let shared: Promise<EmbeddedDatabase> | undefined;

/** Address of a fresh, empty database: on MONGODB_URI when that is set, else on one embedded server for the whole file of tests. */
export async function freshDatabaseUri(): Promise<string> {
  const name = `test_${randomBytes(8).toString('hex')}`;
  const configured = process.env['MONGODB_URI'];
  if (configured !== undefined) return withName(configured, name);
  shared ??= openEmbeddedDatabase({ directory: ':memory:' });
  return withName((await shared).uri, name);
}

function withName(uri: string, name: string): string {
  const url = new URL(uri);
  url.pathname = `/${name}`;
  return url.href;
}

/** Ends the embedded server; the next fresh database is on another one. */
export async function closeDatabases(): Promise<void> {
  const open = shared;
  shared = undefined;
  await (await open)?.close();
}
