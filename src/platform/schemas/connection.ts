import { z } from 'zod';
import { clientIdPattern, roleKeyPattern, slugPattern } from '../../kernel/patterns.js';
import { sessionPolicy } from './tenant-policies.js';
import { text } from './text.js';

const unique = (values: readonly string[]): boolean => new Set(values).size === values.length;
/** Of `acr` or `amr`: words and URIs. */
const levelValues = z
  .array(z.string().regex(/^[\w.:/-]{1,200}$/, 'must be a value of acr or amr'))
  .max(20)
  .refine(unique, 'must not repeat a value')
  .default([]);
const endpoint = z.string().max(500);
const claimName = z.string().min(1).max(100);
const privateKey = z
  .string()
  .max(5000)
  .regex(/^-----BEGIN PRIVATE KEY-----\s[\w+/=\s]+-----END PRIVATE KEY-----\s*$/, 'must be a key as PKCS #8 in PEM');

/** Beside those that a preset or the defaults give. */
const claims = z
  .strictObject({
    ...{ subject: claimName, email: claimName, emailVerified: claimName, name: claimName },
    ...{ givenName: claimName, familyName: claimName, locale: claimName, zoneinfo: claimName },
  })
  .partial();

/** An upstream provider, as seeds and the API take it. What is not given is as its preset says, or the usual. */
export const connectionMembers = {
  name: text(100).regex(/^[^\p{Bidi_Control}]*$/u, 'must not hold control characters'),
  status: z.enum(['enabled', 'disabled']),
  mode: z.enum(['login', 'link-only']),
  clientIds: z.array(z.string().regex(clientIdPattern)).max(100).refine(unique, 'must not repeat a value'),
  protocol: z.enum(['oidc', 'oauth2']),
  issuer: endpoint,
  authorizationEndpoint: endpoint.nullable(),
  tokenEndpoint: endpoint.nullable(),
  userinfoEndpoint: endpoint.nullable(),
  emailsEndpoint: endpoint.nullable(),
  clientId: text(500),
  authentication: z.enum(['client_secret_basic', 'client_secret_post', 'private_key_jwt', 'secret_jwt_by_key']),
  clientSecret: z.string().min(1).max(2000),
  signingKey: privateKey,
  signer: z.strictObject({ teamId: text(100), keyId: text(100) }).nullable(),
  scopes: z
    .array(z.string().regex(/^[\x21\x23-\x5b\x5d-\x7e]{1,200}$/, 'must be a scope'))
    .max(50)
    .refine(unique, 'must not repeat a value'),
  responseMode: z.enum(['query', 'form_post']),
  idTokenAlgorithm: z.enum(['RS256', 'PS256', 'ES256', 'EdDSA']),
  claims,
  authoritative: z.boolean(),
  makesAccounts: z.boolean(),
  syncsProfile: z.boolean(),
  secondLevel: z.strictObject({ acr: levelValues, amr: levelValues }),
  /** A bound beside those of the tenant and the platform. */
  sessionSeconds: sessionPolicy.absoluteSeconds,
  /** Of a tenant's own provider: values of this claim, and the role in the tenant that each of them means. */
  roleMapping: z
    .strictObject({
      claim: claimName,
      values: z.array(z.strictObject({ value: text(200), role: z.string().regex(roleKeyPattern) })).max(100),
      /** Whether roles follow at each sign-in, and are not only those of a new member. */
      syncs: z.boolean(),
    })
    .nullable(),
};

export const connectionKey = z.string().max(63).regex(slugPattern, 'must be lower-case letters, digits and hyphens');

const { name, clientId, ...others } = connectionMembers;
export const newConnection = z.strictObject({
  ...{ key: connectionKey.optional(), preset: z.string().max(40).optional(), name, clientId },
  ...z.strictObject(others).partial().shape,
});

/** By what its people are known stays: another provider in its place could name any of them. */
const lasting = {
  ...({ protocol: true, issuer: true, authorizationEndpoint: true, tokenEndpoint: true } as const),
  ...({ userinfoEndpoint: true, emailsEndpoint: true } as const),
};
export const connectionChanges = z
  .strictObject({ ...connectionMembers, claims: claims.omit({ subject: true }) })
  .omit(lasting)
  .partial();

type Members = z.output<z.ZodObject<typeof connectionMembers>>;
type Given = { [Name in keyof Members]?: Members[Name] | undefined };
type Secrets = 'clientSecret' | 'signingKey';
/** All that a connection is but its secret. */
export type ConnectionDraft = Omit<Members, Secrets | 'claims'> & { claims: Record<keyof Members['claims'], string> };

