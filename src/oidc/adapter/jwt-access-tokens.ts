import { createLocalJWKSet, jwtVerify, type JSONWebKeySet, type JWTPayload } from 'jose';
import Provider, { type Adapter, type AdapterPayload } from 'oidc-provider';
import { epochSeconds, type Clock } from '../../kernel/time.js';
import type { Database } from '../../platform/mongo/open-database.js';
import type { RecordEvent } from '../../events/index.js';
import { isDuplicateKey, sessionOf, type InTransaction } from '../../platform/mongo/transactions.js';
import { revokedCollection, type RevokedToken, type RevokedTokens } from './revoked-tokens.js';

/** A JWT access token of ours (RFC 9068) that was verified; `gid` names its grant, absent for service tokens. */
export type VerifiedAccessToken = JWTPayload & {
  jti: string;
  sub: string;
  exp: number;
  iat: number;
  client_id: string;
  gid?: string;
  scope?: string;
  cnf?: { jkt?: string; 'x5t#S256'?: string };
};

export type VerifyAccessToken = (token: string) => Promise<VerifiedAccessToken | null>;

/**
 * Signature, issuer, type and time. Null for anything that is not a live JWT access token of this issuer, in the spelling
 * in which it was issued: who compares tokens by text, or keeps a list of them, sees each one once.
 */
export function accessTokenVerifier(issuer: string, jwks: JSONWebKeySet): VerifyAccessToken {
  const keys = createLocalJWKSet(jwks);
  return async (token) => {
    if (!token.split('.').every(isCanonical)) return null;
    try {
      const { payload } = await jwtVerify(token, keys, {
        issuer,
        typ: 'at+jwt',
        requiredClaims: ['jti', 'exp', 'iat', 'sub', 'client_id'],
      });
      return payload as VerifiedAccessToken;
    } catch {
      return null;
    }
  };
}

/** Decoders overlook the spare bits of the last character, blanks and padding. */
function isCanonical(base64url: string): boolean {
  return Buffer.from(base64url, 'base64url').toString('base64url') === base64url;
}

/** However many parts it has: opaque tokens hold no dot. */
export function looksLikeJwt(value: string): boolean {
  return value.includes('.');
}

/** What stands for a verified token at introspection and revocation; never a `jti` itself, so the answer tells that. */
export function verifiedTokenId({ jti }: VerifiedAccessToken): string {
  return `verified:${jti}`;
}

/** Where a verified token of this request is put before introspection and revocation (see `unwrapJwtAccessToken`). */
export interface VerifiedState {
  verifiedAccessToken?: VerifiedAccessToken;
}

export interface JwtAccessTokenDeps {
  database: Database;
  inTransaction: InTransaction;
  recordEvent: RecordEvent;
  now: Clock;
  verifyAccessToken: VerifyAccessToken;
  revoked: RevokedTokens;
}

/**
 * Puts JWT access tokens, which are never stored, in front of the adapter of the stored ones: at introspection,
 * revocation and userinfo the library then treats both alike. Only what was revoked is written.
 */
export function withJwtAccessTokens(
  kind: 'AccessToken' | 'ClientCredentials',
  stored: Adapter,
  deps: JwtAccessTokenDeps,
): Adapter {
  const revoked = deps.database.collection<RevokedToken>(revokedCollection);

  async function payloadOf(token: VerifiedAccessToken): Promise<AdapterPayload | undefined> {
    const isForUser = token.gid !== undefined;
    if (isForUser !== (kind === 'AccessToken')) return undefined;
    if (await revoked.findOne({ _id: token.jti })) return undefined;
    const { jti, sub, exp, iat, client_id: clientId, gid: grantId, scope, cnf, aud, iss: _iss, ...extra } = token;
    return {
      kind,
      jti,
      exp,
      iat,
      clientId,
      ...(scope === undefined ? {} : { scope }),
      ...(isForUser ? { accountId: sub, grantId } : {}),
      aud,
      ...cnf,
      extra,
    };
  }

  return {
    ...stored,
    async find(id) {
      const ctx = Provider.ctx;
      const verified = (ctx?.state as VerifiedState | undefined)?.verifiedAccessToken;
      if (verified && verifiedTokenId(verified) === id) return payloadOf(verified);
      if (ctx?.oidc.route !== 'userinfo') return stored.find(id);
      if (!looksLikeJwt(id)) return withoutAudience(await stored.find(id));
      const token = await deps.verifyAccessToken(id);
      return token ? withoutAudience(await payloadOf(token)) : undefined;
    },
    async destroy(id) {
      const verified = (Provider.ctx?.state as VerifiedState | undefined)?.verifiedAccessToken;
      // the library names a loaded token by its own id
      if (verified?.jti !== id) return stored.destroy(id);
      await revoke(deps, verified);
    },
  };
}

/** Userinfo is open to every token with the scope `openid`; the library would refuse one that names an audience. */
function withoutAudience(payload: AdapterPayload | undefined | void): AdapterPayload | undefined {
  if (!payload) return undefined;
  const { aud: _aud, ...rest } = payload as AdapterPayload & { aud?: unknown };
  return rest;
}

async function revoke(deps: JwtAccessTokenDeps, token: VerifiedAccessToken): Promise<void> {
  const revoked = deps.database.collection<RevokedToken>(revokedCollection);
  const expiresAt = new Date(token.exp * 1000);
  try {
    await deps.inTransaction(async (tx) => {
      await revoked.insertOne({ _id: token.jti, revokedAt: deps.now(), expiresAt }, sessionOf(tx));
      await deps.recordEvent(tx, {
        type: 'access_token.revoked',
        tenantId: typeof token['tenant_id'] === 'string' ? token['tenant_id'] : null,
        actor: { kind: 'system', reason: 'protocol' },
        subjectId: token.jti,
        data: { clientId: token.client_id, at: epochSeconds(deps.now()) },
      });
    });
  } catch (error) {
    if (!isDuplicateKey(error)) throw error; // revoked already
  }
  deps.revoked.note(token.jti, expiresAt);
}
