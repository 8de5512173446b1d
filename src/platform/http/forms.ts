import parseBody from 'co-body';
import type { Context } from 'koa';
import { AppError, type FieldProblem } from '../../kernel/errors.js';
import { equalSecrets } from '../../kernel/secret.js';
import type { KeyedHash } from '../crypto/keyed-hash.js';

/** The part of a zod schema that is needed here. */
interface Schema<T> {
  safeParse(
    value: unknown,
  ):
    | { success: true; data: T }
    | { success: false; error: { issues: { path: PropertyKey[]; code: string; message: string }[] } };
}

export interface Forms {
  /** The token for a form that belongs to `binding` (an interaction or a session). */
  csrfToken(binding: string): string;
  /**
   * Reads a posted form: from this origin, with the token of `binding`, and exactly the members of the schema, each
   * once. Throws 403 for a foreign or unbound form, 415, 413 or 400 for one that cannot be read.
   */
  read<T>(ctx: Context, binding: string, schema: Schema<T>): Promise<T>;
}

export function createForms(options: { issuer: string; hash: KeyedHash; bodyBytes: number }): Forms {
  const csrfToken = (binding: string): string => options.hash(binding);
  return {
    csrfToken,
    async read(ctx, binding, schema) {
      requireSameOrigin(ctx, options.issuer);
      const { csrf, ...members } = await readForm(ctx, options.bodyBytes);
      if (typeof csrf !== 'string' || !equalSecrets(csrf, csrfToken(binding))) throw foreignForm();
      const parsed = schema.safeParse(members);
      if (parsed.success) return parsed.data;
      throw new AppError('form.invalid', {
        status: 400,
        detail: 'The form was not filled in as expected.',
        fields: parsed.error.issues.map((issue): FieldProblem => ({
          pointer: `/${issue.path.join('/')}`,
          code: issue.code,
          detail: issue.message,
        })),
      });
    },
  };
}

/** Browsers say where a form came from (Fetch metadata, `Origin`): whatever is said must be "from here". Other clients say nothing; the token binds those. */
export function requireSameOrigin(ctx: Context, issuer: string): void {
  const site = ctx.get('Sec-Fetch-Site');
  const origin = ctx.get('Origin');
  if (site !== '' && site !== 'same-origin' && site !== 'none') throw foreignForm();
  if (origin !== '' && origin !== issuer) throw foreignForm();
}

/** The members of a posted form as they came; a repeated one is a list. Throws 415, 413 or 400. */
export async function readForm(ctx: Context, limit: number): Promise<Record<string, unknown>> {
  if (!ctx.is('application/x-www-form-urlencoded')) {
    throw new AppError('form.media_type', {
      status: 415,
      detail: 'Forms are sent as application/x-www-form-urlencoded.',
    });
  }
  try {
    // queryString: no nesting, so that `a[$gt]=1` is just a strange name and `__proto__` a member of nothing
    return (await parseBody.form(ctx.req, {
      limit,
      queryString: { depth: 0, parameterLimit: 100, plainObjects: true },
    })) as Record<string, unknown>;
  } catch (cause) {
    const tooLarge = (cause as { status?: number }).status === 413;
    throw new AppError(tooLarge ? 'form.too_large' : 'form.unreadable', {
      status: tooLarge ? 413 : 400,
      detail: tooLarge ? 'The form is too large.' : 'The form could not be read.',
      cause,
    });
  }
}

function foreignForm(): AppError {
  return new AppError('form.foreign', {
    status: 403,
    detail: 'This form is not from this page, or the page is too old. Go back and try again.',
  });
}
