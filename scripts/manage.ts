/**
 * `npm run tenants|users|clients|keys -- COMMAND NAMES… ['{…}'] [--json]`: the common chores from the command line, with
 * all rights, by the same use cases as everybody else.
 */
import { ConfigError, loadConfig, loadEnvironmentFile } from '../config/index.js';
import type { AdministrationModule } from '../src/administration/index.js';
import { createConfiguredApp } from '../src/configured-app.js';
import { AppError } from '../src/kernel/errors.js';
import { createLogger } from '../src/platform/log/logger.js';
import { openStorage } from '../src/platform/mongo/storage.js';
import { clients } from './manage/clients.js';
import type { Commands, Input } from './manage/command.js';
import { keys } from './manage/keys.js';
import { tenants } from './manage/tenants.js';
import { users } from './manage/users.js';

const areas: Readonly<Record<string, Commands>> = { tenants, users, clients, keys };

class UsageError extends Error {}

function usageOf(area: string): string {
  const lines = Object.entries(areas[area] ?? {}).map(([name, { takes }]) => `  ${[name, ...takes].join(' ')}`);
  return `npm run ${area} -- COMMAND ['{…}'] [--json]\n${lines.join('\n')}`;
}

async function run(admin: AdministrationModule, area: string, words: readonly string[]): Promise<unknown> {
  const [name = '', ...rest] = words;
  const commands = areas[area] ?? {};
  const command = Object.hasOwn(commands, name) ? commands[name] : undefined;
  const given = rest.filter((word) => !word.startsWith('{'));
  const [text = '{}', ...others] = rest.filter((word) => word.startsWith('{'));
  if (!command || given.length !== command.takes.length || others.length > 0) throw new UsageError(usageOf(area));
  return command.run(admin, given, JSON.parse(text) as Input);
}

/** Stored forms of secrets are for nobody; what was just made stands beside them. */
const hidden = new Set(['secretHash', 'secretHashes']);

function shown(value: unknown): unknown {
  return JSON.parse(JSON.stringify(value, (name, member: unknown) => (hidden.has(name) ? undefined : member)));
}

/** A line for each thing, a word for each of its members. */
function asText(value: unknown): string {
  if (value === undefined) return 'done';
  if (Array.isArray(value)) return value.length === 0 ? 'none' : value.map(asText).join('\n');
  if (typeof value !== 'object' || value === null) return JSON.stringify(value);
  return Object.entries(value)
    .filter(([, member]) => member !== null)
    .map(([name, member]) => `${name}=${typeof member === 'string' ? member : JSON.stringify(member)}`)
    .join('  ');
}

const [area = '', ...words] = process.argv.slice(2);
const asJson = words.includes('--json');
try {
  if (!Object.hasOwn(areas, area)) throw new UsageError(`npm run ${Object.keys(areas).join('|')} -- COMMAND`);
  loadEnvironmentFile();
  const config = loadConfig();
  const log = createLogger('warn', process.stderr); // what is printed is the answer
  const storage = await openStorage({ ...config.storage, onLost: (reason) => log.fatal({ reason }) }, log);
  try {
    const { administration } = await createConfiguredApp(config, { database: storage.database, log });
    const result = await run(
      administration,
      area,
      words.filter((word) => word !== '--json'),
    );
    const visible = result === undefined ? undefined : shown(result);
    console.log(asJson ? JSON.stringify(visible ?? null, null, 2) : asText(visible));
  } finally {
    await storage.close();
  }
} catch (error) {
  if (error instanceof AppError)
    console.error(JSON.stringify({ code: error.code, detail: error.message, errors: error.fields }, null, 2));
  else if (error instanceof ConfigError || error instanceof UsageError || error instanceof SyntaxError)
    console.error(error.message);
  else throw error;
  process.exitCode = 1;
}
