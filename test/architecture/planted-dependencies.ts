/** One forbidden import, by the rule of .dependency-cruiser.cjs that catches it. `to` is the end of what it reaches. */
export interface PlantedDependency {
  rule: string;
  from: string;
  text: string;
  to: string;
}

export const plantedDependencies: readonly PlantedDependency[] = [
  {
    rule: 'no-cycles',
    from: 'src/roles/permission.ts',
    text: `import type { Role } from './role.js';\nexport type Permission = { role: Role };\n`,
    to: 'src/roles/role.ts',
  },
  { rule: 'no-orphans', from: 'src/roles/alone.ts', text: `export const alone = true;\n`, to: 'src/roles/alone.ts' },
  {
    rule: 'not-to-unresolvable',
    from: 'src/roles/missing.ts',
    text: `export * from './not-there.js';\n`,
    to: './not-there.js',
  },
  {
    rule: 'kernel-imports-nothing',
    from: 'src/kernel/reaches-platform.ts',
    text: `export * from '../platform/mongo/open-database.js';\n`,
    to: 'src/platform/mongo/open-database.ts',
  },
  {
    rule: 'kernel-imports-nothing',
    from: 'src/kernel/reaches-package.ts',
    text: `export * from 'zod';\n`,
    to: 'node_modules/zod/index.d.cts',
  },
  {
    rule: 'kernel-imports-nothing',
    from: 'src/kernel/reaches-config.ts',
    text: `export type { Config } from '../../config/index.js';\n`,
    to: 'config/index.ts',
  },
  {
    rule: 'platform-knows-no-slice',
    from: 'src/platform/http/reaches-slice.ts',
    text: `import type { User } from '../../users/index.js';\nexport type Person = User;\n`,
    to: 'src/users/index.ts',
  },
  {
    rule: 'platform-knows-no-slice',
    from: 'src/platform/http/reaches-app.ts',
    text: `export * from '../../app.js';\n`,
    to: 'src/app.ts',
  },
  {
    rule: 'outbound-http-in-egress',
    from: 'src/roles/reaches-out.ts',
    text: `export { request } from 'node:https';\n`,
    to: 'https',
  },
  {
    rule: 'slices-do-not-import-the-app',
    from: 'src/roles/reaches-app.ts',
    text: `export * from '../app.js';\n`,
    to: 'src/app.ts',
  },
  {
    rule: 'slices-are-peers',
    from: 'src/roles/calls-peer.ts',
    text: `import { findUser } from '../users/index.js';\nexport const find = findUser;\n`,
    to: 'src/users/index.ts',
  },
  {
    rule: 'slices-are-peers',
    from: 'src/roles/hides-call.ts',
    text: `import type { User } from '../users/index.js';\nimport { findUser } from '../users/index.js';\nexport const find: (id: string) => Promise<User | null> = findUser;\n`,
    to: 'src/users/index.ts',
  },
  {
    rule: 'slices-are-peers',
    from: 'src/a-slice-made-up-today/calls-later.ts',
    text: `export const later = () => import('../users/index.js');\n`,
    to: 'src/users/index.ts',
  },
  {
    rule: 'slice-types-through-the-index',
    from: 'src/roles/type-past-index.ts',
    text: `import type { User } from '../users/user.js';\nexport type Person = User;\n`,
    to: 'src/users/user.ts',
  },
  {
    rule: 'slice-types-through-the-index',
    from: 'src/roles/type-of-inner-index.ts',
    text: `import type { Inner } from '../users/inner/index.js';\nexport type Outer = Inner;\n`,
    to: 'src/users/inner/index.ts',
  },
  {
    rule: 'nobody-imports-main',
    from: 'scripts/reaches-main.ts',
    text: `export * from '../src/main.js';\n`,
    to: 'src/main.ts',
  },
  {
    rule: 'only-app-and-main-read-config',
    from: 'src/roles/reads-config.ts',
    text: `import type { Config } from '../../config/index.js';\nexport type Own = Config;\n`,
    to: 'config/index.ts',
  },
  {
    rule: 'only-app-and-main-read-config',
    from: 'src/platform/http/reads-config.ts',
    text: `export * from '../../../config/index.js';\n`,
    to: 'config/index.ts',
  },
  {
    rule: 'config-knows-no-source',
    from: 'config/reaches-slice.ts',
    text: `export type { User } from '../src/users/index.js';\n`,
    to: 'src/users/index.ts',
  },
  {
    rule: 'mongoose-stays-in-stores',
    from: 'src/roles/uses-mongoose.ts',
    text: `import type { Types } from 'mongoose';\nexport type Id = Types.ObjectId;\n`,
    to: 'node_modules/mongoose/index.js',
  },
  {
    rule: 'mongoose-stays-in-stores',
    from: 'src/platform/http/uses-bson.ts',
    text: `export { ObjectId } from 'bson';\n`,
    to: 'node_modules/bson/bson.d.ts',
  },
  {
    rule: 'redis-stays-in-platform',
    from: 'src/roles/uses-redis.ts',
    text: `export { Redis } from 'ioredis';\n`,
    to: 'node_modules/ioredis/built/index.js',
  },
  {
    rule: 'oidc-provider-stays-in-oidc',
    from: 'src/roles/uses-library.ts',
    text: `import type { Configuration } from 'oidc-provider';\nexport type Options = Configuration;\n`,
    to: 'node_modules/oidc-provider/lib/index.js',
  },
  {
    rule: 'deep-imports-in-one-file',
    from: 'src/oidc/deep.ts',
    text: `export * from 'oidc-provider/lib/helpers/errors.js';\n`,
    to: 'node_modules/oidc-provider/lib/helpers/errors.js',
  },
  {
    rule: 'koa-stays-in-routes',
    from: 'src/roles/uses-koa.ts',
    text: `import type { Context } from 'koa';\nexport type Request = Context;\n`,
    to: 'node_modules/koa/lib/application.js',
  },
  {
    rule: 'koa-stays-in-routes',
    from: 'src/roles/uses-router.ts',
    text: `import Router from '@koa/router';\nexport const router = () => new Router();\n`,
    to: 'node_modules/@koa/router/dist/index.d.mts',
  },
  {
    rule: 'verifier-needs-jose-alone',
    from: 'src/verifier/reaches-package.ts',
    text: `export * from 'zod';\n`,
    to: 'node_modules/zod/index.d.cts',
  },
  {
    rule: 'verifier-needs-jose-alone',
    from: 'src/verifier/reaches-kernel.ts',
    text: `export type { Clock } from '../kernel/time.js';\n`,
    to: 'src/kernel/time.ts',
  },
  {
    rule: 'the-server-does-not-use-the-verifier',
    from: 'src/roles/uses-verifier.ts',
    text: `import type { Verifier } from '../verifier/index.js';\nexport type Guard = Verifier;\n`,
    to: 'src/verifier/index.ts',
  },
  {
    rule: 'tests-and-scripts-are-not-imported',
    from: 'src/roles/reaches-test.ts',
    text: `export * from '../../test/users.test.js';\n`,
    to: 'test/users.test.ts',
  },
  {
    rule: 'tests-and-scripts-are-not-imported',
    from: 'src/roles/reaches-script.ts',
    text: `export * from '../../scripts/generate-env-example.js';\n`,
    to: 'scripts/generate-env-example.ts',
  },
  {
    rule: 'scripts-do-not-import-tests',
    from: 'scripts/reaches-test.ts',
    text: `export * from '../test/users.test.js';\n`,
    to: 'test/users.test.ts',
  },
  {
    rule: 'no-development-packages-in-production',
    from: 'src/roles/uses-chai.ts',
    text: `export { expect } from 'chai';\n`,
    to: 'node_modules/chai/index.js',
  },
  {
    rule: 'no-undeclared-packages',
    from: 'src/roles/roles-store.ts',
    text: `export { MongoClient } from 'mongodb';\n`,
    to: 'node_modules/mongodb/lib/index.js',
  },
];

/** What some of the planted imports reach for and the clean tree lacks. A cycle is reported once, at its first file. */
export const reachedFiles: Readonly<Record<string, string>> = {
  'src/roles/role.ts': `import type { Permission } from './permission.js';\nexport type Role = Permission[];\n`,
  'src/users/inner/index.ts': `export type Inner = string;\n`,
  'src/kernel/time.ts': `export type Clock = () => Date;\n`,
  'src/verifier/index.ts': `import { jwtVerify } from 'jose';\nexport type Verifier = typeof jwtVerify;\n`,
};
