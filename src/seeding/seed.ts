import { z } from 'zod';
import {
  clientIdPattern,
  connectionIdPattern,
  permissionPattern,
  roleKeyPattern,
  slugPattern,
} from '../kernel/patterns.js';
import { branding } from '../platform/schemas/branding.js';
import { networks } from '../platform/schemas/networks.js';
import { requiredProfile, terms } from '../platform/schemas/required-of-people.js';
import { problemOfRedirectUri } from '../kernel/redirect-uri.js';
import {
  authenticationMethods,
  clientAuthentication,
  refuseClientAuthentication,
} from '../platform/schemas/client-authentication.js';
import { connectionKey, newConnection } from '../platform/schemas/connection.js';
import {
  emailCodesPolicy,
  passwordPolicy,
  sessionPolicy,
  signInAttemptsPolicy,
  withNull,
} from '../platform/schemas/tenant-policies.js';
import { text } from '../platform/schemas/text.js';

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

const serviceAccount = z
  .strictObject({
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
    ipAllowlist: networks.default([]),
    ...clientAuthentication,
    token_endpoint_auth_method: authenticationMethods.exclude(['none', 'client_secret_post']).optional(),
  })
  .transform(({ token_endpoint_auth_method: method, ...account }) => ({
    ...account,
    token_endpoint_auth_method:
      method ?? (account.jwks ? ('private_key_jwt' as const) : ('client_secret_basic' as const)),
  }))
  .superRefine((wanted, context) =>
    refuseClientAuthentication(wanted, (path, message) => context.addIssue({ code: 'custom', path, message })),
  );

const tenant = z.strictObject({
  slug,
  name: text(200),
  type: z.enum(['personal', 'team', 'enterprise']),
  plan: z.string().max(40).optional(),
  policies: z
    .strictObject({
      ipAllowlist: networks.default([]),
      mfa: z.enum(['optional', 'required']).default('optional'),
      emailCodes: emailCodesPolicy.optional(),
      password: z.strictObject(withNull(passwordPolicy)).prefault({}),
      signInAttempts: z.strictObject(withNull(signInAttemptsPolicy)).prefault({}),
      session: z.strictObject(withNull(sessionPolicy)).prefault({}),
      ...{ requiredProfile: requiredProfile.optional(), terms: terms.optional() },
    })
    .prefault({}),
  branding: branding.partial().optional(),
  roles: z
    .array(z.strictObject({ key: roleKey, name: text(100).optional(), permissions: namesOf(permission) }))
    .default([]),
  serviceAccounts: z.array(serviceAccount).default([]),
  domains: z.array(z.strictObject({ name: z.string().max(253), verified: z.boolean().default(false) })).default([]),
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
  passwordHash: z.string().max(512).optional(),
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
    backchannel_logout_uri: z.string().max(500).optional(),
    backchannel_logout_session_required: z.boolean().optional(),
    grant_types: namesOf(z.enum(clientGrantTypes)).default(['authorization_code']),
    response_types: namesOf(z.literal('code')).default(['code']),
    ...clientAuthentication,
    application_type: z.enum(['web', 'native']).optional(),
    scope: text(500).optional(),
    id_token_signed_response_alg: z.enum(['RS256', 'ES256']).optional(),
    default_acr_values: namesOf(z.enum(['aal1', 'aal2'])).optional(),
    firstParty: z.boolean().default(false),
    signUp: z.boolean().optional(),
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
    refuseClientAuthentication(wanted, (path, message) => context.addIssue({ code: 'custom', path, message }));
  });

const connection = newConnection.extend({
  ...{ key: connectionKey, tenant: slug.optional() },
  /** Its provider is told an address that holds it, and may have to know it before. */
  id: z.string().regex(connectionIdPattern, 'must be con_ and 32 digits of 0-9 and a-f').optional(),
});

/** A seed file: what should be there. Applying it twice changes nothing; what it does not name is left alone. */
export const seedSchema = z.strictObject({
  resources: z.array(resource).default([]),
  tenants: z.array(tenant).default([]),
  users: z.array(user).default([]),
  clients: z.array(client).default([]),
  connections: z.array(connection).default([]),
});

export type Seed = z.output<typeof seedSchema>;
export type SeedInput = z.input<typeof seedSchema>;

/** One thing wrong with a seed: the path to it, and why. */
export interface SeedIssue {
  path: readonly (string | number)[];
  message: string;
}
