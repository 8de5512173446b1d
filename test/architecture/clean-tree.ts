import type { PlantedFiles } from './planted-tree.js';

/** A small tree that uses everything the rules allow; every gate passes on it. */
export const cleanTree: PlantedFiles = {
  'config/index.ts': `export interface Config {
  port: string | undefined;
}

export function loadConfig(environment = process.env): Config {
  return { port: environment.PORT };
}
`,
  'src/kernel/ids.ts': `import { randomBytes } from 'node:crypto';

export function newId(): string {
  return randomBytes(16).toString('hex');
}
`,
  'src/platform/mongo/open-database.ts': `import mongoose from 'mongoose';

export function openDatabase(uri: string): Promise<typeof mongoose> {
  return mongoose.connect(uri);
}
`,
  'src/platform/http/security-headers.ts': `import type { Context } from 'koa';
import { newId } from '../../kernel/ids.js';

export function nameRequest(ctx: Context): void {
  ctx.set('X-Request-Id', newId());
}
`,
  'src/users/user.ts': `export interface User {
  id: string;
}
`,
  'src/users/index.ts': `export type { User } from './user.js';
export { findUser } from './users-store.js';
`,
  'src/users/users-store.ts': `import { Schema, Types } from 'mongoose';
import type { User } from './user.js';

const schema = new Schema({ email: String });
schema.index({ email: 1 }, { unique: true });

export async function findUser(id: string): Promise<User | null> {
  return Types.ObjectId.isValid(id) && schema.indexes().length > 0 ? { id } : null;
}
`,
  'src/tenants/index.ts': `export { tenantRoutes } from './tenants-routes.js';
`,
  'src/tenants/tenants-routes.ts': `import Router from '@koa/router';
import type { User } from '../users/index.js';

export interface TenantDeps {
  findUser(id: string): Promise<User | null>;
}

export function tenantRoutes(deps: TenantDeps): Router {
  return new Router().get('/tenants/:id', async (ctx) => {
    ctx.body = await deps.findUser(ctx.params.id ?? '');
  });
}
`,
  'src/oidc/library-internals.ts': `// @ts-expect-error -- the library has no types for this file
import instance from 'oidc-provider/lib/helpers/weak_cache.js';

export const internals: unknown = instance;
`,
  'src/oidc/index.ts': `import { Provider } from 'oidc-provider';
import { internals } from './library-internals.js';

export function buildProvider(issuer: string): Provider {
  if (internals === undefined) throw new Error('the library moved its internals');
  return new Provider(issuer);
}
`,
  'src/app.ts': `import Koa from 'koa';
import type { Config } from '../config/index.js';
import { buildProvider } from './oidc/index.js';
import { nameRequest } from './platform/http/security-headers.js';
import { openDatabase } from './platform/mongo/open-database.js';
import { tenantRoutes } from './tenants/index.js';
import { findUser } from './users/index.js';

export async function openApp(config: Config): Promise<Koa> {
  await openDatabase('mongodb://localhost');
  const answerProtocol = buildProvider(\`http://localhost:\${config.port}\`).callback();
  const app = new Koa();
  app.use(nameRequest);
  app.use(tenantRoutes({ findUser }).routes());
  app.use((ctx) => answerProtocol(ctx.req, ctx.res));
  return app;
}
`,
  'src/main.ts': `import { loadConfig } from '../config/index.js';
import { openApp } from './app.js';

const app = await openApp(loadConfig());
app.listen(3000);
`,
  'locales/en.json': '{ "front": { "title": "Welcome, {name}" } }\n',
  'locales/de.json': '{ "front": { "title": "Willkommen, {name}" } }\n',
  'views/front.ejs': `<h1 title="<%= name %>"><%= t('front.title', { name }) %></h1>\n`,
  'scripts/generate-env-example.ts': `import { loadConfig } from '../config/index.js';

console.log('settings', Object.keys(loadConfig()).length);
`,
  'test/users.test.ts': `import { expect } from 'chai';
import { findUser } from '../src/users/index.js';

describe('findUser', () => {
  it('gives null for what is no id', async () => {
    expect(await findUser('?')).to.equal(null);
  });
});
`,
};
