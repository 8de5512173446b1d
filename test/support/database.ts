import { randomBytes } from 'node:crypto';
import {
  openEmbeddedDatabase,
  type EmbeddedDatabase,
} from '../../src/platform/mongo/embedded/open-embedded-database.js';

let shared: Promise<EmbeddedDatabase> | undefined;

/** Address of a fresh, empty database: on MONGODB_URI when that is set, else on one embedded server for the whole run. */
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

/** Ends the embedded server; mocha does it after all tests. */
export async function closeDatabases(): Promise<void> {
  await (await shared)?.close();
}

// there is no mocha around a command that starts the app as the tests do
if ('after' in globalThis) after('the embedded server of the run', closeDatabases);
