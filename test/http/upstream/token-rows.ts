import { createHmac, createPublicKey, type JsonWebKey } from 'node:crypto';
import { exportJWK, SignJWT } from 'jose';
import { breaking, bytes, dripping, hanging, html, huge, json, redirectTo } from '../../support/upstream/answers.js';
import type { SignedParts } from '../../support/upstream/oidc-provider.js';
import { atCanary, type Row } from './row.js';
import { newKeyPair } from '../../support/key-pair.js';

type Claims = Record<string, unknown>;

const inSeconds = (seconds: number): number => Math.floor(Date.now() / 1000) + seconds;

/** With these claims in the place of the right ones; undefined leaves one out. */
const claims = (title: string, changes: Claims): Row => [`its ID token ${title}`, () => ({ claims: over(changes) })];
const over =
  (changes: Claims) =>
  (right: Claims): Claims => ({ ...right, ...changes });
const encode = (value: unknown): string => Buffer.from(JSON.stringify(value)).toString('base64url');

function withHmac({ header, claims: body }: SignedParts, secret: string): string {
  const text = `${encode({ ...header, alg: 'HS256' })}.${encode(body)}`;
  return `${text}.${createHmac('sha256', secret).update(text).digest('base64url')}`;
}

/** sec-006: nothing that is wrong with an ID token is overlooked. */
export const idTokenRows: readonly Row[] = [
  claims('has another issuer', { iss: 'https://evil.example' }),
  claims('has no issuer', { iss: undefined }),
  ['its ID token has its issuer with a slash', ({ provider }) => ({ claims: over({ iss: `${provider.issuer}/` }) })],
  ['its ID token has its issuer in a list', ({ provider }) => ({ claims: over({ iss: [provider.issuer] }) })],
  claims('is for another client', { aud: 'another' }),
  claims('is for nobody', { aud: undefined }),
  claims('is for an empty list', { aud: [] }),
  claims('is for us in other letters', { aud: 'GATEHOUSE' }),
  claims('is for us and another, and does not say who asked', { aud: ['gatehouse', 'another'] }),
  claims('is for us and another, who asked', { aud: ['gatehouse', 'another'], azp: 'another' }),
  claims('was asked for by another', { azp: 'another' }),
  claims('was asked for by nobody', { azp: '' }),
  claims('has ended', { exp: inSeconds(-60) }),
  claims('does not end', { exp: undefined }),
  claims('ends at a text', { exp: '9999999999' }),
  claims('is of the future', { iat: inSeconds(86_400), exp: inSeconds(90_000) }),
  claims('is of no time', { iat: undefined }),
  claims('is of a text', { iat: '1' }),
  claims('is not good yet', { nbf: inSeconds(86_400) }),
  claims('has another nonce', { nonce: 'another' }),
  claims('has no nonce', { nonce: undefined }),
  claims('has an empty nonce', { nonce: '' }),
  claims('has a nonce in a list', { nonce: ['another'] }),
  claims('names nobody', { sub: undefined }),
  claims('names an empty subject', { sub: '' }),
  claims('names a list of subjects', { sub: ['upstream-1'] }),
  claims('names an object', { sub: { $ne: null } }),
  claims('names nobody but null', { sub: null }),
  claims('names a subject that is too long', { sub: 'x'.repeat(256) }),
  claims('is of another access token', { at_hash: 'AAAAAAAAAAAAAAAAAAAAAA' }),
  claims('is of a number of an access token', { at_hash: 1 }),
  [
    'its ID token is signed by a stranger',
    () => ({ idToken: (_, { header, claims: body, signAsStranger }) => signAsStranger(header, body) }),
  ],
  [
    'its ID token is signed by a stranger, whose key is in its header',
    () => ({
      idToken: (_, { header, claims: body, publicKey, signAsStranger }) =>
        signAsStranger({ ...header, jwk: publicKey }, body),
    }),
  ],
  ['its ID token has a key id that is published nowhere', () => ({ header: over({ kid: 'another' }) })],
  [
    'its ID token is not signed',
    () => ({ idToken: (_, { header, claims: body }) => `${encode({ ...header, alg: 'none' })}.${encode(body)}.` }),
  ],
  [
    'its ID token is said not to be signed',
    () => ({
      idToken: (token, { header, claims: body }) =>
        `${encode({ ...header, alg: 'none' })}.${encode(body)}.${token.split('.')[2]}`,
    }),
  ],
  [
    'its ID token has a MAC by the public key',
    () => ({
      idToken: (_, parts) =>
        withHmac(
          parts,
          createPublicKey({ key: parts.publicKey as JsonWebKey, format: 'jwk' })
            .export({ type: 'spki', format: 'pem' })
            .toString(),
        ),
    }),
  ],
  [
    'its ID token has a MAC by the key set',
    () => ({ idToken: (_, parts) => withHmac(parts, JSON.stringify(parts.publicKey)) }),
  ],
  [
    'its ID token has a MAC by our secret',
    ({ provider }) => ({ idToken: (_, parts) => withHmac(parts, provider.clientSecret) }),
  ],
  [
    'its ID token is signed by another algorithm, with a key that it publishes',
    () => {
      const made = newKeyPair('ES256');
      return {
        keys: () => undefined,
        idToken: async (_, { claims: body }) =>
          new SignJWT(body).setProtectedHeader({ alg: 'ES256', kid: 'other-1' }).sign((await made).privateKey),
        endpoints: {
          keys: (req, res) =>
            void made
              .then(({ publicKey }) => exportJWK(publicKey))
              .then((jwk) => json(200, { keys: [{ ...jwk, kid: 'other-1', alg: 'ES256', use: 'sig' }] })(req, res)),
        },
      };
    },
  ],
  [
    'its ID token was given other claims',
    () => ({
      idToken: (token, { claims: body }) =>
        [token.split('.')[0], encode({ ...body, sub: 'another' }), token.split('.')[2]].join('.'),
    }),
  ],
  [
    'its ID token needs what nobody knows',
    () => ({
      idToken: (token, { header, claims: body }) =>
        `${encode({ ...header, crit: ['x'], x: 1 })}.${encode(body)}.${token.split('.')[2]}`,
    }),
  ],
  ['it gives no ID token', () => ({ idToken: () => undefined })],
  ['it gives an empty ID token', () => ({ idToken: () => '' })],
  ['its ID token is none', () => ({ idToken: () => 'not.a.token' })],
  ['its ID token is a number', () => ({ token: over({ id_token: 1 }) })],
];

