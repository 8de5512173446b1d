import parseBody from 'co-body';
import type { Context } from 'koa';
import { AppError, invalidInput, type FieldProblem } from '../../kernel/errors.js';

export interface JsonLimits {
  bodyBytes: number;
  depth: number;
  arrayItems: number;
}

const forbiddenNames = new Set(['__proto__', 'constructor', 'prototype']);

/** The body of a request as JSON within the limits; undefined when there is none. Throws 415, 413 or 400. */
export async function readJson(ctx: Context, limits: JsonLimits): Promise<unknown> {
  const hasBody = ctx.get('Transfer-Encoding') !== '' || !['', '0'].includes(ctx.get('Content-Length'));
  if (!hasBody) return undefined;
  requireJson(ctx);
  const text = await (parseBody.text(ctx.req, { limit: limits.bodyBytes }) as Promise<string>).catch(
    (cause: unknown) => {
      const isTooLarge = (cause as { status?: number }).status === 413;
      throw isTooLarge
        ? new AppError('request.too_large', { status: 413, detail: 'The body is too large.', cause })
        : unreadable(cause);
    },
  );
  const value = parse(text);
  const problem = problemOf(value, limits, { pointer: '', depth: 0 });
  if (problem) throw invalidInput([problem], 'The body is not acceptable.');
  return value;
}

function requireJson(ctx: Context): void {
  const accepted = ctx.method === 'PATCH' ? ['application/merge-patch+json', 'application/json'] : ['application/json'];
  const isPlain = /^(identity)?$/i.test(ctx.get('Content-Encoding')); // what is packed could be of any size unpacked
  const isUtf8 = /^(utf-?8)?$/i.test(ctx.request.charset);
  if (ctx.is(accepted) && isPlain && isUtf8) return;
  throw new AppError('request.media_type', { status: 415, detail: `The body is sent as ${accepted.join(' or ')}.` });
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw unreadable(cause);
  }
}

function unreadable(cause: unknown): AppError {
  return new AppError('request.unreadable', { status: 400, detail: 'The body is no JSON.', cause });
}

/** What no schema asks about: names that mean something to the runtime, depth, length, and text that is no text. */
function problemOf(
  value: unknown,
  limits: JsonLimits,
  { pointer, depth }: { pointer: string; depth: number },
): FieldProblem | null {
  if (typeof value === 'string' && (value.includes('\0') || !isWellFormed(value)))
    return { pointer, code: 'not_text', detail: 'must be text without NUL and lone surrogates' };
  if (typeof value !== 'object' || value === null) return null;
  if (depth >= limits.depth) return { pointer, code: 'too_deep', detail: `may be nested ${limits.depth} deep at most` };
  if (Array.isArray(value) && value.length > limits.arrayItems)
    return { pointer, code: 'too_many', detail: `may have ${limits.arrayItems} items at most` };
  for (const [name, member] of Object.entries(value)) {
    const at = `${pointer}/${name.replaceAll('~', '~0').replaceAll('/', '~1')}`;
    if (forbiddenNames.has(name)) return { pointer: at, code: 'unrecognized_keys', detail: 'is not a member' };
    const problem = problemOf(member, limits, { pointer: at, depth: depth + 1 });
    if (problem) return problem;
  }
  return null;
}

function isWellFormed(text: string): boolean {
  return !/[\uD800-\uDFFF]/u.test(text);
}
