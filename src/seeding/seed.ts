import { z } from 'zod';
import { clientIdPattern, permissionPattern, roleKeyPattern, slugPattern } from '../kernel/patterns.js';
import { algorithmsOfKey, clientSigningAlgorithms, problemOfPublicKey } from '../kernel/public-keys.js';
import { problemOfRedirectUri } from '../kernel/redirect-uri.js';

const text = (maximum: number): z.ZodString =>
  z
    .string()
    .min(1)
    .max(maximum)
    .regex(/^[^\p{Cc}]*$/u, 'must not hold control characters');
const slug = z.string().regex(slugPattern, 'must be lower-case letters, digits and hyphens');
const roleKey = z.string().regex(roleKeyPattern, 'must be lower-case letters, digits, hyphens and underscores');
const permission = z.string().max(80).regex(permissionPattern, 'must look like thing:action');
const clientId = z.string().regex(clientIdPattern, 'must be letters, digits and . _ ~ -');
const absoluteUri = z
  .string()
  .max(500)
  .refine((value) => URL.canParse(value) && !value.includes('#'), 'must be an absolute URI without a fragment');
const webUri = z
  .string()
  .max(500)
  .refine((value) => /^https?:\/\//.test(value) && URL.canParse(value), 'must be an http(s) URL');
const unique = (values: readonly string[]): boolean => new Set(values).size === values.length;
const namesOf = <T extends z.ZodType<string>>(item: T): z.ZodArray<T> =>
  z.array(item).max(500).refine(unique, 'must not repeat a value');

const publicKeys = z.strictObject({
  keys: z
    .array(
      z
        .looseObject({
          kty: z.string(),
          ...{ crv: z.string().optional(), x: z.string().optional(), y: z.string().optional() },
          ...{ n: z.string().max(2000).optional(), e: z.string().optional() },
          ...{ kid: text(100).optional(), use: z.string().optional(), alg: z.string().optional() },
        })
        .superRefine((key, context) => {
          const message = problemOfPublicKey(key);
          if (message !== null) context.addIssue({ code: 'custom', message });
        }),
    )
    .min(1, 'must hold a key')
    .max(10)
    .refine((keys) => unique(keys.flatMap(({ kid }) => kid ?? [])), 'must not repeat a kid'),
});

const resource = z.strictObject({
  identifier: absoluteUri,
  name: text(200),
  permissions: namesOf(permission),
  accessToken: z
    .strictObject({
      format: z.enum(['jwt', 'opaque']).default('jwt'),
      alg: z.enum(['ES256', 'RS256']).default('ES256'),
      ttlSeconds: z.int().min(30).max(3600).default(600),
    })
    .prefault({}),
  introspectedBy: namesOf(clientId).default([]),
});

const tenant = z.strictObject({
  slug,
  name: text(200),
  type: z.enum(['personal', 'team', 'enterprise']),
  plan: z.string().max(40).optional(),
  policies: z
    .strictObject({
      ipAllowlist: z.array(z.string()).max(0, 'is not enforced by this version, so it must be empty').default([]),
      mfa: z.literal('optional', 'must be optional: this version enforces nothing stricter').default('optional'),
    })
    .prefault({}),
  roles: z
    .array(z.strictObject({ key: roleKey, name: text(100).optional(), permissions: namesOf(permission) }))
    .default([]),
  serviceAccounts: z
    .array(
      z.strictObject({
        clientId,
        name: text(200),
        roles: namesOf(roleKey).default([]),
        keys: z
          .array(
            z.strictObject({
              label: text(100),
              secret: z.string().min(32).max(256),
              expiresAt: z.iso.datetime().optional(),
            }),
          )
          .default([]),
        jwks: publicKeys.optional(),
      }),
    )
    .default([]),
});

const user = z.strictObject({
  email: z.string().max(254),
  emailVerified: z.boolean().default(false),
  name: text(200).optional(),
  givenName: text(200).optional(),
  familyName: text(200).optional(),
  locale: text(35).optional(),
  zoneinfo: text(60).optional(),
  password: z.string().max(1024).optional(),
  memberships: z.array(z.strictObject({ tenant: slug, roles: namesOf(roleKey).min(1) })).default([]),
});

/** What a client of a seed may be registered for; each of them is off unless it is named. */
const clientGrantTypes = [
  'authorization_code',
  'refresh_token',
  'urn:ietf:params:oauth:grant-type:device_code',
  'urn:ietf:params:oauth:grant-type:token-exchange',
] as const;

const client = z
  .strictObject({
    client_id: clientId,
    client_secret: z.string().min(32, 'must have at least 32 characters').max(256).optional(),
    client_name: text(200).optional(),
    client_uri: webUri.optional(),
    policy_uri: webUri.optional(),
    tos_uri: webUri.optional(),
    redirect_uris: namesOf(z.string().max(500)).default([]),
    post_logout_redirect_uris: namesOf(z.string().max(500)).default([]),
    grant_types: namesOf(z.enum(clientGrantTypes)).default(['authorization_code']),
    response_types: namesOf(z.literal('code')).default(['code']),
    token_endpoint_auth_method: z
      .enum(['none', 'client_secret_basic', 'client_secret_post', 'private_key_jwt'])
      .default('client_secret_basic'),
    token_endpoint_auth_signing_alg: z.enum(clientSigningAlgorithms).optional(),
    jwks: publicKeys.optional(),
    jwks_uri: z.undefined('is not there in this version: give the keys themselves, as jwks').optional(),
    application_type: z.enum(['web', 'native']).optional(),
    scope: text(500).optional(),
    id_token_signed_response_alg: z.enum(['RS256', 'ES256']).optional(),
    firstParty: z.boolean().default(false),
    requirePkce: z.boolean().default(true),
    resources: namesOf(absoluteUri).default([]),
    actors: namesOf(clientId).default([]),
    tenant: slug.optional(),
  })
  .superRefine((wanted, context) => {
    for (const member of ['redirect_uris', 'post_logout_redirect_uris'] as const) {
      for (const [position, uri] of wanted[member].entries()) {
        const message = problemOfRedirectUri(uri, wanted.application_type ?? 'web');
        if (message) context.addIssue({ code: 'custom', path: [member, position], message });
      }
    }
    const { jwks, token_endpoint_auth_method: method, token_endpoint_auth_signing_alg: algorithm } = wanted;
    const refuse = (member: string, message: string): void =>
      context.addIssue({ code: 'custom', path: [member], message });
    if (method === 'private_key_jwt') {
      if (!jwks) refuse('jwks', 'is missing: private_key_jwt needs public keys');
      else if (algorithm !== undefined && !jwks.keys.some((key) => algorithmsOfKey(key).includes(algorithm))) {
        refuse('token_endpoint_auth_signing_alg', 'is an algorithm of none of its keys');
      }
      return;
    }
    if (jwks) refuse('jwks', 'is of use with private_key_jwt alone');
    if (algorithm !== undefined) refuse('token_endpoint_auth_signing_alg', 'is of use with private_key_jwt alone');
  });

/** A seed file: what should be there. Applying it twice changes nothing; what it does not name is left alone. */
export const seedSchema = z.strictObject({
  resources: z.array(resource).default([]),
  tenants: z.array(tenant).default([]),
  users: z.array(user).default([]),
  clients: z.array(client).default([]),
  connections: z.array(z.unknown()).max(0, 'are not there in this version, so the list must be empty').default([]),
});

export type Seed = z.output<typeof seedSchema>;
export type SeedInput = z.input<typeof seedSchema>;

/** One thing wrong with a seed: the path to it, and why. */
export interface SeedIssue {
  path: readonly (string | number)[];
  message: string;
}
