import { z } from 'zod';
import { parseEmail } from '../kernel/email.js';
import { invalidInput } from '../kernel/errors.js';
import { branding } from '../platform/schemas/branding.js';
import { networks } from '../platform/schemas/networks.js';
import { requiredProfile, terms } from '../platform/schemas/required-of-people.js';
import {
  emailCodesPolicy,
  passwordPolicy,
  sessionPolicy,
  signInAttemptsPolicy,
  withNull,
} from '../platform/schemas/tenant-policies.js';
import {
  nameCharacters,
  permissionPattern,
  roleKeyPattern,
  slugPattern,
  somethingVisible,
} from '../kernel/patterns.js';

const unique = (values: readonly string[]): boolean => new Set(values).size === values.length;

/** A name that people read. */
export const nameText = (maximum: number): z.ZodString =>
  z
    .string()
    .min(1)
    .max(maximum)
    .regex(nameCharacters, 'must not hold control characters')
    .regex(somethingVisible, 'must hold something that can be seen');

/** Any spelling; `parseEmail` gives the canonical one. */
export const emailText = z
  .string()
  .max(254)
  .refine((value) => parseEmail(value) !== null, 'must be an e-mail address');
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
    ipAllowlist: networks,
    mfa: z.enum(['optional', 'required']),
    emailCodes: emailCodesPolicy.default('allowed'),
    password: z.strictObject({ ...passwordPolicy, history: passwordPolicy.history.default(null) }),
    signInAttempts: z.strictObject(withNull(signInAttemptsPolicy)).prefault({}),
    session: z.strictObject(sessionPolicy),
    ...{ requiredProfile, terms },
  }),
  features: z
    .array(z.string().regex(/^[a-z][a-z0-9_]{0,39}$/))
    .max(100)
    .refine(unique, 'must not repeat a value'),
  limits: z.strictObject({
    members: z.int().min(0).max(10_000_000).nullable(),
    serviceAccounts: z.int().min(0).max(1_000_000).nullable(),
  }),
  branding,
});

/** Of a policy with several members those that are not given stay as they are. */
export const policyChangesSchema = settingsSchema.shape.policies
  .extend({
    emailCodes: emailCodesPolicy,
    password: z.strictObject(passwordPolicy).partial(),
    signInAttempts: z.strictObject(signInAttemptsPolicy).partial(),
    session: z.strictObject(sessionPolicy).partial(),
  })
  .partial();

/** Throws 412 unless the stored thing is the one that the caller has seen; asked in the transaction of the change. */
export type Precondition = (current: object) => void;

/** What comes from outside, or a 400 that points (RFC 6901) at each thing that is wrong with it. */
export function parsed<Schema extends z.ZodType>(schema: Schema, input: unknown): z.output<Schema> {
  const result = schema.safeParse(input);
  if (result.success) return result.data;
  const fields = result.error.issues.map((issue) => {
    const path = issue.code === 'unrecognized_keys' ? [...issue.path, issue.keys[0] ?? ''] : issue.path;
    return { pointer: pointerOf(path), code: issue.code, detail: issue.message };
  });
  throw invalidInput(fields);
}

function pointerOf(path: readonly PropertyKey[]): string {
  return path.map((step) => `/${String(step).replaceAll('~', '~0').replaceAll('/', '~1')}`).join('');
}