const defaults: Omit<ConnectionDraft, 'name' | 'clientId' | 'issuer'> = {
  ...{ status: 'enabled', mode: 'login', clientIds: [], protocol: 'oidc' },
  ...{ authorizationEndpoint: null, tokenEndpoint: null, userinfoEndpoint: null, emailsEndpoint: null },
  ...{ authentication: 'client_secret_basic', signer: null, scopes: ['openid', 'profile', 'email'] },
  ...{ responseMode: 'query', idTokenAlgorithm: 'RS256' },
  claims: {
    ...{ subject: 'sub', email: 'email', emailVerified: 'email_verified', name: 'name', givenName: 'given_name' },
    ...{ familyName: 'family_name', locale: 'locale', zoneinfo: 'zoneinfo' },
  },
  ...{ authoritative: false, makesAccounts: false, syncsProfile: false, secondLevel: { acr: [], amr: [] } },
  ...{ sessionSeconds: null, roleMapping: null },
};

/** What a preset says of a provider: any of the members but those of one customer. */
export type ConnectionPreset = Frozen<
  Partial<Omit<ConnectionDraft, 'name' | 'clientId' | 'claims'>> & { claims?: Partial<ConnectionDraft['claims']> }
>;
type Frozen<T> = T extends (infer Item)[]
  ? readonly Item[]
  : T extends object
    ? { readonly [Name in keyof T]: Frozen<T[Name]> }
    : T;

/** What is given of a connection, by whoever writes it or by a preset. */
export type ConnectionPart = Given | ConnectionPreset;

/** Later ones win; claims are put together by name. */
export function draftFrom(...parts: readonly ConnectionPart[]): ConnectionDraft {
  const merged: Record<string, unknown> = { ...defaults };
  for (const part of parts)
    for (const [member, value] of Object.entries(part)) {
      if (value === undefined || member === 'clientSecret' || member === 'signingKey') continue;
      merged[member] = member === 'claims' ? { ...(merged['claims'] as object), ...(value as object) } : value;
    }
  return merged as ConnectionDraft;
}

export interface ConnectionProblem {
  path: string[];
  message: string;
}

/** At these every customer of the provider has one issuer, whose tokens would name any of their people. */
const sharedIssuer =
  /^https:\/\/login\.microsoftonline\.com\/(?!(?!0{8})[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}\/v2\.0$)/;

/**
 * OpenID Connect Discovery §2, §4.1. From an address with `/.well-known/` the library would take it as that of the
 * document, and not compare whose document it is.
 */
function isUnlikeIssuer(issuer: string): boolean {
  return /[?#]/.test(issuer) || (URL.canParse(issuer) && new URL(issuer).href.includes('/.well-known/'));
}

/** What does not go together. `problemOfUri` knows which addresses are called. */
export function connectionProblems(
  draft: ConnectionDraft,
  problemOfUri: (uri: string) => string | null,
): ConnectionProblem[] {
  const found: ConnectionProblem[] = [];
  const say = (member: string, message: string): void => void found.push({ path: [member], message });
  const isOidc = draft.protocol === 'oidc';
  for (const member of ['issuer', ...endpoints] as const) {
    const uri: string | null | undefined = draft[member];
    const isNeeded = member === 'issuer' || (!isOidc && member !== 'emailsEndpoint');
    if (typeof uri !== 'string') {
      if (isNeeded) say(member, 'is missing');
    } else if (isOidc && member !== 'issuer') say(member, 'comes of the discovery document of the issuer');
    else {
      const problem = problemOfUri(uri);
      if (problem !== null) say(member, problem);
    }
  }
  if (isOidc && isUnlikeIssuer(draft.issuer)) say('issuer', 'must be without a query, a fragment and /.well-known/');
  if (sharedIssuer.test(draft.issuer)) say('issuer', 'must be that of one directory: …/<directory id>/v2.0');
  if (isOidc && !draft.scopes.includes('openid')) say('scopes', 'must hold openid');
  if ((draft.authentication === 'secret_jwt_by_key') !== (draft.signer !== null))
    say('signer', 'goes with secret_jwt_by_key, and is needed there');
  if (draft.claims.subject !== 'sub' && isOidc) say('claims', 'OpenID Connect names a person by sub');
  return found;
}

const endpoints = ['authorizationEndpoint', 'tokenEndpoint', 'userinfoEndpoint', 'emailsEndpoint'] as const;

/** The member that holds the secret of this kind of proof; null: there is none, the key is made here. */
export function secretMemberFor(authentication: ConnectionDraft['authentication']): Secrets | null {
  if (authentication === 'private_key_jwt') return null;
  return authentication === 'secret_jwt_by_key' ? 'signingKey' : 'clientSecret';
}
