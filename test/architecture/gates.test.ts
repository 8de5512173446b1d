// Each gate is shown a planted violation, run by its own tool with this repository's own settings.
import { createRequire } from 'node:module';
import { readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { expect } from 'chai';
import type { ESLint } from 'eslint';
import { cleanTree } from './clean-tree.js';
import { complaintsAboutTexts, plantedTexts } from './planted-texts.js';
import { plantedDependencies, reachedFiles } from './planted-dependencies.js';
import { plantedLint } from './planted-lint.js';
import { plantTree, repository, type Finished, type PlantedFiles, type PlantedTree } from './planted-tree.js';

const byFile = (planted: readonly { file: string; text: string }[]): PlantedFiles =>
  Object.fromEntries(planted.map(({ file, text }) => [file, text]));

describe('the gates', function () {
  this.timeout(60_000);
  const trees: PlantedTree[] = [];

  async function plant(files: PlantedFiles, copied: readonly string[] = []): Promise<PlantedTree> {
    const tree = await plantTree(files, copied);
    trees.push(tree);
    return tree;
  }

  after(() => Promise.all(trees.map((tree) => tree.remove())));

  describe('on a tree without violations', () => {
    let tree: PlantedTree;
    before(async () => {
      tree = await plant({
        ...cleanTree,
        'views/login.ejs': '<p><%= name %></p>\n',
        'config/plans.yaml': 'plans: []\n',
        'config/inner/templates.yaml': 'templates: []\n',
      });
    });

    it('all pass', async () => {
      const { status, output } = await tree.run('npm', 'run', 'check');
      expect(output).to.match(/^check passed$/m);
      expect(status).to.equal(0);
    });

    it('the tests pass', async () => {
      const { status, output } = await tree.run('npm', 'test');
      expect(output).to.contain('1 passing');
      expect(status).to.equal(0);
    });

    it('the build leaves code, views and YAML in dist', async () => {
      expect(await tree.run('npm', 'run', 'build')).to.include({ status: 0 });
      const built = [
        'src/main.js',
        'src/main.js.map',
        'config/index.js',
        'config/plans.yaml',
        'views/login.ejs',
        'locales/de.json',
      ];
      for (const file of built) expect((await stat(join(tree.folder, 'dist', file))).isFile(), file).to.equal(true);
    });

    it('a gate that does not exist fails', async () => {
      const { status, output } = await tree.run('npm', 'run', 'check', '--', 'tipes');
      expect(output).to.contain('no gate of this name');
      expect(status).to.equal(1);
    });
  });

  describe('on a tree with one violation of everything', () => {
    let check: Finished;
    let lint: Finished;
    before(async () => {
      const tree = await plant({
        ...cleanTree,
        ...reachedFiles,
        ...byFile(plantedDependencies.map(({ from, text }) => ({ file: from, text }))),
        ...byFile(plantedLint),
        ...plantedTexts,
        'src/users/wrong-type.ts': `export const count: number = 'one';\n`,
        'src/users/wrong-format.ts': `export const name = "double quotes"\n`,
        'scripts/generate-env-example.ts': `console.error('stale');\nprocess.exitCode = 1;\n`,
      });
      [check, lint] = await Promise.all([
        tree.run('npm', 'run', 'check'),
        tree.run(process.execPath, 'node_modules/eslint/bin/eslint.js', '.', '--max-warnings', '0', '--format', 'json'),
      ]);
    });

    it('the check runs every gate and fails, naming them', () => {
      expect(check.output).to.match(/^check FAILED: types, lint, format, dependencies, texts, generated$/m);
      expect(check.status).to.equal(1);
    });

    it('a type error is caught', () => {
      expect(check.output).to.match(/^src\/users\/wrong-type\.ts\(1,14\): error TS2322/m);
    });

    for (const complaint of complaintsAboutTexts) {
      it(`texts: ${complaint}`, () => {
        expect(check.output.split('\n')).to.include(complaint);
      });
    }

    it('bad formatting is caught', () => {
      expect(check.output).to.match(/^\[warn\] src\/users\/wrong-format\.ts$/m);
    });

    for (const { rule, file, message } of plantedLint) {
      it(`lint: ${rule ?? 'a disable comment without use'} is caught in ${file}`, () => {
        expect(lint.status).to.equal(1);
        const results = JSON.parse(lint.answer) as ESLint.LintResult[];
        const problems = results.find((result) => result.filePath.endsWith(`/${file}`))?.messages ?? [];
        const found = problems.filter((problem) => problem.ruleId === rule && problem.severity === 2);
        expect(found, JSON.stringify(problems)).to.have.lengthOf.at.least(1);
        if (message !== undefined) expect(found.map((problem) => problem.message)).to.contain(message);
        if (rule === null) expect(found[0]?.message).to.match(/^Unused eslint-disable directive/);
      });
    }

    for (const { rule, from, to } of plantedDependencies) {
      it(`dependencies: ${rule} is caught in ${from}`, () => {
        const reported = check.output.split('\n').filter((line) => line.startsWith(`${rule}: ${from} → `));
        expect(reported.some((line) => line.endsWith(to))).to.equal(true);
      });
    }

    it('every dependency rule has a planted violation', () => {
      const load = createRequire(import.meta.url);
      const { forbidden } = load('../../.dependency-cruiser.cjs') as {
        forbidden: { name: string; severity: string }[];
      };
      expect(new Set(forbidden.map((rule) => rule.name))).to.deep.equal(
        new Set(plantedDependencies.map((planted) => planted.rule)),
      );
      expect(new Set(forbidden.map((rule) => rule.severity))).to.deep.equal(new Set(['error']));
    });
  });

  it('a cruise that sees no TypeScript fails, although it finds nothing wrong', async () => {
    const settings = await readFile(join(repository, '.dependency-cruiser.cjs'), 'utf8');
    const blind = `${settings}module.exports.options.exclude = '[.]ts$';\n`;
    const tree = await plant({ ...cleanTree, '.dependency-cruiser.cjs': blind });
    const { status, output } = await tree.run('npm', 'run', 'check', '--', 'dependencies');
    expect(output)
      .to.contain('zero modules were cruised')
      .and.to.match(/\d+ files were not cruised/);
    expect(status).to.equal(1);
  });

  it('a stale .env.example fails, and the committed one passes', async () => {
    const sources = ['config', 'src/kernel', 'scripts/generate-env-example.ts', '.env.example'];
    const tree = await plant({}, sources);
    expect(await tree.run('npm', 'run', 'check', '--', 'generated')).to.include({ status: 0 });
    const stale = await plant({ '.env.example': '# another time\n' }, sources);
    const { status, output } = await stale.run('npm', 'run', 'check', '--', 'generated');
    expect(output).to.contain('.env.example is stale');
    expect(status).to.equal(1);
  });

  it('a test marked as the only one fails the run', async () => {
    const tree = await plant({
      'test/one.test.ts': `describe('one', () => {\n  it.${'only'}('is', () => undefined);\n});\n`,
    });
    const { status, output } = await tree.run('npm', 'test');
    expect(output).to.match(/`\.only` is not supported|\.only/);
    expect(status).not.to.equal(0);
  });

  it('a run of zero tests fails', async () => {
    const tree = await plant({ 'test/none.test.ts': `describe('none', () => undefined);\n` });
    const { status, output } = await tree.run('npm', 'test');
    expect(output).to.contain('0 passing');
    expect(status).not.to.equal(0);
  });
});
