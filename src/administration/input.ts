import { z } from 'zod';
import { AppError } from '../kernel/errors.js';
import { permissionPattern, roleKeyPattern, slugPattern } from '../kernel/patterns.js';

const unique = (values: readonly string[]): boolean => new Set(values).size === values.length;

/** A name that people read: no control characters, none that turn or hide what follows. */
export const nameText = (maximum: number): z.ZodString =>
  z
    .string()
    .min(1)
    .max(maximum)
    .regex(/^[^\p{Cc}\p{Bidi_Control}]*$/u, 'must not hold control characters');

export const slugText = z.string().max(63).regex(slugPattern, 'must be lower-case letters, digits and hyphens');
export const tenantTypeText = z.enum(['personal', 'team', 'enterprise']);
export const roleKeyText = z.string().max(40).regex(roleKeyPattern, 'must be a lower-case word');
export const roleKeys = z.array(roleKeyText).min(1).max(50).refine(unique, 'must not repeat a value');
export const permissionTexts = z
  .array(z.string().max(80).regex(permissionPattern, 'must look like thing:action'))
  .max(500)
  .refine(unique, 'must not repeat a value');
export const templateReference = z.strictObject({
  key: z.string().max(40).regex(slugPattern),
  version: z.int().min(1).max(1_000_000).optional(),
});

export const settingsSchema = z.strictObject({
  policies: z.strictObject({
    ipAllowlist: z.array(z.string()).max(0, 'is not enforced by this version, so it must be empty'),
    mfa: z.literal('optional', 'must be optional: this version enforces nothing stricter'),
  }),
  features: z
    .array(z.string().regex(/^[a-z][a-z0-9_]{0,39}$/))
    .max(100)
    .refine(unique, 'must not repeat a value'),
  limits: z.strictObject({
    members: z.int().min(0).max(10_000_000).nullable(),
    serviceAccounts: z.int().min(0).max(1_000_000).nullable(),
  }),
  branding: z.strictObject({
    supportUri: z
      .string()
      .max(500)
      .refine((value) => URL.canParse(value) && value.startsWith('https://'), 'must be an https URI')
      .nullable(),
  }),
});

/** What comes from outside, or a 400 that points (RFC 6901) at each thing that is wrong with it. */
export function parsed<Schema extends z.ZodType>(schema: Schema, input: unknown): z.output<Schema> {
  const result = schema.safeParse(input);
  if (result.success) return result.data;
  const fields = result.error.issues.map((issue) => {
    const path = issue.code === 'unrecognized_keys' ? [...issue.path, issue.keys[0] ?? ''] : issue.path;
    return { pointer: pointerOf(path), code: issue.code, detail: issue.message };
  });
  throw new AppError('input.invalid', { status: 400, detail: 'What was sent has not the right form.', fields });
}

function pointerOf(path: readonly PropertyKey[]): string {
  return path.map((step) => `/${String(step).replaceAll('~', '~0').replaceAll('/', '~1')}`).join('');
}
