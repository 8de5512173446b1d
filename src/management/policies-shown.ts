import { z } from 'zod';

export const policiesShown = z.object({
  ipAllowlist: z.array(z.string()).describe('Networks from which the tenant may be used; empty: from everywhere'),
  mfa: z.enum(['optional', 'required']).describe('required: people act in the tenant with two factors only'),
  emailCodes: z
    .enum(['allowed', 'refused'])
    .describe('refused: its members sign in and set up second factors without codes by e-mail, in whatever tenant'),
  password: z
    .object({ minimumLength: z.int().nullable(), history: z.int().nullable() })
    .describe('Of new passwords of its members: how long, and how many former ones are refused; null: as the platform'),
  signInAttempts: z
    .object({
      ...{ tries: z.int().nullable(), windowSeconds: z.int().nullable() },
      ...{ firstWaitSeconds: z.int().nullable(), longestWaitSeconds: z.int().nullable() },
      consecutive: z.int().nullable(),
    })
    .describe('Wrong passwords and codes of its members, where stricter than the platform; null: as the platform'),
  session: z
    .object({ idleSeconds: z.int().nullable(), absoluteSeconds: z.int().nullable() })
    .describe('How long a session may be used in the tenant; null: as long as it lives'),
  requiredProfile: z
    .array(z.enum(['name', 'givenName', 'familyName', 'locale']))
    .describe('What whoever comes in has to say about themselves; of the tenant platform: everybody'),
  terms: z
    .object({ version: z.string(), uri: z.string() })
    .nullable()
    .describe('What whoever comes in has to accept; of the tenant platform: everybody'),
});
