import { createHash } from 'node:crypto';
import { z } from 'zod';
import { parseEmail } from '../kernel/email.js';
import type { Connection, UpstreamPerson } from './connection.js';
import { UpstreamFailed } from './upstream-errors.js';
import { toleranceSeconds } from './upstream-client.js';

export type Claims = Readonly<Record<string, unknown>>;

/** What a person is called: no control characters, none that turn or hide what follows. */
const shownText = /^[^\p{Cc}\p{Bidi_Control}]{1,200}$/u;
const profileForms = {
  name: shownText,
  givenName: shownText,
  familyName: shownText,
  locale: /^[A-Za-z]{2,3}(?:-[A-Za-z0-9]{2,8})*$/,
  zoneinfo: /^[A-Za-z0-9+_/-]{1,60}$/,
} as const;
const subjectForm = /^[^\p{Cc}]{1,255}$/u;

/**
 * Of the documents that a provider gave of one person, the most trusted one first. An address and whether it is
 * verified come from the same document, one that tells of both if there is one: put together from two they would be a
 * third one's. `typedName` has come by the browser: a name and nothing else, for who has none.
 */
export function readPerson(
  { upstream, secondLevel }: Connection,
  { documents, issuer, typedName = {} }: { documents: readonly Claims[]; issuer: string; typedName?: TypedName },
): UpstreamPerson {
  const { claims: names } = upstream;
  const [first = {}] = documents;
  const withEmails = documents.filter((claims) => typeof claims[names.email] === 'string');
  const withEmail = withEmails.find((claims) => names.emailVerified in claims) ?? withEmails[0] ?? {};
  const typed = withEmail[names.email];
  const profile = Object.entries(profileForms).flatMap(([name, form]) => {
    const told = documents.map((claims) => claims[names[name as keyof typeof profileForms]]);
    const values = [...told, typedName[name as keyof TypedName]];
    const value = values.find((each): each is string => typeof each === 'string' && form.test(each));
    return value === undefined ? [] : [[name, value.trim()] as const];
  });
  return {
    issuer,
    subject: subjectOf(first[names.subject]),
    email: typeof typed === 'string' ? parseEmail(typed) : null,
    // "true", 1 and the like are not what the provider was asked to say (OpenID Connect Core §5.1)
    isEmailVerified: withEmail[names.emailVerified] === true,
    profile: Object.fromEntries(profile.filter(([, value]) => value !== '')),
    ...(upstream.protocol === 'oidc' ? secondLevelIn(secondLevel, first) : { hasSecondLevel: false, methods: [] }),
    claims: Object.assign({}, ...documents.toReversed()) as Claims,
  };
}

/** Apple tells the name beside the ID token, when a person signs in for the first time, and in no document at all. */
const typedUser = z.object({
  name: z.object({ firstName: z.string().max(200).default(''), lastName: z.string().max(200).default('') }),
});

export type TypedName = Pick<UpstreamPerson['profile'], 'name' | 'givenName' | 'familyName'>;

/** Member `user` of an answer by form_post; nothing in it, where it is not as Apple writes it. */
export function typedNameIn(text: string | null): TypedName {
  const read = typedUser.safeParse(jsonIn(text));
  if (!read.success) return {};
  const { firstName: givenName, lastName: familyName } = read.data.name;
  return { name: `${givenName} ${familyName}`.trim(), givenName, familyName };
}

function jsonIn(text: string | null): unknown {
  try {
    return text === null ? null : (JSON.parse(text) as unknown);
  } catch {
    return null;
  }
}

/** Providers of OAuth 2.0 have numbers too. */
function subjectOf(value: unknown): string {
  const subject = Number.isSafeInteger(value) ? String(value) : value;
  if (typeof subject === 'string' && subjectForm.test(subject)) return subject;
  throw new UpstreamFailed('invalid', 'the provider names no person');
}

/**
 * RFC 8176 §2, without `pwd`: in our `amr` that is a password of this server, and what is asked further goes by it. Names that
 * mean nothing but there are not handed on either.
 */
const registeredMethods: ReadonlySet<string> = new Set([
  ...['face', 'fpt', 'geo', 'hwk', 'iris', 'kba', 'mca', 'mfa', 'otp', 'pin'],
  ...['rba', 'retina', 'sc', 'sms', 'swk', 'tel', 'user', 'vbm', 'wia'],
]);

/** Where a value of `acr` alone is trusted, none of `amr` is for that: what the connection does not name is not believed. */
function secondLevelIn(
  { acr, amr }: Connection['secondLevel'],
  claims: Claims,
): Pick<UpstreamPerson, 'hasSecondLevel' | 'methods'> {
  const told: unknown[] = Array.isArray(claims['amr']) ? claims['amr'] : [];
  const trusted = amr.filter((value) => told.includes(value));
  return {
    hasSecondLevel: trusted.length > 0 || acr.some((value) => value === claims['acr']),
    methods: trusted.filter((value) => registeredMethods.has(value)),
  };
}

/**
 * What openid-client leaves to its caller: a token for somebody else among its recipients, one of the future, and an
 * access token that is not the one it was made with (OpenID Connect Core §3.1.3.7, §3.1.3.8).
 */
export function requireSoundIdToken(
  claims: Claims,
  { clientId, algorithm, accessToken }: { clientId: string; algorithm: string; accessToken: string },
): void {
  const { azp, iat, at_hash: hash } = claims;
  if (azp !== undefined && azp !== clientId) throw new UpstreamFailed('invalid', 'azp is another client');
  if (typeof iat !== 'number' || iat > Date.now() / 1000 + toleranceSeconds)
    throw new UpstreamFailed('invalid', 'iat is in the future');
  if (hash !== undefined && hash !== halfHash(algorithm, accessToken))
    throw new UpstreamFailed('invalid', 'at_hash is of another access token');
}

function halfHash(algorithm: string, text: string): string {
  const digest = createHash(algorithm === 'EdDSA' ? 'sha512' : `sha${algorithm.slice(2)}`)
    .update(text)
    .digest();
  return digest.subarray(0, digest.length / 2).toString('base64url');
}
