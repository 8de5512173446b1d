import type { Context } from 'koa';
import { AppError, type FieldProblem } from '../../kernel/errors.js';
import { equalSecrets } from '../../kernel/secret.js';
import type { KeyedHash } from '../crypto/keyed-hash.js';
import type { BrowserIds } from './browser-id.js';
import { parseForm, readFormText, type FormLimits } from './form-body.js';

/** The part of a zod schema that is needed here. */
interface Schema<T> {
  safeParse(
    value: unknown,
  ):
    | { success: true; data: T }
    | { success: false; error: { issues: { path: PropertyKey[]; code: string; message: string }[] } };
}

export interface Forms {
  /** The token for a form that belongs to `binding` (an interaction or a session) and to the browser it is shown in. */
  csrfToken(ctx: Context, binding: string): string;
  /**
   * Reads a posted form: from this origin, with the token of `binding` in this browser, and exactly the members of the schema, each
   * once. Throws 403 for a foreign or unbound form, 415, 413 or 400 for one that cannot be read.
   */
  read<T>(ctx: Context, binding: string, schema: Schema<T>): Promise<T>;
  /**
   * The same in two steps, where what the form belongs to may end while its sender still holds bytes back: it is looked up
   * after the last one.
   */
  receive(ctx: Context): Promise<ReceivedForm>;
}

/** A form that is there as a whole. */
export interface ReceivedForm {
  read<T>(binding: string, schema: Schema<T>): T;
}

export function createForms(options: {
  issuer: string;
  hash: KeyedHash;
  limits: FormLimits;
  browserIds: BrowserIds;
}): Forms {
  const csrfToken = (ctx: Context, binding: string): string => options.hash(binding, options.browserIds.ensure(ctx));

  async function receive(ctx: Context): Promise<ReceivedForm> {
    requireSameOrigin(ctx, options.issuer);
    const { csrf, ...members } = parseForm(await readFormText(ctx, options.limits));
    return {
      read(binding, schema) {
        if (typeof csrf !== 'string' || !equalSecrets(csrf, csrfToken(ctx, binding))) throw foreignForm();
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

  return {
    csrfToken,
    receive,
    read: async (ctx, binding, schema) => (await receive(ctx)).read(binding, schema),
  };
}

/** Browsers say where a form came from (Fetch metadata, `Origin`): whatever is said must be "from here". Other clients say nothing; the token binds those. */
export function requireSameOrigin(ctx: Context, issuer: string): void {
  const site = ctx.get('Sec-Fetch-Site');
  const origin = ctx.get('Origin');
  if (site !== '' && site !== 'same-origin' && site !== 'none') throw foreignForm();
  if (origin !== '' && origin !== issuer) throw foreignForm();
}

function foreignForm(): AppError {
  return new AppError('form.foreign', {
    status: 403,
    detail: 'This form is not from this page, or the page is too old. Go back and try again.',
  });
}