/** Answers of its token endpoint. */
export const tokenRows: readonly Row[] = [
  ['it gives no access token', () => ({ token: over({ access_token: undefined }) })],
  ['its access token is an object', () => ({ token: over({ access_token: {} }) })],
  ['its access token is of a kind that we cannot use', () => ({ token: over({ token_type: 'mac' }) })],
  ['its access token is of no kind', () => ({ token: over({ token_type: undefined }) })],
  ['it does not take the code', () => ({ endpoints: { token: json(400, { error: 'invalid_grant' }) } })],
  ['it tells an error as if all were well', () => ({ endpoints: { token: json(200, { error: 'invalid_grant' }) } })],
  ['it does not take our secret', () => ({ endpoints: { token: json(401, { error: 'invalid_client' }) } })],
  ['it answers the code with a page', () => ({ endpoints: { token: html(200) } })],
  [
    'it answers the code with a page of an error',
    () => ({ endpoints: { token: html(502, '<script>alert(1)</script>') } }),
  ],
  ['it answers the code with a list', () => ({ endpoints: { token: json(200, []) } })],
  ['it answers the code with a text', () => ({ endpoints: { token: json(200, 'a text') } })],
  ['it answers the code with null', () => ({ endpoints: { token: json(200, null) } })],
  ['it answers the code with nothing', () => ({ endpoints: { token: bytes(200, '', {}) } })],
  [
    'it answers the code with half of an answer',
    () => ({ endpoints: { token: bytes(200, '{"access_token":', { 'Content-Type': 'application/json' }) } }),
  ],
  ['it answers the code without end', () => ({ endpoints: { token: dripping } })],
  ['it does not answer the code', () => ({ endpoints: { token: hanging } })],
  ['it breaks off its answer to the code', () => ({ endpoints: { token: breaking } })],
  ['it answers the code with ten megabytes', () => ({ endpoints: { token: huge(10) } })],
  ...[302, 307, 308].map((status): Row => [
    `it sends us elsewhere with the code (${status})`,
    ({ canaryPort }) => ({ endpoints: { token: redirectTo(atCanary(canaryPort)[0]!, status) } }),
  ]),
];
