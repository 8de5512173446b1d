// What the documents say about commands, files, settings and tests is compared with what is there.
import { existsSync, readFileSync, readdirSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { expect } from 'chai';
import { settings, type Setting } from '../../config/settings.js';
import { parseSeedFile } from '../../src/seeding/parse-seed-file.js';
import { closeApps, startApp } from '../support/start-app.js';
import { repository } from './planted-tree.js';

interface Page {
  path: string;
  text: string;
}

const folder = 'docs/decisions';
const decisions = readdirSync(join(repository, folder)).map((name) => `${folder}/${name}`);
const roots = ['README.md', 'ARCHITECTURE.md', 'CONTRIBUTING.md', 'SECURITY.md', 'CHANGELOG.md'];
const pages: Page[] = [...roots, ...decisions].map((path) => ({ path, text: read(path) }));
const readme = read('README.md');
const lineBreaks = /\s*\n\s*/g;

function read(path: string): string {
  return readFileSync(join(repository, path), 'utf8');
}

function isThere(path: string): boolean {
  return existsSync(join(repository, path));
}

/** Every match of the first group, with the page it stands on. */
function found(pattern: RegExp, where: readonly Page[] = pages): { path: string; value: string }[] {
  return where.flatMap(({ path, text }) =>
    [...text.matchAll(pattern)].map((match) => ({ path, value: String(match[1] ?? match[0]) })),
  );
}

function anchorOf(heading: string): string {
  return heading
    .toLowerCase()
    .replace(/[^\w\s-]/g, '')
    .replace(/\s/g, '-');
}

function seedExample(): string {
  return /<!-- seed example -->\s*```yaml\n([\s\S]*?)```/.exec(readme)?.[1] ?? '';
}

describe('the documents', () => {
  afterEach(closeApps);

  it('begin with the two commands', () => {
    const commands = [...readme.matchAll(/```sh\n([\s\S]*?)```/g)].map((match) => match[1]?.trim());
    expect(commands.slice(0, 2)).to.deep.equal(['npm ci && npm start', 'npm ci && npm test']);
  });

  it('name commands that are in package.json', () => {
    const { scripts } = JSON.parse(read('package.json')) as { scripts: Record<string, string> };
    const named = found(/\bnpm run (?:-s )?([a-z][\w:-]*)/g);
    expect(named).not.to.have.length(0);
    expect(named.filter(({ value }) => !(value in scripts))).to.deep.equal([]);
  });

  it('link to what is there', () => {
    const broken = found(/\]\(([^)\s]+)\)/g).filter(({ path, value }) => {
      if (/^https?:/.test(value)) return false;
      const [target = '', anchor] = value.split('#');
      const file = target === '' ? path : relative(repository, join(repository, dirname(path), target));
      if (!isThere(file)) return true;
      const headings = anchor === undefined ? [] : [...read(file).matchAll(/^#+ (.+)$/gm)].map((match) => match[1]);
      return anchor !== undefined && !headings.some((heading) => anchorOf(heading ?? '') === anchor);
    });
    expect(broken).to.deep.equal([]);
  });

  it('name files and folders that are there', () => {
    const inFolder = '(?:src|test|config|scripts|views|docs|\\.ci)\\/[\\w./-]*';
    const atRoot = '[\\w.-]+\\.(?:md|json|cjs|js)|\\.(?:npmrc|env\\.example|dependency-cruiser\\.cjs)';
    const named = found(new RegExp(`\`(${inFolder}|${atRoot})\``, 'g'));
    const made = ['secrets.json']; // in the data folder
    expect(named.length).to.be.greaterThan(50);
    expect(named.filter(({ value }) => !isThere(value) && !made.includes(value))).to.deep.equal([]);
  });

  it('name the folders of the tree', () => {
    const tree = /```text\nconfig\/[\s\S]*?```/.exec(read('ARCHITECTURE.md'))?.[0] ?? '';
    const drawn = [...tree.matchAll(/(?<= )([a-z-]+)\/(?=[\s;])/g)].map((match) => match[1] ?? '');
    const slices = readdirSync(join(repository, 'src'), { withFileTypes: true }).filter((entry) => entry.isDirectory());
    for (const { name } of slices) expect(drawn, `src/${name} is not in the tree`).to.include(name);
  });

  it('name settings that are there, and as reserved exactly those that are', () => {
    const table = readme.slice(readme.indexOf('## Configuration'), readme.indexOf('## The database'));
    const inTicks = /`([A-Z][A-Z0-9]*(?:_[A-Z0-9]+)*)`/g;
    const assigned = /\b([A-Z][A-Z_]{3,})=/g;
    const where = pages.filter(({ path }) => path === 'README.md' || path === 'SECURITY.md');
    const known = (name: string): boolean => name in settings || name.replace(/_FILE$/, '') in settings;
    const foreign = ['NAME_FILE', 'GET', 'POST'];
    const named = [...found(inTicks, [{ path: 'README.md', text: table }]), ...found(assigned, where)];
    expect(named.filter(({ value }) => !known(value) && !foreign.includes(value))).to.deep.equal([]);
    const sentence = /^Reserved,[\s\S]*?\.$/m.exec(table)?.[0] ?? '';
    const reserved = Object.entries(settings).filter(([, setting]) => (setting as Setting<unknown>).reserved);
    expect([...sentence.matchAll(inTicks)].map((match) => match[1])).to.have.members(reserved.map(([name]) => name));
  });

  it('quote the titles of tests that are there', () => {
    const cited = found(/`test\/[\w./-]+`:\s*"[^"]+"/g, [{ path: 'SECURITY.md', text: read('SECURITY.md') }]);
    expect(cited.length).to.be.greaterThan(20);
    const missing = cited.filter(({ value }) => {
      const [, file = '', title = ''] = /`([^`]+)`:\s*"([^"]+)"/.exec(value) ?? [];
      return !isThere(file) || !read(file).includes(title.replace(lineBreaks, ' '));
    });
    expect(missing).to.deep.equal([]);
  });

  it('give each decision its number, its date and the three headings', () => {
    expect(decisions).to.have.length.of.at.least(9);
    const numbers = decisions.map((path) => /\/(\d{4})-[a-z0-9-]+\.md$/.exec(path)?.[1] ?? path);
    expect(new Set(numbers).size).to.equal(decisions.length);
    for (const [index, path] of decisions.entries()) {
      const text = read(path);
      const number = numbers[index] ?? '';
      expect(text).to.match(new RegExp(`^# ${number}: `));
      expect(text, path).to.match(/^Date: \d{4}-\d{2}-\d{2}$/m);
      const headings = [...text.matchAll(/^## (.+)$/gm)].map((match) => match[1]);
      expect(headings, path).to.deep.equal(['Context', 'Decision', 'Consequences']);
    }
  });

  it('show a seed that applies, and that changes nothing the second time', async () => {
    const example = seedExample();
    expect(parseSeedFile(example, 'README.md').seed.tenants.map((tenant) => tenant.slug)).to.deep.equal(['acme']);
    const { app } = await startApp({ seed: {} });
    const first = await app.seeding.applySeedFile(example, 'README.md');
    const second = await app.seeding.applySeedFile(example, 'README.md');
    expect(second).to.deep.equal({ created: 0, updated: 0, unchanged: first.created });
    expect(readme).to.contain(`0 created, 0 updated, ${first.created} unchanged`);
  });

  it('hold no paths of a machine and no registry addresses', () => {
    const foreign = found(/(?:\/(?:home|root|tmp|work|Users)\/[\w.-]+|registry\.[\w.-]+|\bnpmmirror\b)/g);
    expect(foreign).to.deep.equal([]);
  });
});
