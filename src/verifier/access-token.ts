import { errors, jwtVerify, type JWTPayload, type JWTVerifyGetKey } from 'jose';
import { AccessRefused } from './access-refused.js';
import type { Credentials } from './presented-request.js';

/** Who acts for the subject (RFC 8693 §4.1); `act` is who acted before. */
export interface Actor {
  sub: string;
  act?: Actor;
}

export interface AccessTokenClaims {
  /** Id of the person; for a service token the client id. */
  subject: string;
  clientId: string;
  /** `jti`: names the token, in logs too. */
  tokenId: string;
  /** The one tenant in which the token counts. */
  tenant: { id: string; slug: string; type: string };
  roles: readonly string[];
  entitlements: readonly string[];
  scopes: readonly string[];
  issuedAt: Date;
  expiresAt: Date;
  act?: Actor;
}

/** To what the token is bound (RFC 7800): a key (RFC 9449), a certificate (RFC 8705), both or nothing. */
export interface Confirmation {
  jkt?: string;
  'x5t#S256'?: string;
}

export interface AccessTokenRules {
  issuer: string;
  audience: string;
  clockToleranceSeconds: number;
  now(): Date;
}

const algorithms = ['ES256', 'RS256'];
const requiredClaims = ['sub', 'client_id', 'jti', 'iat', 'exp', 'tenant_id'];

/** RFC 9068 §4. */
export async function readAccessToken(
  { token, scheme }: Credentials,
  keys: JWTVerifyGetKey,
  rules: AccessTokenRules,
): Promise<{ claims: AccessTokenClaims; confirmation: Confirmation }> {
  const { issuer, audience, clockToleranceSeconds: clockTolerance } = rules;
  const currentDate = rules.now();
  const latest = currentDate.getTime() / 1000 + clockTolerance;
  try {
    const { payload } = await jwtVerify(token, keys, {
      ...{ issuer, audience, algorithms, requiredClaims, clockTolerance, currentDate },
      typ: 'at+jwt',
    });
    if (numberOf(payload, 'iat') > latest) throw malformed('iat');
    return { claims: parseClaims(payload), confirmation: parseConfirmation(payload['cnf']) };
  } catch (error) {
    if (!(error instanceof errors.JOSEError)) throw error;
    // not as its cause: the errors of jose hold the claims
    throw new AccessRefused('invalid_token', describe(error), { scheme });
  }
}

function describe(error: errors.JOSEError): string {
  if (error instanceof errors.JWTExpired) return 'the access token has expired';
  if (error instanceof errors.JWTClaimValidationFailed) return `${error.claim} of the access token is wrong here`;
  return 'this is no access token of the issuer';
}

function parseClaims(payload: JWTPayload): AccessTokenClaims {
  const text = (name: string): string => textOf(payload, name);
  const scope = payload['scope'] === undefined ? '' : text('scope');
  return {
    subject: text('sub'),
    clientId: text('client_id'),
    tokenId: text('jti'),
    tenant: { id: text('tenant_id'), slug: text('tenant_slug'), type: text('tenant_type') },
    roles: textsOf(payload, 'roles'),
    entitlements: textsOf(payload, 'entitlements'),
    scopes: scope === '' ? [] : scope.split(' '),
    issuedAt: new Date(numberOf(payload, 'iat') * 1000),
    expiresAt: new Date(numberOf(payload, 'exp') * 1000),
    ...(payload['act'] === undefined ? {} : { act: parseActor(payload['act']) }),
  };
}

function textOf(claims: Record<string, unknown>, name: string): string {
  const value = claims[name];
  if (typeof value !== 'string' || value === '') throw malformed(name);
  return value;
}

function textsOf(claims: Record<string, unknown>, name: string): readonly string[] {
  const values = claims[name];
  if (!Array.isArray(values) || !values.every((value) => typeof value === 'string')) throw malformed(name);
  return values;
}

function numberOf(claims: Record<string, unknown>, name: string): number {
  const value = claims[name];
  if (typeof value !== 'number') throw malformed(name);
  return value;
}

/** Whoever acts in a way that is not understood does not act. */
function parseActor(value: unknown): Actor {
  if (!isObject(value)) throw malformed('act');
  const sub = textOf(value, 'sub');
  return value['act'] === undefined ? { sub } : { sub, act: parseActor(value['act']) };
}

/** A binding of another kind cannot be checked here, and must not be taken for none. */
function parseConfirmation(value: unknown): Confirmation {
  if (value === undefined) return {};
  if (!isObject(value) || Object.keys(value).length === 0) throw malformed('cnf');
  for (const name of Object.keys(value)) {
    if (name !== 'jkt' && name !== 'x5t#S256') throw malformed('cnf');
    textOf(value, name);
  }
  return value;
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function malformed(claim: string): errors.JOSEError {
  return new errors.JWTClaimValidationFailed('malformed', {}, claim);
}
