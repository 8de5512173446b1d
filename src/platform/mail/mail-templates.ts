import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import ejs, { type TemplateFunction } from 'ejs';
import type { Reader } from '../../kernel/languages.js';
import type { LetterName, Message, MessageKey } from '../../kernel/message.js';
import type { Catalogues, Piece, Words } from '../i18n/catalogues.js';
import { momentsFor } from '../i18n/moments.js';

export interface RenderedMail {
  subject: string;
  text: string;
  html: string;
}

/** One of the letters of the catalogues, to somebody. */
export interface Letter {
  name: LetterName;
  reader: Reader;
  values: Readonly<Record<string, string | number | Message | Date>>;
  /** Where its link leads, below the issuer. */
  path?: string;
}

/** Whatever stands in the values is text and never markup, a header or a second line; a date is written for the reader. */
export type RenderMail = (letter: Letter) => RenderedMail;

const parts = ['subject', 'text', 'html'] as const;
const longestSubject = 200;
/** Of one value; whatever the stores allow, a mail stays a mail. */
const longestValue = 320;

/**
 * Compiles `views/mail/letter` once; a broken template stops the start. Links are built here from paths, so that a mail
 * leads to the configured issuer and nowhere else, whatever a request said about its host.
 */
export function openMailTemplates(viewsDirectory: string, issuer: string, catalogues: Catalogues): RenderMail {
  const [subject, text, html] = parts.map((part) => {
    const filename = join(viewsDirectory, 'mail', `letter.${part}.ejs`);
    const escape = part === 'html' ? {} : { escape: String };
    return ejs.compile(readFileSync(filename, 'utf8'), { filename, ...escape });
  }) as [TemplateFunction, TemplateFunction, TemplateFunction];

  return (letter) => {
    const values = Object.create(null) as Record<string, unknown>;
    Object.assign(values, contentOf(catalogues(letter.reader.language), letter), { link: linkTo(issuer, letter) });
    return { subject: shortened(inSubject(subject(values)), longestSubject), text: text(values), html: html(values) };
  };
}

/** What the catalogue says under the name of the letter; lines are `line_1`, `line_2` and so on. */
function contentOf({ language: lang, t, pieces, knows }: Words, { name, reader, values }: Letter): object {
  const moment = momentsFor(reader);
  const presented = Object.fromEntries(
    Object.entries(values).map(([key, value]) => [
      key,
      value instanceof Date ? moment(value).text : typeof value === 'string' ? presentable(value) : value,
    ]),
  );
  const say = (part: string): string | null => {
    const key = `letters.${name}.${part}`;
    return knows(key) ? t(key as MessageKey, presented) : null;
  };
  const lines: Piece[][] = [];
  for (let key; knows((key = `letters.${name}.line_${lines.length + 1}`));)
    lines.push(pieces(key as MessageKey, presented));
  const subject = say('subject') ?? '';
  return {
    ...{ lang, subject, heading: say('heading') ?? subject, lines, action: say('action'), note: say('note') },
    button: t('letters.button'),
  };
}

function presentable(value: string): string {
  return shortened(asPlainText(value), longestValue);
}

/** One line without what a reader does not see, or what would turn what follows. */
function asPlainText(value: string): string {
  return value.replace(/(?:(?![\u200c\u200d])[\p{Cc}\p{Cs}\p{Zl}\p{Zp}\p{Default_Ignorable_Code_Point}])+/gu, ' ');
}

/** An encoded word that somebody has as a name (RFC 2047) stays what it is. */
function inSubject(text: string): string {
  return text.trim().replaceAll('=?', '= ?');
}

function shortened(text: string, longest: number): string {
  const characters = Array.from(text);
  return characters.length <= longest ? text : `${characters.slice(0, longest - 1).join('')}…`;
}

/** A path of ours, and nothing that looks like ours (user information, `blob:`); its page speaks as the letter does. */
function linkTo(issuer: string, { path, reader }: Letter): string | null {
  if (path === undefined) return null;
  const link = new URL(path, issuer);
  if (!link.href.startsWith(`${issuer}/`)) throw new Error('a link in a mail leads elsewhere');
  link.searchParams.set('ui_locales', reader.language);
  return link.href;
}
