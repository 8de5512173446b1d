/** One lint problem; `rule` null is ESLint's own report. The message is given where one rule carries several of ours. */
export interface PlantedLint {
  file: string;
  rule: string | null;
  message?: string;
  text: string;
}

const environment = { rule: 'no-restricted-syntax', message: 'Only config/index.ts reads the environment.' };
const effects = {
  rule: 'no-restricted-syntax',
  message: 'An import has no effects: only src/main.ts acts by itself.',
};
const singletons = {
  rule: 'no-restricted-syntax',
  message: 'No singletons: state lives in what a function creates and returns.',
};
const outbound = {
  rule: 'no-restricted-globals',
  message: "Unexpected use of 'fetch'. Calls go out through src/platform/egress alone.",
};
const lines = (count: number) => Array.from({ length: count }, (_, index) => `  list.push(${index});`).join('\n');
const later = 'const later = () => Promise.resolve(1);\n';

export const plantedLint: readonly PlantedLint[] = [
  { file: 'src/lint/env-dot.ts', ...environment, text: `export const read = () => process.env.PORT;\n` },
  { file: 'src/lint/env-index.ts', ...environment, text: `export const read = () => process['env'].PORT;\n` },
  { file: 'src/lint/env-global.ts', ...environment, text: `export const read = () => globalThis.process.env.PORT;\n` },
  {
    file: 'src/lint/env-taken-apart.ts',
    ...environment,
    text: `export function read() {\n  const { env } = process;\n  return env.PORT;\n}\n`,
  },
  {
    file: 'src/lint/env-imported.ts',
    ...environment,
    text: `import { env } from 'node:process';\nexport const read = () => env.PORT;\n`,
  },
  { file: 'config/other.ts', ...environment, text: `export const port = process.env.PORT;\n` },
  {
    file: 'src/lint/class.ts',
    rule: 'no-restricted-syntax',
    message: 'Functions over classes (errors excepted).',
    text: `export class UserService {}\n`,
  },
  { file: 'src/lint/fetch.ts', ...outbound, text: `export const get = () => fetch('https://a.example');\n` },
  {
    file: 'src/lint/fetch-global.ts',
    ...outbound,
    text: `export const get = () => globalThis.fetch('https://a.example');\n`,
  },
  { file: 'src/lint/effect.ts', ...effects, text: `process.on('exit', () => undefined);\n` },
  {
    file: 'src/lint/singleton-let.ts',
    ...singletons,
    text: `export let count = 0;\nexport const add = () => count++;\n`,
  },
  { file: 'src/lint/singleton-map.ts', ...singletons, text: `export const cache = new Map<string, string>();\n` },
  { file: 'src/lint/unused.ts', rule: '@typescript-eslint/no-unused-vars', text: `const nobody = 1;\nexport {};\n` },
  {
    file: 'src/lint/floating.ts',
    rule: '@typescript-eslint/no-floating-promises',
    text: `${later}export function run() {\n  later();\n}\n`,
  },
  {
    file: 'test/lint/floating.ts',
    rule: '@typescript-eslint/no-floating-promises',
    text: `${later}later();\n`,
  },
  {
    file: 'src/lint/misused.ts',
    rule: '@typescript-eslint/no-misused-promises',
    text: `${later}export const run = () => (later() ? 1 : 2);\n`,
  },
  {
    file: 'src/lint/return-await.ts',
    rule: '@typescript-eslint/return-await',
    text: `${later}export async function run() {\n  try {\n    return later();\n  } catch {\n    return 2;\n  }\n}\n`,
  },
  {
    file: 'src/lint/type-import.ts',
    rule: '@typescript-eslint/consistent-type-imports',
    text: `import { User } from '../users/user.js';\nexport type Person = User;\n`,
  },
  {
    file: 'src/lint/type-export.ts',
    rule: '@typescript-eslint/consistent-type-exports',
    text: `export { User } from '../users/user.js';\n`,
  },
  {
    file: 'src/lint/type-side-effect.ts',
    rule: '@typescript-eslint/no-import-type-side-effects',
    text: `import { type User } from '../users/user.js';\nexport type Person = User;\n`,
  },
  {
    file: 'src/lint/exhaustive.ts',
    rule: '@typescript-eslint/switch-exhaustiveness-check',
    text: `export function run(kind: 'a' | 'b'): void {\n  switch (kind) {\n    case 'a':\n      break;\n  }\n}\n`,
  },
  { file: 'src/lint/any.ts', rule: '@typescript-eslint/no-explicit-any', text: `export type Loose = any;\n` },
  {
    file: 'src/lint/unsafe.ts',
    rule: '@typescript-eslint/no-unsafe-member-access',
    text: `export const run = (text: string) => JSON.parse(text).member as string;\n`,
  },
  {
    file: 'src/lint/ignored-type-error.ts',
    rule: '@typescript-eslint/ban-ts-comment',
    text: `// @ts-${'ignore'}\nexport const run: number = '1';\n`,
  },
  {
    file: 'src/lint/equality.ts',
    rule: 'eqeqeq',
    text: `export const run = (left: string, right: string) => left == right;\n`,
  },
  {
    file: 'src/lint/depth.ts',
    rule: 'max-depth',
    text: `export function run(a: boolean): number {\n  if (a) if (a) if (a) if (a) if (a) return 1;\n  return 2;\n}\n`,
  },
  {
    file: 'src/lint/parameters.ts',
    rule: 'max-params',
    text: `export const run = (a: number, b: number, c: number, d: number, e: number) => a + b + c + d + e;\n`,
  },
  {
    file: 'src/lint/long-file.ts',
    rule: 'max-lines',
    text: `export function fill(list: number[]) {\n${lines(300)}\n}\n`,
  },
  {
    file: 'src/lint/long-function.ts',
    rule: 'max-lines-per-function',
    text: `export function fill(list: number[]) {\n${lines(60)}\n}\n`,
  },
  { file: 'src/lint/console.ts', rule: 'no-console', text: `export const run = () => console.log('hello');\n` },
  {
    file: 'src/lint/else-return.ts',
    rule: 'no-else-return',
    text: `export function run(a: boolean): number {\n  if (a) {\n    return 1;\n  } else {\n    return 2;\n  }\n}\n`,
  },
  {
    file: 'src/lint/unused-disable.ts',
    rule: null,
    text: `// ${'eslint'}-disable-next-line eqeqeq -- nothing here needs it\nexport const run = 1;\n`,
  },
];
