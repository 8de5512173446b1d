// The one-way rule: kernel <- platform <- slices <- app <- main. A slice is every folder of src except kernel and
// platform. Each rule has a planted violation in test/architecture/gates.test.ts.
const slice = '^src/(?!kernel/|platform/)([^/]+)/';
const packages = (names) => `(^|/)node_modules/(@types/)?(${names})/`;

module.exports = {
  forbidden: [
    { name: 'no-cycles', severity: 'error', from: {}, to: { circular: true } },
    { name: 'no-orphans', severity: 'error', from: { orphan: true, path: '^src/', pathNot: '\\.d\\.ts$' }, to: {} },
    { name: 'not-to-unresolvable', severity: 'error', from: {}, to: { couldNotResolve: true } },
    {
      name: 'kernel-imports-nothing',
      comment: 'pure words: only the kernel itself, what Node brings, and the names of the texts that are said',
      severity: 'error',
      from: { path: '^src/kernel/' },
      to: { pathNot: ['^src/kernel/', '^locales/en\\.json$'], dependencyTypesNot: ['core'] },
    },
    {
      name: 'platform-knows-no-slice',
      severity: 'error',
      from: { path: '^src/platform/' },
      to: { path: '^src/(?!kernel/|platform/)' },
    },
    {
      name: 'slices-do-not-import-the-app',
      severity: 'error',
      from: { path: slice },
      to: { path: '^src/[^/]+$' },
    },
    {
      name: 'slices-are-peers',
      comment: "another slice's types come by import type through its index.ts; its functions arrive as arguments",
      severity: 'error',
      from: { path: slice },
      to: { path: slice, pathNot: ['^src/$1/', '^src/verifier/'], dependencyTypesNot: ['type-only'] },
    },
    {
      name: 'slice-types-through-the-index',
      severity: 'error',
      from: { path: slice },
      to: { path: slice, pathNot: ['^src/$1/', '^src/[^/]+/index\\.ts$'] },
    },
    { name: 'nobody-imports-main', severity: 'error', from: {}, to: { path: '^src/main\\.ts$' } },
    {
      name: 'only-app-and-main-read-config',
      comment: 'configuration is handed over in slices; not even its types travel below the files beside main',
      severity: 'error',
      from: { path: '^src/[^/]+/' },
      to: { path: '^config/' },
    },
    {
      name: 'config-knows-no-source',
      severity: 'error',
      from: { path: '^config/' },
      to: { path: '^src/(?!kernel/)' },
    },
    {
      name: 'mongoose-stays-in-stores',
      severity: 'error',
      from: { path: '^(src|config)/', pathNot: ['-store\\.ts$', '^src/oidc/adapter/', '^src/platform/mongo/'] },
      to: { path: packages('mongoose|mongodb|bson') },
    },
    {
      name: 'redis-stays-in-platform',
      severity: 'error',
      from: { path: '^(src|config)/', pathNot: '^src/platform/(redis|limits)/' },
      to: { path: packages('ioredis|rate-limiter-flexible') },
    },
    {
      name: 'oidc-provider-stays-in-oidc',
      severity: 'error',
      from: { path: '^(src|config)/', pathNot: '^src/oidc/' },
      to: { path: packages('oidc-provider') },
    },
    {
      name: 'deep-imports-in-one-file',
      comment: 'what the library does not export has one door, and a contract test watches it',
      severity: 'error',
      from: { path: '^(src|config|scripts)/', pathNot: '^src/oidc/library-internals\\.ts$' },
      to: { path: '(^|/)node_modules/oidc-provider/(?!lib/index\\.js$)' },
    },
    {
      name: 'koa-stays-in-routes',
      severity: 'error',
      from: {
        path: '^(src|config)/',
        pathNot: [
          ...['-routes\\.ts$', '^src/platform/http/', '^src/oidc/', '^src/(app|main)\\.ts$'],
          '^src/management/(authenticate|handle-call)\\.ts$', // what all its routes share
        ],
      },
      to: { path: packages('@?koa[^/]*') }, // with its companions, such as @koa/router
    },
    {
      name: 'outbound-http-in-egress',
      comment: 'one guarded way out; ESLint keeps the global fetch to it, and server.ts takes nothing but createServer',
      severity: 'error',
      from: { path: '^(src|config)/', pathNot: ['^src/platform/egress/', '^src/platform/http/server[.]ts$'] },
      to: { path: '^(node:)?(https|http2)$', dependencyTypes: ['core'] },
    },
    {
      name: 'verifier-needs-jose-alone',
      comment: 'APIs use it without the server and all that the server needs',
      severity: 'error',
      from: { path: '^src/verifier/' },
      to: { pathNot: ['^src/verifier/', packages('jose')], dependencyTypesNot: ['core'] },
    },
    {
      name: 'the-server-does-not-use-the-verifier',
      comment: 'but for the management API, which accepts our tokens as any API does',
      severity: 'error',
      from: { path: '^(src|config)/', pathNot: ['^src/verifier/', '^src/management/authenticate\\.ts$'] },
      to: { path: '^src/verifier/' },
    },
    {
      name: 'tests-and-scripts-are-not-imported',
      severity: 'error',
      from: { path: '^(src|config)/' },
      to: { path: '^(test|scripts)/' },
    },
    {
      name: 'scripts-do-not-import-tests',
      severity: 'error',
      from: { path: '^scripts/' },
      to: { path: '^test/' },
    },
    {
      name: 'no-development-packages-in-production',
      comment: 'types of a package may come from @types; its code must be a dependency',
      severity: 'error',
      from: { path: '^(src|config)/' },
      to: { dependencyTypes: ['npm-dev'], dependencyTypesNot: ['type-only'], pathNot: '(^|/)node_modules/@types/' },
    },
    {
      name: 'no-undeclared-packages',
      severity: 'error',
      from: {},
      to: { dependencyTypes: ['npm-no-pkg', 'npm-unknown'] },
    },
  ],
  options: {
    doNotFollow: { path: '(^|/)node_modules/' },
    tsPreCompilationDeps: true,
    tsConfig: { fileName: 'tsconfig.json' },
    enhancedResolveOptions: {
      exportsFields: ['exports'],
      conditionNames: ['import', 'require', 'node', 'default', 'types'],
    },
  },
};
