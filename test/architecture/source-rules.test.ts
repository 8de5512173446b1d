import { readFile, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { expect } from 'chai';
import { repository } from './planted-tree.js';
import * as rules from './source-rules.js';
import type { SourceFile, SourceRule } from './source-rules.js';

const folders = ['config', 'src', 'scripts', 'test', 'views'];
// split, so that this file obeys the rules whose violations it plants
const open = 'TO' + 'DO';
const disable = 'eslint' + '-disable';
const typed = '@ts' + '-expect-error';

const code = (text: string, path = 'src/users/user.ts'): SourceFile => ({ path, text });
const test = (text: string) => code(text, 'test/unit/user.test.ts');
const store = (text: string) => code(text, 'src/users/user-store.ts');
const across = 'across' + 'Tenants';
const owned = code(
  `new Schema({}, { collection: 'things' });\nschema.plugin(tenantOwned);`,
  'src/things/thing-store.ts',
);
const view = (text: string) => code(text, 'views/users/user.ejs');

interface Trial {
  title: string;
  rule: SourceRule;
  wrong: SourceFile[][];
  right: SourceFile[][];
}

const trials: Trial[] = [
  {
    title: 'open work names its issue',
    rule: rules.openWorkNamesItsIssue,
    wrong: [[code(`// ${open}: later`)], [view(`<%# ${open} %>`)]],
    right: [[code(`// ${open}: later (#12)`)], [code('const todos = 1;')]],
  },
  {
    title: 'no test is singled out or skipped',
    rule: rules.noTestIsSingledOut,
    wrong: ['only', 'skip'].flatMap((word) => [[test(`it.${word}('x')`)], [test(`describe.${word}('x')`)]]),
    right: [[test(`it('is only one')`)]],
  },
  {
    title: 'a suite skips itself only for a missing tool',
    rule: rules.suitesSkipOnlyForTools,
    wrong: [[test(`before(function () { this.${'skip'}(); })`)]],
    right: [[test(`before(function () { if (!requireTool('chromium')) this.${'skip'}(); })`)]],
  },
  {
    title: 'a disabled lint rule says why',
    rule: rules.disabledRulesSayWhy,
    wrong: [
      [code(`/* ${disable} */`)],
      [code(`// ${disable}-next-line eqeqeq`)],
      [code(`/* ${disable} -- all of it */`)],
      [code(`// ${typed}`)],
    ],
    right: [
      [code(`// ${disable}-next-line eqeqeq -- null and undefined alike`)],
      [code(`x(); // ${disable}-line @typescript-eslint/no-explicit-any -- the library says any`)],
      [code(`// ${typed} -- the library has no types`)],
    ],
  },
  {
    title: 'a source file has at most 300 lines of code',
    rule: rules.filesAreSmall,
    wrong: [[code('a();\n'.repeat(301))]],
    right: [[code('a();\n'.repeat(300) + '// a comment\n\n')], [test('a();\n'.repeat(301))]],
  },
  {
    title: 'views print unescaped text only from include',
    rule: rules.viewsEscape,
    wrong: [[view('<p>\n<%- name %>')], [view('<%-includes %>')]],
    right: [[view(`<%- include('../layout') %><%= name %>`)]],
  },
  {
    title: 'an error code has one place',
    rule: rules.errorCodesAreUnique,
    wrong: [
      [code(`new AppError('user.gone', {})`), code(`new AppError(\n  'user.gone', {})`, 'src/tenants/tenant.ts')],
      [code(`const gone = 'user.gone';`, 'src/a/a-errors.ts'), code(`const gone = 'user.gone';`, 'src/b/b-errors.ts')],
      [code(`new AppError('user.gone', {}); new AppError('user.gone', {})`, 'src/a/a-errors.ts')],
    ],
    right: [
      [code(`new AppError('user.gone', {})`, 'src/a/a-errors.ts'), code(`new AppError('user.new', {})`)],
      [code(`new AppError('user.gone', {})`, 'src/a/a-errors.ts'), code(`if (error.code === 'user.gone') {}`)],
    ],
  },
  {
    title: 'a file name carries its noun',
    rule: rules.filesCarryTheirNoun,
    wrong: ['utils.ts', 'string-utils.ts', 'helpers/x.ts', 'user-manager.ts', 'base-store.ts', 'user.impl.ts'].map(
      (name) => [code('', `src/users/${name}`)],
    ),
    right: [[code('', 'src/users/database.ts')], [code('', 'src/users/commonwealth.ts')]],
  },
  {
    title: 'a file name is kebab-case',
    rule: rules.filesAreKebabCase,
    wrong: [[code('', 'src/users/createUser.ts')], [code('', 'src/users/create_user.ts')]],
    right: [[code('', 'src/users/create-user.ts')], [code('', 'test/unit/create-user.test.ts')]],
  },
  {
    title: 'who looks across tenants is a store and says why',
    rule: rules.acrossTenantsSaysWhy,
    wrong: [
      [code(`find({}, { ${across}: 'a person chooses among tenants' })`)],
      ...[`''`, `' '`, `'why'`, 'reason', `''.concat('a person chooses')`, `\`a person chooses\``].map((reason) => [
        store(`find({}, { ${across}: ${reason} })`),
      ]),
      [store(`find({}, { ${across} })`)],
      [code(`find({}, { ${across}: 'a person chooses among tenants' })`, 'scripts/seed.ts')],
    ],
    right: [
      [store(`find({}, { ${across}: 'a person chooses among tenants' })`)],
      [test(`find({}, { ${across}: '' })`)],
    ],
  },
  {
    title: 'what belongs to a tenant is reached through its model',
    rule: rules.tenantOwnedThroughItsModel,
    wrong: [
      [owned, code(`database.collection('things')`)],
      [owned, store(`database.collection<Thing>("things")`)],
      [owned, code(`const thingCollection = 'things';`, 'src/oidc/adapter/things.ts')],
      [owned, code(`Thing: { collection: 'things', id: 'plain' }`)],
      [{ ...owned, text: `${owned.text}\nmodel.collection.find({});` }],
      [{ ...owned, text: `${owned.text}\ndatabase.collection('things');` }],
      [store(`database.connection.db.command({})`)],
      [store(`database.connection.bulkWrite([])`)],
    ],
    right: [
      [owned, code(`database.collection('clients')`), code(`const claims = ['things'];`)],
      [owned, test(`database.collection('things')`)],
      [store(`database.connection.model('User', schema)`)],
    ],
  },
];

describe('the rules of the source', () => {
  const files: SourceFile[] = [];
  before(async () => {
    for (const folder of folders) {
      const entries = await readdir(join(repository, folder), { recursive: true, withFileTypes: true });
      for (const entry of entries.filter((each) => each.isFile())) {
        const path = join(entry.parentPath, entry.name);
        files.push({
          path: path.slice(repository.length + 1).replaceAll('\\', '/'),
          text: await readFile(path, 'utf8'),
        });
      }
    }
  });

  for (const { title, rule, wrong, right } of trials) {
    describe(title, () => {
      it('here', () => {
        expect(rule(files)).to.deep.equal([]);
      });

      it('and a planted violation is found', () => {
        for (const planted of wrong) expect(rule(planted), JSON.stringify(planted)).to.have.lengthOf(1);
        for (const planted of right) expect(rule(planted), JSON.stringify(planted)).to.deep.equal([]);
      });
    });
  }

  it('every rule is tried', () => {
    expect(new Set(Object.values(rules))).to.deep.equal(new Set(trials.map((trial) => trial.rule)));
  });
});
