/** A tiny API that trusts the server's access tokens: it needs the issuer and its own identifier, and no secret. */
import { createRemoteJWKSet, errors, jwtVerify, type JWTPayload, type JWTVerifyGetKey } from 'jose';
import type { Context, Middleware } from 'koa';
import { discover } from './relying-party.js';

export const projectsAudience = 'https://api.example.com/projects';
const neededScope = 'projects:read';

export function projectsApi({ issuer }: { issuer: string }): Middleware {
  const keysOf = issuerKeys(issuer);

  return async (ctx) => {
    const token = /^Bearer ([\w.~+/-]+=*)$/i.exec(ctx.get('Authorization'))?.[1];
    // RFC 6750 §3.1: without a token there is nothing to call invalid, so no error code
    if (token === undefined) return refuse(ctx, 401, null, 'send an access token: Authorization: Bearer …');

    const keys = await keysOf();
    let claims: JWTPayload;
    try {
      // RFC 9068 §4: signature, issuer, audience, type, expiry. An ID token fails here, and another API's token too.
      ({ payload: claims } = await jwtVerify(token, keys, {
        issuer,
        audience: projectsAudience,
        typ: 'at+jwt',
        requiredClaims: ['sub', 'exp', 'iat', 'jti', 'client_id', 'tenant_id'],
      }));
    } catch (error) {
      if (!isAboutTheToken(error)) throw error;
      return refuse(ctx, 401, 'invalid_token', `the token is not good here: ${error.message}`);
    }

    const scopes = typeof claims['scope'] === 'string' ? claims['scope'].split(' ') : [];
    if (!scopes.includes(neededScope)) {
      const reason = `the token lacks ${neededScope}: no role of this person in this tenant allows it, or it was not asked for`;
      return refuse(ctx, 403, 'insufficient_scope', reason);
    }

    // The tenant comes from the token and nowhere else: no parameter can lead into another tenant's data.
    const { tenant_id: id, tenant_slug: slug, tenant_type: type } = claims;
    ctx.body = {
      tenant: { id, slug, type },
      projects: [
        { name: `Website of ${String(slug)}`, mayChange: scopes.includes('projects:write') },
        { name: `Archive of ${String(slug)}`, mayChange: false },
      ],
    };
  };
}

/** The issuer's public keys, found by discovery; jose fetches them when needed and again when a new key appears. */
function issuerKeys(issuer: string): () => Promise<JWTVerifyGetKey> {
  let keys: JWTVerifyGetKey | undefined;
  return async () => {
    if (keys) return keys;
    const { jwks_uri: address } = (await discover(issuer)).serverMetadata();
    if (address === undefined) throw new Error(`${issuer} publishes no keys`);
    keys = createRemoteJWKSet(new URL(address));
    return keys;
  };
}

/** And not about the keys: when those cannot be fetched, nothing can be said of the token. */
function isAboutTheToken(error: unknown): error is errors.JOSEError {
  return error instanceof errors.JOSEError && !['ERR_JWKS_TIMEOUT', 'ERR_JOSE_GENERIC'].includes(error.code);
}

function refuse(ctx: Context, status: 401 | 403, code: string | null, reason: string): void {
  const parameters = code === null ? '' : ` error="${code}", scope="${neededScope}"`;
  ctx.status = status;
  ctx.set('WWW-Authenticate', `Bearer${parameters}`);
  ctx.body = { error: code ?? 'unauthorized', reason };
}
