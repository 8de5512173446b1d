import { randomBytes } from 'node:crypto';
import { link, mkdir, readFile, unlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

export interface LocalSecrets {
  masterKeys: Buffer[];
  cookieKeys: string[];
}

/** The configured secrets; whichever is not configured is one of the data folder's own. */
export async function configuredSecrets(
  configured: { masterKeys: Buffer[] | undefined; cookieKeys: string[] | undefined },
  dataDirectory: string,
): Promise<LocalSecrets> {
  const { masterKeys, cookieKeys } = configured;
  if (masterKeys && cookieKeys) return { masterKeys, cookieKeys };
  const local = await localSecrets(dataDirectory);
  return { masterKeys: masterKeys ?? local.masterKeys, cookieKeys: cookieKeys ?? local.cookieKeys };
}

/**
 * Secrets of a first try: generated once and kept in `secrets.json` (owner only) under the data folder.
 * `:memory:` keeps nothing. Configured secrets take their place; an https issuer demands those.
 */
async function localSecrets(dataDirectory: string): Promise<LocalSecrets> {
  if (dataDirectory === ':memory:') return parseSecrets(freshSecrets());
  const path = join(dataDirectory, 'secrets.json');
  const present = await readIfThere(path);
  if (present !== null) return parseSecrets(JSON.parse(present) as StoredSecrets);
  await mkdir(dataDirectory, { recursive: true, mode: 0o700 });
  const draft = `${path}.${randomBytes(8).toString('hex')}`;
  await writeFile(draft, JSON.stringify(freshSecrets()), { mode: 0o600, flag: 'wx' });
  try {
    // a link is whole or not there: of two processes at their first start one makes it, and both read what it made
    await link(draft, path);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
  } finally {
    await unlink(draft);
  }
  return parseSecrets(JSON.parse(await readFile(path, 'utf8')) as StoredSecrets);
}

interface StoredSecrets {
  masterKey: string;
  cookieKey: string;
}

function freshSecrets(): StoredSecrets {
  return { masterKey: randomBytes(32).toString('base64url'), cookieKey: randomBytes(32).toString('base64url') };
}

async function readIfThere(path: string): Promise<string | null> {
  try {
    return await readFile(path, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return null;
    throw error;
  }
}

function parseSecrets(stored: StoredSecrets): LocalSecrets {
  const masterKey = Buffer.from(stored.masterKey, 'base64url');
  if (masterKey.length !== 32 || stored.cookieKey.length < 32) throw new Error('secrets.json is damaged');
  return { masterKeys: [masterKey], cookieKeys: [stored.cookieKey] };
}
