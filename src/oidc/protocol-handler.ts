import parseBody from 'co-body';
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Context, Middleware, Next } from 'koa';
import type Provider from 'oidc-provider';
import { methodNotAllowed } from '../platform/http/http-errors.js';
import type { ProtocolHandler } from '../platform/http/listener.js';
import { allowFormTarget, allowNothing, allowPage } from '../platform/http/security-headers.js';
import { looksLikeJwt, type VerifiedState, type VerifyAccessToken } from './adapter/jwt-access-tokens.js';
import { protocolRoutes } from './options/endpoints.js';

/** The library's application for one set of keys, and its public documents once they were asked for. */
export interface ProtocolApplication {
  provider: Provider;
  handle: (req: IncomingMessage, res: ServerResponse) => unknown;
  documents: Map<string, Buffer>;
}

const publicDocument = /^\/(\.well-known\/|oauth2\/jwks$)/;
const mayBePage = /^\/oauth2\/(authorize|logout)/;

/**
 * Hands the protocol's own paths to the library, past our pages. Discovery and JWKS change only with the keys, so the
 * library makes each once and it is served from memory then.
 */
export function protocolHandler(current: () => ProtocolApplication): ProtocolHandler {
  return {
    handles: (method, path) => protocolRoutes.some((route) => route.path.test(path) && route.methods.includes(method)),
    handle(req, res) {
      const { documents, handle } = current();
      const document = req.method === 'GET' ? documents.get(req.url ?? '') : undefined;
      if (!document) return void handle(req, res);
      res.setHeader('Content-Type', 'application/json; charset=utf-8');
      res.setHeader('Access-Control-Allow-Origin', '*');
      res.setHeader('Cache-Control', 'public, max-age=300');
      res.setHeader('Content-Length', document.length);
      res.end(document);
    },
  };
}

/** In the pages' application: a path of the protocol with another method is 405 and not 404. */
export const refuseWrongMethods: Middleware = async (ctx, next) => {
  const route = protocolRoutes.find(({ path }) => path.test(ctx.path));
  if (!route) return void (await next());
  ctx.set('Allow', route.methods.join(', '));
  throw methodNotAllowed();
};

/** Middleware inside the library's application, around its router. */
export function useProtocolMiddleware(
  { provider, documents }: Pick<ProtocolApplication, 'provider' | 'documents'>,
  deps: { verifyAccessToken: VerifyAccessToken; bodyBytes: number },
): void {
  provider.use(async (ctx: Context, next: Next) => {
    if (mayBePage.test(ctx.path)) allowPage(ctx);
    await next();
    if (publicDocument.test(ctx.path) && ctx.status === 200) keepDocument(documents, ctx);
    if (ctx.response.is('html')) allowFormTarget(ctx, validatedRedirectUri(ctx));
    else if (mayBePage.test(ctx.path)) allowNothing(ctx);
  });
  provider.use(async (ctx: Context, next: Next) => {
    await unwrapJwtAccessToken(deps, ctx);
    await next();
  });
}

function keepDocument(documents: Map<string, Buffer>, ctx: Context): void {
  ctx.set('Cache-Control', 'public, max-age=300');
  if (ctx.method === 'GET' && ctx.querystring === '') documents.set(ctx.path, Buffer.from(JSON.stringify(ctx.body)));
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
