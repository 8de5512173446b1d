import { isIP } from 'node:net';
import { z } from 'zod';
import { normalizeDistinguishedName } from '../../kernel/distinguished-name.js';
import {
  algorithmsOfKey,
  clientSigningAlgorithms,
  mostClientKeys,
  problemOfCertifiedKey,
  problemOfPublicKey,
  type PublicJwk,
} from '../../kernel/public-keys.js';
import { text } from './text.js';

type ProblemOf = (jwk: PublicJwk & Record<string, unknown>) => string | null;

const certificate = z
  .string()
  .max(10_000)
  .regex(/^[\w+/]+={0,2}$/, 'must be base64');
const member = z.string().max(2000).optional();
const keySet = (problemOf: ProblemOf) =>
  z.strictObject({
    keys: z
      .array(
        z
          .looseObject({
            kty: z.string().max(10),
            ...{ crv: member, x: member, y: member, n: member, e: member, use: member, alg: member },
            kid: text(100).optional(),
            x5c: z.array(certificate).max(1).optional(),
          })
          .superRefine((key, context) => {
            const message = problemOf(key);
            if (message !== null) context.addIssue({ code: 'custom', message });
          }),
      )
      .min(1, 'must hold a key')
      .max(mostClientKeys)
      .refine((keys) => {
        const kids = keys.flatMap(({ kid }) => kid ?? []);
        return new Set(kids).size === kids.length;
      }, 'must not repeat a kid'),
  });

/** Public keys with which a client signs. */
export const publicKeys = keySet(problemOfPublicKey);

/** RFC 8705 §2.1.2: by what in its certificate a client is known that an authority has certified. */
const certificateSubjects = {
  tls_client_auth_subject_dn: text(1000)
    .refine((name) => normalizeDistinguishedName(name) !== null, 'must be a distinguished name as in RFC 4514')
    .optional(),
  tls_client_auth_san_dns: z
    .string()
    .regex(/^(?=.{1,253}$)[A-Za-z0-9-]{1,63}(?:\.[A-Za-z0-9-]{1,63})*$/, 'must be a DNS name, without wildcard')
    .optional(),
  tls_client_auth_san_uri: text(500)
    .refine((uri) => URL.canParse(uri), 'must be an absolute URI')
    .optional(),
  tls_client_auth_san_ip: z
    .string()
    .refine((address) => isIP(address) !== 0 && !address.includes('%'), 'must be an IP address')
    .optional(),
  tls_client_auth_san_email: text(254)
    .regex(/^[^@\s]+@[^@\s]+$/, 'must be an e-mail address')
    .optional(),
};

export const authenticationMethods = z.enum([
  ...(['none', 'client_secret_basic', 'client_secret_post', 'private_key_jwt'] as const),
  ...(['tls_client_auth', 'self_signed_tls_client_auth'] as const),
]);

/** RFC 7591 metadata by which a client says how it proves who it is, and to what its tokens are bound. */
export const clientAuthentication = {
  token_endpoint_auth_method: authenticationMethods.default('client_secret_basic'),
  token_endpoint_auth_signing_alg: z.enum(clientSigningAlgorithms).optional(),
  jwks: keySet(problemOfCertifiedKey).optional(),
  jwks_uri: z.string().max(500).optional(),
  ...certificateSubjects,
  tls_client_certificate_bound_access_tokens: z.boolean().optional(),
  dpop_bound_access_tokens: z.boolean().optional(),
};

type Members = Omit<z.output<z.ZodObject<typeof clientAuthentication>>, `token_${string}`>;

export interface ClientAuthentication extends Members {
  token_endpoint_auth_method: string;
  token_endpoint_auth_signing_alg?: string | undefined;
}

type Refuse = (path: (string | number)[], message: string) => void;

/** What is wrong between the members, each at its place. */
export function refuseClientAuthentication(wanted: ClientAuthentication, refuse: Refuse): void {
  refuseKeys(wanted, refuse);
  refuseAlgorithm(wanted, refuse);
  refuseSubjects(wanted, refuse);
  if (wanted.tls_client_certificate_bound_access_tokens && wanted.dpop_bound_access_tokens) {
    refuse(['dpop_bound_access_tokens'], 'cannot be beside tls_client_certificate_bound_access_tokens');
  }
}

function refuseKeys({ jwks, jwks_uri: address, ...wanted }: ClientAuthentication, refuse: Refuse): void {
  const { token_endpoint_auth_method: method } = wanted;
  const takesAddress = method === 'private_key_jwt';
  const takesKeys = takesAddress || method === 'self_signed_tls_client_auth';
  if (takesAddress && !jwks && address === undefined)
    refuse(['jwks'], `is missing: ${method} needs public keys, or jwks_uri`);
  if (takesKeys && !takesAddress && !jwks) refuse(['jwks'], `is missing: ${method} needs public keys`);
  if (takesAddress && jwks && address !== undefined)
    refuse(['jwks_uri'], 'takes the place of jwks, so it has either of them');
  if (!takesKeys && jwks) refuse(['jwks'], 'is of use with self_signed_tls_client_auth and private_key_jwt alone');
  if (!takesAddress && address !== undefined) refuse(['jwks_uri'], 'is of use with private_key_jwt alone');
  for (const [position, { x5c }] of (jwks?.keys ?? []).entries()) {
    const at = ['jwks', 'keys', position];
    if (method === 'private_key_jwt' && x5c) refuse(at, 'must not hold x5c');
    if (method === 'self_signed_tls_client_auth' && !x5c) refuse(at, 'lacks its certificate (x5c)');
  }
}

function refuseAlgorithm(wanted: ClientAuthentication, refuse: Refuse): void {
  const { token_endpoint_auth_signing_alg: algorithm } = wanted;
  if (algorithm === undefined) return;
  const at = ['token_endpoint_auth_signing_alg'];
  if (wanted.token_endpoint_auth_method !== 'private_key_jwt') refuse(at, 'is of use with private_key_jwt alone');
  else if (wanted.jwks && !wanted.jwks.keys.some((key) => algorithmsOfKey(key).includes(algorithm)))
    refuse(at, 'is an algorithm of none of its keys');
}

function refuseSubjects(wanted: ClientAuthentication, refuse: Refuse): void {
  const names = Object.keys(certificateSubjects) as (keyof typeof certificateSubjects)[];
  const given = names.filter((name) => wanted[name] !== undefined);
  if (wanted.token_endpoint_auth_method !== 'tls_client_auth') {
    for (const name of given) refuse([name], 'is of use with tls_client_auth alone');
  } else if (given.length === 0) {
    refuse(['token_endpoint_auth_method'], `needs one of ${names.join(', ')}`);
  }
  for (const name of wanted.token_endpoint_auth_method === 'tls_client_auth' ? given.slice(1) : []) {
    refuse([name], `cannot be beside ${given[0]}: only one of them is compared`);
  }
}
