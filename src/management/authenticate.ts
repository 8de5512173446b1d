import type { X509Certificate } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import { decodeJwt } from 'jose';
import type { Context } from 'koa';
import { temporarilyUnavailable } from '../kernel/errors.js';
import type { Clock } from '../kernel/time.js';
import type { Bearer, FindBearer, OidcModule } from '../oidc/index.js';
import { createExpiringMap } from '../platform/cache/expiring.js';
import type { OneTimeRecords } from '../platform/mongo/one-time-records.js';
import { AccessRefused, createVerifier, presentedRequest, VerificationUnavailable } from '../verifier/index.js';
import { unauthenticated } from './management-errors.js';
import { audienceOf } from './permissions.js';

export interface AuthenticateDeps {
  issuer: string;
  now: Clock;
  cacheSeconds: number;
  publicKeys: OidcModule['publicKeys'];
  findBearer: FindBearer;
  /** The certificate with which the client of this request has authenticated TLS. */
  certificateOf(req: IncomingMessage): X509Certificate | undefined;
  usedProofs: Pick<OneTimeRecords, 'claim'>;
}

interface OwnClaims {
  acr?: string;
  amr?: readonly string[];
  auth_time?: number;
  gid?: string;
  cnf?: object;
  key_id?: string;
  act?: Parameters<FindBearer>[0]['act'];
}

interface VerifiedToken {
  token: Parameters<FindBearer>[0];
  expiresAt: Date;
  isBound: boolean;
}

/** Where the metadata of this API are (RFC 9728 §3.1). */
export const metadataPath = '/.well-known/oauth-protected-resource/api';

/** Who sends a request, and how that is asked once more: a proof is used up by the first time, what may end is not. */
export interface Authenticated {
  bearer: Bearer;
  /** Throws 401 as the first time when the token is over or not in good standing any more. */
  askAgain(): Promise<Bearer>;
}

/**
 * Who sends a request: the token is verified by the same code that other APIs use, and then has to be in good standing.
 * Throws 401 with a challenge (RFC 6750 §3, RFC 9449 §7.1, RFC 9728 §5.1).
 */
export function authenticator(deps: AuthenticateDeps): (ctx: Context) => Promise<Authenticated> {
  const { issuer, now, publicKeys: keys } = deps;
  const claimProof = (id: string, expiresAt: Date): Promise<boolean> =>
    deps.usedProofs.claim(id, Math.ceil((expiresAt.getTime() - now().getTime()) / 1000));
  const verifier = createVerifier({ issuer, audience: audienceOf(issuer), keys, now, claimProof });
  const recent = createExpiringMap<VerifiedToken>(deps.cacheSeconds);
  const metadata = `resource_metadata="${issuer}${metadataPath}"`;

  async function verify(ctx: Context): Promise<VerifiedToken> {
    const clientCertificate = deps.certificateOf(ctx.req)?.raw;
    const claims = await verifier.verify({ ...presentedRequest(ctx.req, issuer), clientCertificate });
    // what concerns us alone, of a token whose signature is verified; `act` with the keys of who acts
    const shown = /\S+$/.exec(ctx.get('Authorization'))?.[0] ?? '';
    const { gid, cnf, act, key_id: keyId, acr, amr = [], auth_time: authTime } = decodeJwt<OwnClaims>(shown);
    const { tokenId, clientId, subject, scopes, issuedAt, expiresAt } = claims;
    const token = {
      tokenId,
      clientId,
      subject,
      scopes,
      issuedAt,
      act,
      keyId,
      tenantId: claims.tenant.id,
      grantId: gid,
      ...{ acr, amr, signedInAt: authTime === undefined ? undefined : new Date(authTime * 1000) },
    };
    return { token, expiresAt, isBound: cnf !== undefined };
  }

  /**
   * The same token again needs no other look at its signature; one that is bound shows its proof each time, and nobody
   * who shows something waits for the answer to somebody who does not.
   */
  async function verified(ctx: Context): Promise<VerifiedToken> {
    const [header = '', ...others] = ctx.req.headersDistinct['authorization'] ?? [];
    const showsMore = ctx.get('DPoP') !== '' || deps.certificateOf(ctx.req) !== undefined;
    if (others.length > 0 || !/^Bearer /i.test(header) || showsMore) return verify(ctx);
    const known = await recent.get(header, () => verify(ctx));
    if (!known.isBound && known.expiresAt > now()) return known;
    recent.forget(header);
    return verify(ctx);
  }

  async function bearerOf({ token, expiresAt }: VerifiedToken): Promise<Bearer> {
    const bearer = expiresAt > now() ? await deps.findBearer(token) : null;
    if (bearer) return bearer;
    throw new AccessRefused('invalid_token', 'the access token is not good any more', { scheme: 'Bearer' });
  }

  async function challenged<Found>(ctx: Context, find: () => Promise<Found>): Promise<Found> {
    try {
      return await find();
    } catch (error) {
      if (error instanceof VerificationUnavailable) throw temporarilyUnavailable(error.cause);
      if (!(error instanceof AccessRefused)) throw error;
      ctx.set('WWW-Authenticate', challenge(error.wwwAuthenticate, metadata));
      throw unauthenticated();
    }
  }

  return (ctx) =>
    challenged(ctx, async () => {
      const found = await verified(ctx);
      return { bearer: await bearerOf(found), askAgain: () => challenged(ctx, () => bearerOf(found)) };
    });
}

/** A challenge with where the metadata of this API are found. */
export function challenge(own: string, metadata: string): string {
  return own
    .replace(/^Bearer,/, `Bearer ${metadata},`)
    .replace(/^Bearer (?!resource_metadata)/, `Bearer ${metadata}, `);
}

export function insufficientScopeChallenge(issuer: string, permission: string): string {
  return `Bearer error="insufficient_scope", scope="${permission}", resource_metadata="${issuer}${metadataPath}"`;
}
