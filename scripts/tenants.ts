/**
 * `npm run tenants -- COMMAND TENANT ['{…}']`: governs tenants from the command line, with all rights, by the same use
 * cases as everybody else. A tenant is named by slug or id, a person by e-mail address. Prints JSON.
 */
import { ConfigError, loadConfig, loadEnvironmentFile } from '../config/index.js';
import type { AdministrationModule } from '../src/administration/index.js';
import { createConfiguredApp } from '../src/configured-app.js';
import { systemAuthority } from '../src/kernel/actor.js';
import { AppError } from '../src/kernel/errors.js';
import { createLogger } from '../src/platform/log/logger.js';
import { openStorage } from '../src/platform/mongo/storage.js';

type Input = Record<string, unknown>;
type Command = (administration: AdministrationModule, tenantId: string, input: Input) => Promise<unknown>;

const by = systemAuthority('command');

/** What comes from the command line is checked by the use cases, so here it has no type. */
const commands: Record<string, Command> = {
  show: (admin, id) => admin.getTenant(id),
  settings: (admin, id, input) => admin.changeSettings(by, id, input),
  type: (admin, id, { type }) => admin.changeType(by, id, type as never),
  suspend: (admin, id) => admin.changeStatus(by, id, 'suspended'),
  activate: (admin, id) => admin.changeStatus(by, id, 'active'),
  archive: (admin, id) => admin.changeStatus(by, id, 'archived'),
  'preview-template': (admin, id, input) => admin.previewTemplate(id, input as never),
  'apply-template': (admin, id, input) => admin.applyTemplate(by, id, input as never),
  'end-tokens': (admin, id) => admin.endTokensOf(by, { tenantId: id }),
  'reconcile-seats': (admin, id) => admin.reconcileSeats(id),
  'create-role': (admin, id, input) => admin.createRole(by, id, input as never),
  'add-member': async (admin, id, { email, ...input }) =>
    admin.addMember(by, id, { ...input, userId: await userIdOf(admin, email) } as never),
  'change-member': async (admin, tenantId, { email, ...input }) =>
    admin.changeMemberRoles(by, { tenantId, userId: await userIdOf(admin, email) }, input as never),
  'remove-member': async (admin, tenantId, { email }) =>
    admin.removeMember(by, { tenantId, userId: await userIdOf(admin, email) }),
};

const usage = `npm run tenants -- COMMAND TENANT ['{…}']
  create SLUG '{"name","type","owner": e-mail address, …}'
  publish-template KEY '{"name","type","settings","roles"}'
  ${Object.keys(commands).join(' TENANT, ')} TENANT`;

class UsageError extends Error {}

async function userIdOf(admin: AdministrationModule, email: unknown): Promise<string> {
  return (await admin.getUserByEmail(String(email))).id;
}

async function run(admin: AdministrationModule, [name = '', subject = '', text = '{}']: string[]): Promise<unknown> {
  const input = JSON.parse(text) as Input;
  if (name === 'publish-template') return admin.publishTemplate(by, { ...input, key: subject } as never);
  if (name === 'create') {
    const { owner, ...wanted } = input;
    return admin.createTenant(by, { ...wanted, slug: subject, ownerId: await userIdOf(admin, owner) } as never);
  }
  const command = Object.hasOwn(commands, name) ? commands[name] : undefined;
  if (!command) throw new UsageError(usage);
  return command(admin, (await admin.getTenant(subject)).id, input);
}

try {
  loadEnvironmentFile();
  const config = loadConfig();
  const log = createLogger('warn');
  const storage = await openStorage({ ...config.storage, onLost: (reason) => log.fatal({ reason }) }, log);
  try {
    const { administration } = await createConfiguredApp(config, { database: storage.database, log });
    console.log(JSON.stringify((await run(administration, process.argv.slice(2))) ?? 'done', null, 2));
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
