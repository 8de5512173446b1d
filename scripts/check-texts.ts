/**
 * What is said to people stands in the catalogues (`locales/<language>.json`), in every language, and nowhere else:
 * `npm run check -- texts` prints what does not, and exits 1.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { IntlMessageFormat } from 'intl-messageformat';

interface Source {
  path: string;
  text: string;
}

type Catalogue = ReadonlyMap<string, string>;

function flat(part: object, path = ''): [string, string][] {
  return Object.entries(part).flatMap(([name, value]: [string, unknown]): [string, string][] =>
    typeof value === 'string' ? [[path + name, value]] : flat(value as object, `${path}${name}.`),
  );
}

function sourcesIn(folder: string, ending: string): Source[] {
  return readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .filter((file) => file.endsWith(ending))
    .map((file) => ({ path: join(folder, file), text: readFileSync(join(folder, file), 'utf8') }));
}

/** Names of the places and tags of a text, those within choices too. */
function placesOf(elements: unknown, found = new Set<string>()): Set<string> {
  if (Array.isArray(elements)) for (const each of elements) placesOf(each, found);
  else if (typeof elements === 'object' && elements !== null) {
    const { type, value, options, children } = elements as Record<string, unknown>;
    if (typeof value === 'string' && type !== 0) found.add(value);
    for (const choice of Object.values(options ?? {})) placesOf((choice as { value: unknown }).value, found);
    placesOf(children, found);
  }
  return found;
}

function placesIn(text: string): string {
  return [...placesOf(new IntlMessageFormat(text, 'en').getAst())].sort().join(' ');
}

/** Every catalogue has the same texts with the same places. */
function differences(first: Catalogue, name: string, other: Catalogue): string[] {
  const missing = [...first.keys()].filter((key) => !other.has(key)).map((key) => `${name} has no text ${key}`);
  const strange = [...other.keys()].filter((key) => !first.has(key)).map((key) => `${name} alone has a text ${key}`);
  const places = [...first]
    .filter(([key, text]) => other.has(key) && placesIn(text) !== placesIn(other.get(key) ?? ''))
    .map(([key]) => `${name} has other places in ${key}`);
  return [...missing, ...strange, ...places];
}

/** What a view names is there; code cannot name what is not, since the names are a type. */
function unknownTexts(catalogue: Catalogue, views: readonly Source[]): string[] {
  return views.flatMap(({ path, text }) =>
    [...text.matchAll(/\b(?:t|pieces)\((?:[\w.]+ \? )?'([^']+)'(?: : '([^']+)')?/g)]
      .flatMap(([, ...keys]) => keys.filter((key) => key !== undefined))
      .filter((key) => !catalogue.has(key))
      .map((key) => `${path} says ${key}, which no catalogue has`),
  );
}

/** Texts are named whole, or below a name that code completes (`errors.${code}`): then the rest stands there as a word. */
function unusedTexts(catalogue: Catalogue, sources: readonly Source[]): string[] {
  const all = sources.map(({ text }) => text).join('\n');
  const words = new Set([...all.matchAll(/'([\w.-]+)'|\b(\w+): \{/g)].map(([, literal, member]) => literal ?? member));
  const completed = [...new Set([...all.matchAll(/`((?:[a-z_]+\.)+)\$\{/g)].map(([, begin]) => begin ?? ''))];
  const isCompleted = (key: string): boolean =>
    completed.some((begin) => {
      const rest = key.startsWith(begin) ? key.slice(begin.length) : '';
      return words.has(rest) || words.has(rest.replace(/\.(?:subject|heading|line_\d|action|note)$/, ''));
    });
  return [...catalogue.keys()].filter((key) => !words.has(key) && !isCompleted(key)).map((key) => `nobody says ${key}`);
}

/** Whoever meets a page can meet these refusals. */
const pageFolders = /^src\/(?:platform\/http|oidc|sign-in|account|accounts|credentials)\//;

function refusalsWithoutText(catalogue: Catalogue, code: readonly Source[]): string[] {
  return code
    .filter(({ path }) => pageFolders.test(path.replaceAll('\\', '/')))
    .flatMap(({ path, text }) =>
      [...text.matchAll(/new AppError\(\s*'([a-z_.]+)'/g)].map(([, name]) => ({ path, name })),
    )
    .filter(({ name }) => !catalogue.has(`errors.${name}`))
    .map(({ path, name }) => `${path} refuses with ${name}, for which no catalogue has a text`);
}

/** The name of the product is said in every language. */
const named = /\bGatehouse\b|·/g;

/** Views hold no words of their own: neither between tags nor in attributes that are read aloud, nor for an include. */
function wordsInViews(views: readonly Source[]): string[] {
  return views.flatMap(({ path, text }) => {
    const markup = text
      .replace(/<%[#-]?[\s\S]*?%>/g, (tag) =>
        /\b(?:label|title): '[^']*\p{L}/u.test(tag) ? ' [words for an include] ' : '',
      )
      .replace(/<style>[\s\S]*?<\/style>|<!doctype[^>]*>/gi, '');
    const spoken = [...markup.matchAll(/\s(?:aria-label|title|placeholder|alt)="([^"]*)"/g)].map(
      ([, value]) => value ?? '',
    );
    const between = markup.replace(/<[^>]*>/g, '\n').split('\n');
    return [...between, ...spoken]
      .map((words) => words.replace(named, '').trim())
      .filter((words) => /\p{L}/u.test(words))
      .map((words) => `${path} says “${words}” in one language only`);
  });
}

const catalogues = readdirSync('locales').map((file): [string, Catalogue] => [
  `locales/${file}`,
  new Map(flat(JSON.parse(readFileSync(join('locales', file), 'utf8')) as object)),
]);
const english = new Map(catalogues).get('locales/en.json') ?? new Map<string, string>();
const views = sourcesIn('views', '.ejs');
const code = sourcesIn('src', '.ts');
const problems = [
  ...catalogues.flatMap(([name, catalogue]) => differences(english, name, catalogue)),
  ...unknownTexts(english, views),
  ...unusedTexts(english, [...views, ...code]),
  ...refusalsWithoutText(english, code),
  ...wordsInViews(views),
];
for (const problem of problems) console.error(problem);
console.log(`${english.size} texts in ${catalogues.length} languages`);
process.exitCode = problems.length === 0 && english.size > 0 ? 0 : 1;
