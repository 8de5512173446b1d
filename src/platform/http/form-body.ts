import parseBody from 'co-body';
import { parse } from 'node:querystring';
import type { Context } from 'koa';
import { AppError } from '../../kernel/errors.js';

export interface FormLimits {
  bodyBytes: number;
  /** How many parameters a query or a form may have. */
  parameters: number;
  /** How long one value may be, by the name of its parameter. */
  valueBytes: { other: number } & Readonly<Record<string, number>>;
}

/** The members of a form or query as they came; a repeated one is a list. No nesting: `a[$gt]=1` is a strange name. */
export type Members = Record<string, string | string[] | undefined>;

/** The text of a posted form within its limits. Throws 415, 413 or 400. */
export async function readFormText(ctx: Context, limits: FormLimits): Promise<string> {
  const isUtf8 = /^(utf-?8)?$/i.test(ctx.request.charset);
  const isPlain = /^(identity)?$/i.test(ctx.get('Content-Encoding')); // what is packed could be of any size unpacked
  if (!ctx.is('application/x-www-form-urlencoded') || !isUtf8 || !isPlain) {
    throw new AppError('form.media_type', {
      status: 415,
      detail: 'Forms are sent as application/x-www-form-urlencoded in UTF-8.',
    });
  }
  const text = await (parseBody.text(ctx.req, { limit: limits.bodyBytes }) as Promise<string>).catch(
    (cause: unknown) => {
      const tooLarge = (cause as { status?: number }).status === 413;
      throw tooLarge ? formTooLarge(cause) : unreadableForm(cause);
    },
  );
  refuseExcess(text, limits);
  return text;
}

export function parseForm(text: string): Members {
  return parse(text, '&', '=', { maxKeys: 0 });
}

/** Refuses with 400 more parameters, or longer values, than anything here needs. */
export function refuseExcess(encoded: string, { parameters, valueBytes }: Omit<FormLimits, 'bodyBytes'>): void {
  if (countOf(encoded, '&') >= parameters) {
    throw new AppError('request.too_many_parameters', { status: 400, detail: 'The request has too many parameters.' });
  }
  if (encoded.length <= Math.min(...Object.values(valueBytes))) return;
  for (const [name, values] of Object.entries(parseForm(encoded))) {
    const own = Object.hasOwn(valueBytes, name) ? valueBytes[name] : undefined;
    const limit = own ?? valueBytes.other;
    if ([values ?? []].flat().every((value) => Buffer.byteLength(value) <= limit)) continue;
    const which = own === undefined ? 'A parameter' : `The parameter ${name}`;
    throw new AppError('request.value_too_long', { status: 400, detail: `${which} may have ${limit} bytes at most.` });
  }
}

function countOf(text: string, separator: string): number {
  let count = 0;
  for (let at = text.indexOf(separator); at !== -1; at = text.indexOf(separator, at + 1)) count++;
  return count;
}

function formTooLarge(cause: unknown): AppError {
  return new AppError('form.too_large', { status: 413, detail: 'The form is too large.', cause });
}

function unreadableForm(cause: unknown): AppError {
  return new AppError('form.unreadable', { status: 400, detail: 'The form could not be read.', cause });
}
