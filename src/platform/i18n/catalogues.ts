import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { IntlMessageFormat } from 'intl-messageformat';
import { languages, type Language } from '../../kernel/languages.js';
import type { MessageValues, Said } from '../../kernel/message.js';

/** A text in pieces: what stands between `<strong>` and `</strong>` in the catalogue is strong, whatever the values hold. */
export interface Piece {
  text: string;
  isStrong: boolean;
}

/** What can be said in one language. */
export interface Words {
  language: Language;
  /** Plain text. Throws for a text or a value that is missing, which `npm run check` and the tests of the views find. */
  t(said: Said, values?: MessageValues): string;
  /** The same where a part of it is strong. Values are never read as markup. */
  pieces(said: Said, values?: MessageValues): Piece[];
  /** Whether the catalogue has this text; for what is named by data, such as the code of an error. */
  knows(key: string): boolean;
}

export type Catalogues = (language: Language) => Words;

/** Nested texts of a catalogue file by their whole name. */
export function textsOf(part: object, path = ''): [key: string, text: string][] {
  return Object.entries(part).flatMap(([name, value]: [string, unknown]) =>
    typeof value === 'string'
      ? [[path + name, value] as [string, string]]
      : textsOf(value as object, `${path}${name}.`),
  );
}

/** Reads `<language>.json` of each language and compiles every text (ICU MessageFormat) once; a broken one stops the start. */
export function openCatalogues(directory: string): Catalogues {
  const words = new Map(
    languages.map((language) => {
      const file = JSON.parse(readFileSync(join(directory, `${language}.json`), 'utf8')) as object;
      return [language, wordsIn(language, textsOf(file))];
    }),
  );
  return (language) => words.get(language) as Words;
}

type Compiled = string | IntlMessageFormat;
type Filled = string | Piece;

function wordsIn(language: Language, texts: readonly [string, string][]): Words {
  const compiled = new Map(texts.map(([key, text]) => [key, compile(text, language)]));

  function find(said: Said, values: MessageValues): { text: Compiled; values: MessageValues } {
    if (typeof said === 'object' && 'code' in said) {
      if (said.said) return find(said.said, values);
      const seconds = said.retryAfterSeconds ?? 1;
      return { text: compiled.get(`errors.${said.code}`) ?? said.message, values: { ...values, seconds } };
    }
    const { key, values: own = {} } = typeof said === 'string' ? { key: said, values: {} } : said;
    const text = compiled.get(key);
    if (text === undefined) throw new Error(`the catalogue of ${language} has no text ${key}`);
    return { text, values: { ...own, ...values } };
  }

  function fill({ text, values }: ReturnType<typeof find>): Filled[] {
    if (typeof text === 'string') return [text];
    const filled: Record<string, string | number> = {};
    for (const [name, value] of Object.entries(values))
      filled[name] = typeof value === 'object' ? words.t(value) : value;
    const strong = (parts: (string | Piece)[]): Piece => ({ text: parts.map(textOf).join(''), isStrong: true });
    return [text.format<Piece>({ ...filled, strong })].flat();
  }

  const words: Words = {
    language,
    t: (said, values = {}) => fill(find(said, values)).map(textOf).join(''),
    pieces: (said, values = {}) =>
      fill(find(said, values)).map((part) => (typeof part === 'string' ? { text: part, isStrong: false } : part)),
    knows: (key) => compiled.has(key),
  };
  return words;
}

/** Text without places needs no work when it is said. */
function compile(text: string, language: Language): Compiled {
  const message = new IntlMessageFormat(text, language);
  const [first, ...others] = message.getAst();
  return others.length === 0 && first !== undefined && 'value' in first && first.value === text ? text : message;
}

function textOf(part: Filled): string {
  return typeof part === 'string' ? part : part.text;
}
