import parseBody from 'co-body';
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Context, Middleware, Next } from 'koa';
import type Provider from 'oidc-provider';
import { methodNotAllowed } from '../platform/http/http-errors.js';
import { allowFormTarget } from '../platform/http/security-headers.js';
import { looksLikeJwt, type VerifiedState, type VerifyAccessToken } from './adapter/jwt-access-tokens.js';
import { protocolRoutes } from './options/endpoints.js';

/** The library's application for one set of keys. */
export type RequestListener = (req: IncomingMessage, res: ServerResponse) => Promise<void>;

/**
 * Hands the protocol's own paths to the library. It gets the raw request: the headers it builds its URLs from were
 * pinned at the edge, the security headers are set already.
 */
export function handProtocolRequests(currentHandler: () => RequestListener): Middleware {
  return async (ctx, next) => {
    const route = protocolRoutes.find(({ path }) => path.test(ctx.path));
    if (!route) return void (await next());
    if (!route.methods.includes(ctx.method)) {
      ctx.set('Allow', route.methods.join(', '));
      throw methodNotAllowed();
    }
    ctx.respond = false;
    ctx.res.statusCode = 404; // what Koa starts with; the outer application set its own
    await currentHandler()(ctx.req, ctx.res);
  };
}

/** Middleware inside the library's application, around its router. */
export function useProtocolMiddleware(
  provider: Provider,
  deps: { verifyAccessToken: VerifyAccessToken; bodyBytes: number },
): void {
  provider.use(async (ctx: Context, next: Next) => {
    ctx.state['requestId'] = ctx.res.getHeader('X-Request-Id');
    await next();
    const isPublicDocument = ctx.status === 200 && /^\/(\.well-known\/|oauth2\/jwks$)/.test(ctx.path);
    if (isPublicDocument) ctx.set('Cache-Control', 'public, max-age=300');
    if (!ctx.response.is('html')) ctx.set('Content-Security-Policy', "default-src 'none'; frame-ancestors 'none'");
    else allowFormTarget(ctx, validatedRedirectUri(ctx));
  });
  provider.use(async (ctx: Context, next: Next) => {
    await unwrapJwtAccessToken(deps, ctx);
    await next();
  });
}

/** The library's own form_post page goes to the redirect URI. */
function validatedRedirectUri(ctx: Context): string | undefined {
  const oidc = (ctx as { oidc?: { redirectUriCheckPerformed?: boolean; params?: { redirect_uri?: string } } }).oidc;
  return oidc?.redirectUriCheckPerformed ? oidc.params?.redirect_uri : undefined;
}

/**
 * The library refuses JWT access tokens at introspection and revocation. So they are verified here and replaced by
 * their `jti`, under which the adapter then answers with what was verified.
 */
async function unwrapJwtAccessToken(
  deps: { verifyAccessToken: VerifyAccessToken; bodyBytes: number },
  ctx: Context,
): Promise<void> {
  const takesToken = ctx.method === 'POST' && /^\/oauth2\/(introspect|revoke)$/.test(ctx.path);
  if (!takesToken || !ctx.is('application/x-www-form-urlencoded')) return;
  const body = await readForm(ctx, deps.bodyBytes);
  if (typeof body['token'] === 'string' && looksLikeJwt(body['token'])) {
    const verified = await deps.verifyAccessToken(body['token']);
    if (verified) (ctx.state as VerifiedState).verifiedAccessToken = verified;
    body['token'] = verified?.jti ?? 'not-a-token-of-this-issuer';
  }
  (ctx.req as unknown as { body: unknown }).body = body;
}

async function readForm(ctx: Context, limit: number): Promise<Record<string, unknown>> {
  try {
    return (await parseBody.form(ctx.req, { limit, queryString: { depth: 0, plainObjects: true } })) as Record<
      string,
      unknown
    >;
  } catch {
    return {}; // the library says what is missing
  }
}
