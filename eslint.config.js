// Every rule that is set here by hand has a planted violation in test/architecture/gates.test.ts.
import js from '@eslint/js';
import { defineConfig } from 'eslint/config';
import tseslint from 'typescript-eslint';

const environmentMessage = 'Only config/index.ts reads the environment.';
const environment = [
  "MemberExpression[object.name='process'][property.name='env']",
  "MemberExpression[object.name='process'][property.value='env']",
  "MemberExpression[object.property.name='process'][property.name='env']",
  "VariableDeclarator[init.name='process'] > ObjectPattern",
  'ImportDeclaration[source.value=/^(node:)?process$/]',
].map((selector) => ({ selector, message: environmentMessage }));

const outbound = { name: 'fetch', message: 'Calls go out through src/platform/egress alone.' };

const houseStyle = [
  {
    selector: ':matches(ClassDeclaration, ClassExpression):not([superClass.name=/Error$/])',
    message: 'Functions over classes (errors excepted).',
  },
  {
    selector: ':matches(Program, ExportNamedDeclaration) > VariableDeclaration[kind="let"]',
    message: 'No singletons: state lives in what a function creates and returns.',
  },
  {
    selector:
      ':matches(Program, ExportNamedDeclaration) > VariableDeclaration > VariableDeclarator > NewExpression[callee.name=/^(Weak)?(Map|Set)$/][arguments.length=0]',
    message: 'No singletons: state lives in what a function creates and returns.',
  },
];

// a schema is completed by its own methods where it is declared, which touches nothing else
const noEffects = {
  selector: 'Program > ExpressionStatement:not([expression.callee.object.name=/[sS]chema$/])',
  message: 'An import has no effects: only src/main.ts acts by itself.',
};

export default defineConfig(
  { ignores: ['dist/', 'node_modules/', '.data/', 'coverage/'] },
  {
    extends: [js.configs.recommended, tseslint.configs.recommendedTypeChecked],
    languageOptions: { parserOptions: { projectService: true, tsconfigRootDir: import.meta.dirname } },
    linterOptions: { reportUnusedDisableDirectives: 'error' },
    rules: {
      '@typescript-eslint/no-floating-promises': 'error',
      '@typescript-eslint/no-misused-promises': 'error',
      '@typescript-eslint/return-await': ['error', 'in-try-catch'],
      '@typescript-eslint/consistent-type-imports': 'error',
      '@typescript-eslint/consistent-type-exports': 'error',
      '@typescript-eslint/no-import-type-side-effects': 'error',
      '@typescript-eslint/switch-exhaustiveness-check': ['error', { considerDefaultExhaustiveForUnions: true }],
      '@typescript-eslint/no-explicit-any': 'error',
      '@typescript-eslint/no-unused-vars': [
        'error',
        { argsIgnorePattern: '^_', varsIgnorePattern: '^_', ignoreRestSiblings: true, caughtErrors: 'all' },
      ],
      '@typescript-eslint/unbound-method': 'off', // app.ts hands a store's functions over one by one; none of ours uses this
      '@typescript-eslint/require-await': 'off', // a port may be async where one of its adapters is not
      'no-control-regex': 'off', // refusing control characters in input names them
      eqeqeq: 'error',
      'max-depth': ['error', 4],
      'max-params': ['error', 4],
      'max-lines': ['error', { max: 300, skipBlankLines: true, skipComments: true }],
      'max-lines-per-function': ['error', { max: 60, skipBlankLines: true, skipComments: true }],
      'no-console': 'error',
      'no-else-return': ['error', { allowElseIf: false }],
      'no-restricted-syntax': ['error', ...environment],
    },
  },
  { files: ['src/**'], rules: { 'no-restricted-syntax': ['error', ...environment, ...houseStyle, noEffects] } },
  // the verifier is for APIs, and fetches from the issuer that they name
  {
    files: ['src/**'],
    ignores: ['src/verifier/**'],
    rules: { 'no-restricted-globals': ['error', { globals: [outbound], checkGlobalObject: true }] },
  },
  { files: ['src/main.ts'], rules: { 'no-restricted-syntax': ['error', ...environment, ...houseStyle] } },
  // the composition root is one list of what there is, read top to bottom; cutting it up would hide the order
  { files: ['src/app.ts'], rules: { 'max-lines-per-function': 'off' } },
  // a list of routes as data, one after the other
  { files: ['src/management/routes/*.ts'], rules: { 'max-lines-per-function': 'off' } },
  { files: ['config/index.ts'], rules: { 'no-restricted-syntax': 'off' } },
  {
    files: ['test/**', 'scripts/**'],
    rules: {
      'max-lines-per-function': 'off',
      'no-console': 'off',
      'no-restricted-syntax': 'off',
      '@typescript-eslint/no-unused-expressions': 'off', // chai: expect(x).to.be.true
    },
  },
  {
    files: ['**/*.js', '**/*.cjs'],
    extends: [tseslint.configs.disableTypeChecked],
    rules: { '@typescript-eslint/no-require-imports': 'off' },
  },
  {
    files: ['views/**/*.js'],
    languageOptions: {
      sourceType: 'script',
      globals: Object.fromEntries(
        [...['document', 'window', 'navigator', 'PublicKeyCredential'], ...['AbortController', 'atob', 'btoa']].map(
          (name) => [name, 'readonly'],
        ),
      ),
    },
  },
  { files: ['**/*.cjs'], languageOptions: { sourceType: 'commonjs' } },
);
