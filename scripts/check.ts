/**
 * `npm run check` runs every gate, also when an earlier one failed, and exits 1 when any did.
 * `npm run check -- lint types` runs only those.
 */
import { spawnSync } from 'node:child_process';
import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import type { ICruiseResult } from 'dependency-cruiser';

const codeFolders = ['config', 'src', 'scripts', 'test'];

const gates: Record<string, () => boolean> = {
  types: () => run('typescript/bin/tsc', '--noEmit'),
  lint: () => run('eslint/bin/eslint.js', '.', '--max-warnings', '0'),
  format: () => run('prettier/bin/prettier.cjs', '--check', '.'),
  dependencies: checkDependencies,
  texts: () => run('tsx/dist/cli.mjs', 'scripts/check-texts.ts'),
  generated: () => run('tsx/dist/cli.mjs', 'scripts/generate-env-example.ts', '--check'),
};

function run(tool: string, ...args: string[]): boolean {
  return spawnSync(process.execPath, [join('node_modules', tool), ...args], { stdio: 'inherit' }).status === 0;
}

/** A cruise that saw nothing finds nothing wrong, so what it saw is compared with the files that are there. */
function checkDependencies(): boolean {
  const folders = codeFolders.filter((folder) => existsSync(folder));
  const tool = join('node_modules', 'dependency-cruiser/bin/dependency-cruise.mjs');
  const cruise = spawnSync(process.execPath, [tool, ...folders, '--output-type', 'json'], {
    encoding: 'utf8',
    maxBuffer: Infinity,
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  if (cruise.status !== 0) return false;
  const { modules, summary } = JSON.parse(cruise.stdout) as ICruiseResult;
  const problems = summary.violations.map(({ rule, from, to }) => `${rule.name}: ${from} → ${to}`);
  const seen = new Set(modules.map((module) => module.source));
  const unseen = folders.flatMap(sourceFilesIn).filter((file) => !seen.has(file));
  if (modules.length === 0) problems.push('zero modules were cruised');
  if (unseen.length > 0) problems.push(`${unseen.length} files were not cruised, such as ${unseen[0]}`);
  for (const problem of problems) console.error(problem);
  console.log(`${modules.length} modules cruised`);
  return problems.length === 0;
}

function sourceFilesIn(folder: string): string[] {
  return readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .filter((file) => file.endsWith('.ts'))
    .map((file) => join(folder, file).replaceAll('\\', '/'));
}

const wanted = process.argv.length > 2 ? process.argv.slice(2) : Object.keys(gates);
const failed: string[] = [];
for (const name of wanted) {
  const startedAt = Date.now();
  console.log(`\n=== ${name}`);
  const gate = gates[name];
  if (gate === undefined) console.error(`there is no gate of this name; there are ${Object.keys(gates).join(', ')}`);
  const passed = gate?.() ?? false;
  if (!passed) failed.push(name);
  console.log(`--- ${name} ${passed ? 'passed' : 'FAILED'} in ${((Date.now() - startedAt) / 1000).toFixed(1)} s`);
}
console.log(failed.length === 0 ? '\ncheck passed' : `\ncheck FAILED: ${failed.join(', ')}`);
process.exitCode = failed.length === 0 ? 0 : 1;
