import type { JWK } from 'jose';
import { breaking, dripping, html, huge, json, redirectTo } from '../../support/upstream/answers.js';
import { atCanary, type Row } from './row.js';

type Members = Record<string, unknown>;

const over =
  (changes: Members) =>
  (right: Members): Members => ({ ...right, ...changes });

/** For each way to the canary. */
const perAddress = (title: string, member: string, more: (port: number) => Row[1] = () => () => ({})): Row[] =>
  [0, 1, 2, 3].map((index) => [
    `${title} (${index + 1})`,
    (around) => ({
      ...more(around.canaryPort)(around),
      discovery: over({ [member]: atCanary(around.canaryPort)[index] }),
    }),
  ]);

/** So that userinfo is asked. */
const withoutEmail = { claims: over({ email: undefined, email_verified: undefined, name: undefined }) };

/** Its discovery document. */
export const discoveryRows: readonly Row[] = [
  ['its document is of another issuer', () => ({ discovery: over({ issuer: 'https://evil.example' }) })],
  ['its document is of no issuer', () => ({ discovery: over({ issuer: undefined }) })],
  [
    'its document is of its issuer with a slash',
    ({ provider }) => ({ discovery: over({ issuer: `${provider.issuer}/` }) }),
  ],
  ['its document has no token endpoint', () => ({ discovery: over({ token_endpoint: undefined }) })],
  ['its document has no authorization endpoint', () => ({ discovery: over({ authorization_endpoint: undefined }) })],
  ['its document has no keys', () => ({ discovery: over({ jwks_uri: undefined }) })],
  [
    'its document leads people to a script',
    () => ({ discovery: over({ authorization_endpoint: 'javascript:alert(1)' }) }),
  ],
  [
    'its document leads people to plain http',
    () => ({ discovery: over({ authorization_endpoint: 'http://evil.example/' }) }),
  ],
  ['its document has a token endpoint that is no address', () => ({ discovery: over({ token_endpoint: 'token' }) })],
  ['its document has a token endpoint that is a list', () => ({ discovery: over({ token_endpoint: [] }) })],
  ...perAddress('its document leads the code to this machine', 'token_endpoint'),
  ...perAddress('its document has keys on this machine', 'jwks_uri'),
  ...perAddress('its document has userinfo on this machine', 'userinfo_endpoint', () => () => withoutEmail),
  ['its document is a page', () => ({ endpoints: { discovery: html(200) } })],
  ['its document is not there', () => ({ endpoints: { discovery: html(404) } })],
  ['its document is an error', () => ({ endpoints: { discovery: html(500) } })],
  ['its document is a list', () => ({ endpoints: { discovery: json(200, []) } })],
  ['its document is null', () => ({ endpoints: { discovery: json(200, null) } })],
  ['its document has ten megabytes', () => ({ endpoints: { discovery: huge(10) } })],
  ['its document has no end', () => ({ endpoints: { discovery: dripping } })],
  ['its document breaks off', () => ({ endpoints: { discovery: breaking } })],
  [
    'its document is elsewhere',
    ({ canaryPort }) => ({ endpoints: { discovery: redirectTo(atCanary(canaryPort)[0]!) } }),
  ],
];

const keys = (title: string, change: (keys: JWK[]) => JWK[]): Row => [`its keys ${title}`, () => ({ keys: change })];

/** What it publishes for its signatures. */
export const keyRows: readonly Row[] = [
  keys('are none', () => []),
  keys('are for something else', (all) => all.map((key) => ({ ...key, use: 'enc' }))),
  keys('are of another algorithm', (all) => all.map((key) => ({ ...key, alg: 'RS512' }))),
  keys('have another name', (all) => all.map((key) => ({ ...key, kid: 'another' }))),
  keys('are broken', (all) =>
    all.map(({ kid = '', alg = '' }) => ({ kty: 'RSA', kid, alg, use: 'sig', n: 'AQAB', e: 'AQAB' })),
  ),
  keys('are a shared secret', ([{ kid = '' } = {}]) => [{ kty: 'oct', kid, alg: 'HS256', k: 'c2VjcmV0' }]),
  ['its keys are a page', () => ({ endpoints: { keys: html(200) } })],
  ['its keys are an error', () => ({ endpoints: { keys: html(500) } })],
  ['its keys are no list', () => ({ endpoints: { keys: json(200, { keys: {} }) } })],
  ['its keys are null', () => ({ endpoints: { keys: json(200, null) } })],
  ['its keys have ten megabytes', () => ({ endpoints: { keys: huge(10) } })],
  ['its keys have no end', () => ({ endpoints: { keys: dripping } })],
  ['its keys are elsewhere', ({ canaryPort }) => ({ endpoints: { keys: redirectTo(atCanary(canaryPort)[0]!) } })],
];

const userinfo = (title: string, changes: Members): Row => [
  `its userinfo ${title}`,
  () => ({ ...withoutEmail, userinfo: over(changes) }),
];

/** sec-003: userinfo is of the person of the ID token, or nothing. */
export const userinfoRows: readonly Row[] = [
  userinfo('is of another person', { sub: 'upstream-2' }),
  userinfo('is of nobody', { sub: undefined }),
  [
    'its userinfo is of the person in other letters',
    () => ({ ...withoutEmail, userinfo: (right) => ({ ...right, sub: String(right['sub']).toUpperCase() }) }),
  ],
  [
    'its userinfo is of a list with the person',
    () => ({ ...withoutEmail, userinfo: (right) => ({ ...right, sub: [right['sub']] }) }),
  ],
  userinfo('has an address that is not verified', { email_verified: false }),
  ['its userinfo is a page', () => ({ ...withoutEmail, endpoints: { userinfo: html(200) } })],
  ['its userinfo is an error', () => ({ ...withoutEmail, endpoints: { userinfo: html(500) } })],
  ['its userinfo is not for us', () => ({ ...withoutEmail, endpoints: { userinfo: json(403, {}) } })],
  ['its userinfo is a list', () => ({ ...withoutEmail, endpoints: { userinfo: json(200, []) } })],
  ['its userinfo has ten megabytes', () => ({ ...withoutEmail, endpoints: { userinfo: huge(10) } })],
  ['its userinfo has no end', () => ({ ...withoutEmail, endpoints: { userinfo: dripping } })],
  [
    'its userinfo is elsewhere',
    ({ canaryPort }) => ({ ...withoutEmail, endpoints: { userinfo: redirectTo(atCanary(canaryPort)[0]!) } }),
  ],
  [
    'its userinfo verifies the address that the ID token only names',
    () => ({ claims: over({ email_verified: undefined }), userinfo: over({ email: undefined }) }),
  ],
];
