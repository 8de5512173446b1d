// The one-way rule: kernel <- platform <- slices <- app <- main. Each rule has a planted violation in test/architecture.
const slices =
  'tenants|users|memberships|roles|resources|clients|service-accounts|access|credentials|consents|sessions|subscriptions|events|signing-keys|oidc|sign-in|seeding|health';

module.exports = {
  forbidden: [
    { name: 'no-cycles', severity: 'error', from: {}, to: { circular: true } },
    { name: 'no-orphans', severity: 'error', from: { orphan: true, path: '^src/', pathNot: '\\.d\\.ts$' }, to: {} },
    { name: 'not-to-unresolvable', severity: 'error', from: {}, to: { couldNotResolve: true } },
    { name: 'kernel-imports-nothing', severity: 'error', from: { path: '^src/kernel' }, to: { path: '^(src/(?!kernel)|config|node_modules)' } },
    { name: 'platform-knows-no-slice', severity: 'error', from: { path: '^src/platform' }, to: { path: '^(src/(?!kernel|platform)|config)' } },
    {
      name: 'slices-do-not-import-the-app',
      severity: 'error',
      from: { path: `^src/(${slices})/` },
      to: { path: '^(src/(app|main)\\.ts|config)' },
    },
    {
      name: 'slices-are-peers',
      comment: "another slice's types come by import type through its index.ts; its functions arrive as arguments",
      severity: 'error',
      from: { path: `^src/(${slices})/` },
      to: { path: `^src/(${slices})/`, pathNot: '^src/$1/', dependencyTypesNot: ['type-only'] },
    },
    {
      name: 'slice-types-through-the-index',
      severity: 'error',
      from: { path: `^src/(${slices})/` },
      to: { path: `^src/(${slices})/`, pathNot: ['^src/$1/', '/index\\.ts$'] },
    },
    { name: 'nobody-imports-main', severity: 'error', from: {}, to: { path: '^src/main\\.ts$' } },
    { name: 'config-knows-no-source', severity: 'error', from: { path: '^config' }, to: { path: '^src/(?!kernel)' } },
    {
      name: 'mongoose-stays-in-stores',
      severity: 'error',
      from: { path: '^(src|config)', pathNot: ['-store\\.ts$', '^src/oidc/adapter/', '^src/platform/mongo/'] },
      to: { path: 'node_modules/(mongoose|mongodb|bson)' },
    },
    {
      name: 'oidc-provider-stays-in-oidc',
      severity: 'error',
      from: { path: '^(src|config)', pathNot: '^src/oidc/' },
      to: { path: 'node_modules/(@types/)?oidc-provider' },
    },
    {
      name: 'deep-imports-in-one-file',
      severity: 'error',
      from: { path: '^src', pathNot: '^src/oidc/library-internals\\.ts$' },
      to: { path: 'node_modules/oidc-provider/lib/(?!index\\.js)' },
    },
    {
      name: 'koa-stays-in-routes',
      severity: 'error',
      from: { path: '^(src|config)', pathNot: ['-routes\\.ts$', '^src/platform/http/', '^src/oidc/', '^src/(app|main)\\.ts$'] },
      to: { path: 'node_modules/(@types/)?(koa|@koa)' },
    },
    {
      name: 'tests-and-scripts-are-not-imported',
      severity: 'error',
      from: { path: '^(src|config)' },
      to: { path: '^(test|scripts)' },
    },
  ],
  options: {
    doNotFollow: { path: 'node_modules' },
    tsPreCompilationDeps: true,
    tsConfig: { fileName: 'tsconfig.json' },
    enhancedResolveOptions: { exportsFields: ['exports'], conditionNames: ['import', 'require', 'node', 'default', 'types'] },
  },
};
