import { z } from 'zod';

/** Members of a profile that may be asked for. */
export const profileMembers = ['name', 'givenName', 'familyName', 'locale'] as const;

export const requiredProfile = z
  .array(z.enum(profileMembers))
  .max(profileMembers.length)
  .refine((members) => new Set(members).size === members.length, 'must not repeat a value');

/** Terms that people accept before they come in; another version is accepted anew. Null: none. */
export const terms = z
  .strictObject({
    version: z
      .string()
      .max(40)
      .regex(/^[\w.-]+$/, 'must be letters, digits and . _ -'),
    uri: z
      .string()
      .max(500)
      .refine((value) => URL.canParse(value) && value.startsWith('https://'), 'must be an https URI'),
  })
  .nullable();
