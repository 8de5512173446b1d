import { spawn } from 'node:child_process';
import { cp, mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';

/** Text of each file, by its path in the tree. */
export type PlantedFiles = Readonly<Record<string, string>>;

export interface Finished {
  status: number | null;
  /** What it printed on both streams. */
  output: string;
  /** What it printed on the first alone. */
  answer: string;
}

export interface PlantedTree {
  folder: string;
  run(command: string, ...args: string[]): Promise<Finished>;
  remove(): Promise<void>;
}

export const repository = resolve(import.meta.dirname, '../..');

const gateFiles = [
  'package.json',
  'tsconfig.json',
  'tsconfig.build.json',
  'eslint.config.js',
  '.dependency-cruiser.cjs',
  '.prettierrc.json',
  '.prettierignore',
  '.mocharc.json',
  'scripts/check.ts',
  'scripts/check-texts.ts',
];

const rootHooks = 'test/support/root-hooks.ts';

/** A temporary tree with the gates of this repository, as they are, and with the given files. */
export async function plantTree(files: PlantedFiles, copied: readonly string[] = []): Promise<PlantedTree> {
  const folder = await mkdtemp(join(tmpdir(), 'planted-'));
  for (const file of [...gateFiles, ...copied])
    await cp(join(repository, file), join(folder, file), { recursive: true });
  await symlink(join(repository, 'node_modules'), join(folder, 'node_modules'), 'junction');
  // what the settings of mocha name is not among the gates, and asks for half of the product
  for (const [file, text] of Object.entries({ [rootHooks]: 'export const mochaHooks = {};\n', ...files })) {
    await mkdir(dirname(join(folder, file)), { recursive: true });
    await writeFile(join(folder, file), text);
  }
  return {
    folder,
    run: (command, ...args) => finish(command, args, folder),
    remove: () => rm(folder, { recursive: true, force: true }),
  };
}

// some tools colour their output when CI is set
const colourless: NodeJS.ProcessEnv = { ...process.env, NO_COLOR: '1', FORCE_COLOR: undefined };

/** Runs a command to its end. */
export function finish(
  command: string,
  args: readonly string[],
  folder: string,
  environment: NodeJS.ProcessEnv = colourless,
): Promise<Finished> {
  return new Promise((done, reject) => {
    const child = spawn(command, args, { cwd: folder, env: environment, stdio: ['ignore', 'pipe', 'pipe'] });
    let output = '';
    let answer = '';
    child.stdout.on('data', (text: string) => (answer += text));
    for (const stream of [child.stdout, child.stderr]) {
      stream.setEncoding('utf8').on('data', (text: string) => (output += text));
    }
    child.on('error', reject);
    child.on('close', (status) => done({ status, output, answer }));
  });
}
