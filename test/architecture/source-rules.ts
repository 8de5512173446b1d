import { basename } from 'node:path';

/** One file of the repository; `path` is relative to its root, with `/`. */
export interface SourceFile {
  path: string;
  text: string;
}

/** What the rule found wrong, one sentence each; empty when all is well. */
export type SourceRule = (files: readonly SourceFile[]) => string[];

const maximumLines = 300;
const isCode = (file: SourceFile) => /\.(ts|js|cjs|mjs)$/.test(file.path);
const isTest = (file: SourceFile) => file.path.startsWith('test/') && isCode(file);

/** Every line that matches, as `path:line: complaint`. */
function linesWith(files: readonly SourceFile[], isWrong: (line: string) => boolean, complaint: string): string[] {
  return files.flatMap(({ path, text }) =>
    text.split('\n').flatMap((line, index) => (isWrong(line) ? [`${path}:${index + 1}: ${complaint}`] : [])),
  );
}

export const openWorkNamesItsIssue: SourceRule = (files) =>
  linesWith(
    files.filter((file) => isCode(file) || /\.(ejs|ya?ml|css|md)$/.test(file.path)),
    (line) => /\b(?:TOD[O]|FIXM[E])\b(?!.*#\d)/.test(line),
    'open work names its issue (#n)',
  );

export const noTestIsSingledOut: SourceRule = (files) =>
  linesWith(
    files.filter(isTest),
    (line) =>
      /\b(?:describe|context|it|specify)\.(?:only|skip)\b|\b(?:xit|xdescribe|xcontext|fit|fdescribe)\(/.test(line),
    'no test is singled out or skipped',
  );

/** A suite may skip itself only for a missing tool, and `requireTool` makes that a failure when CI=true. */
export const suitesSkipOnlyForTools: SourceRule = (files) =>
  files
    .filter((file) => isTest(file) && /\.skip\(\)/.test(file.text) && !/\brequireTool\(/.test(file.text))
    .map((file) => `${file.path}: a suite skips itself only when requireTool gave undefined`);

export const disabledRulesSayWhy: SourceRule = (files) =>
  linesWith(
    files.filter(isCode),
    (line) =>
      /(?:\/\/|\/\*)\s*eslint-disable/.test(line) && !/eslint-disable(?:-next-line|-line)?\s+[@\w].* -- \S/.test(line),
    'a disabled lint rule is named and has its reason (-- why)',
  ).concat(
    linesWith(
      files.filter(isCode),
      (line) =>
        /(?:\/\/|\/\*)\s*@ts-(?:expect-error|ignore|nocheck)/.test(line) && !/@ts-expect-error -- \S/.test(line),
      'an expected type error has its reason (@ts-expect-error -- why)',
    ),
  );

/** Counts lines that are neither blank nor comment, as the lint rule does, but no comment can switch it off. */
export const filesAreSmall: SourceRule = (files) =>
  files
    .filter((file) => file.path.startsWith('src/') && isCode(file))
    .map((file) => ({ path: file.path, lines: countCodeLines(file.text) }))
    .filter(({ lines }) => lines > maximumLines)
    .map(({ path, lines }) => `${path}: ${lines} lines of code, more than ${maximumLines}`);

function countCodeLines(text: string): number {
  const lines = text.split('\n').map((line) => line.trim());
  return lines.filter((line) => line !== '' && !/^(?:\/\/|\/\*|\*)/.test(line)).length;
}

export const viewsEscape: SourceRule = (files) =>
  files
    .filter((file) => file.path.endsWith('.ejs'))
    .flatMap((file) => [...file.text.matchAll(/<%-(?!\s*include\s*\()/g)].map((match) => ({ file, at: match.index })))
    .map(({ file, at }) => `${file.path}:${file.text.slice(0, at).split('\n').length}: <%- is only for include`);

/** A code belongs to one place: the literal given to AppError, or any code-like literal of an errors file. */
export const errorCodesAreUnique: SourceRule = (files) => {
  const owners = new Map<string, string[]>();
  for (const { path, text } of files) {
    if (!path.startsWith('src/') || !path.endsWith('.ts')) continue;
    for (const code of errorCodesIn(text, path.endsWith('-errors.ts'))) {
      owners.set(code, [...(owners.get(code) ?? []), path]);
    }
  }
  return [...owners]
    .filter(([, paths]) => paths.length > 1)
    .map(([code, paths]) => `${code} is made in ${paths.join(' and ')}: a code has one place`);
};

function errorCodesIn(text: string, isErrorsFile: boolean): string[] {
  const made = [...text.matchAll(/new AppError\(\s*['"`]([^'"`]+)['"`]/g)].map((match) => String(match[1]));
  if (!isErrorsFile) return made;
  const literals = [...text.matchAll(/['"`]([a-z][a-z0-9_-]*(?:\.[a-z0-9_-]+)+)['"`]/g)].map((match) =>
    String(match[1]),
  );
  return [...made, ...new Set(literals.filter((literal) => !made.includes(literal)))];
}

export const filesCarryTheirNoun: SourceRule = (files) =>
  files
    .filter((file) => /^(?:src|config|scripts|test|views)\//.test(file.path))
    .filter((file) => /(?:^|[-./])(?:utils?|helpers?|common|misc|manager|base|impl)(?:[-./]|$)/.test(file.path))
    .map((file) => `${file.path}: says nothing about what is in it`);

export const filesAreKebabCase: SourceRule = (files) =>
  files
    .filter((file) => /^(?:src|config|scripts|test)\//.test(file.path) && isCode(file))
    .filter((file) => !/^[a-z0-9]+(?:-[a-z0-9]+)*(?:\.[a-z]+)+$/.test(basename(file.path)))
    .map((file) => `${file.path}: file names are kebab-case`);

const isProduct = (file: SourceFile) => /^(?:src|config|scripts)\//.test(file.path) && isCode(file);
const scopeItself = 'src/platform/mongo/tenant-owned.ts';

/** The one way out of the tenant scope stands in a store, as a literal that says why. */
export const acrossTenantsSaysWhy: SourceRule = (files) =>
  linesWith(
    files.filter((file) => isProduct(file) && file.path !== scopeItself && !file.path.endsWith('-store.ts')),
    (line) => /\bacrossTenants\b/.test(line),
    'only a store looks across tenants',
  ).concat(
    linesWith(
      files.filter((file) => isProduct(file) && file.path.endsWith('-store.ts')),
      (line) => /\bacrossTenants\b/.test(line) && !/\bacrossTenants: (['"])(?:\w+[ ,]+){2,}\w+\1/.test(line),
      'who looks across tenants says why, as a literal (acrossTenants: "why")',
    ),
  );

/** Past its model, what belongs to a tenant would be reached without the tenant scope. */
export const tenantOwnedThroughItsModel: SourceRule = (files) => {
  const sources = files.filter((file) => isProduct(file) && !file.path.startsWith('src/platform/mongo/'));
  const owned = sources.filter(isTenantOwned).flatMap(({ text }) => modelCollectionsOf(text));
  const others = sources.filter((file) => !isTenantOwned(file));
  return linesWith(
    others,
    (line) => owned.some((name) => new RegExp(`[cC]ollection(?:Name)?\\b.*['"\`]${name}['"\`]`).test(line)),
    'what belongs to a tenant is reached through its model',
  ).concat(
    linesWith(
      sources.filter(isTenantOwned),
      (line) => /\.collection\b/.test(line),
      'what belongs to a tenant is reached through its model',
    ),
    linesWith(
      sources.filter((file) => file.path.endsWith('-store.ts')),
      (line) => /\bconnection\.(?!model\(|js')/.test(line),
      'a store asks the connection for its models only',
    ),
  );
};

function isTenantOwned({ text }: SourceFile): boolean {
  return /\.plugin\(tenantOwned\b/.test(text);
}

function modelCollectionsOf(text: string): string[] {
  return [...text.matchAll(/\bcollection: '([\w-]+)'/g)].map((match) => String(match[1]));
}
