import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Context, Middleware, Next } from 'koa';
import type Provider from 'oidc-provider';
import { parseForm, readFormText, type FormLimits, type Members } from '../platform/http/form-body.js';
import { requireSameOrigin } from '../platform/http/forms.js';
import { methodNotAllowed } from '../platform/http/http-errors.js';
import {
  answerErrors,
  type AnswerError,
  type ProtocolHandler,
  type PublicDocument,
} from '../platform/http/listener.js';
import { requestIdHeader } from '../platform/http/problem.js';
import type { Logger } from '../platform/log/logger.js';
import { allowFormTarget, allowNothing, allowPage, keepCookiesAtHome } from '../platform/http/security-headers.js';
import {
  looksLikeJwt,
  verifiedTokenId,
  type VerifiedState,
  type VerifyAccessToken,
} from './adapter/jwt-access-tokens.js';
import type { SessionState } from './adapter/session-adapter.js';
import { formTooLongToGoOn } from './oidc-errors.js';
import { endpointPaths, findProtocolRoute } from './options/endpoints.js';

/** The library's application for one set of keys, and its public documents once they were asked for. */
export interface ProtocolApplication {
  provider: Provider;
  handle: (req: IncomingMessage, res: ServerResponse) => unknown;
  documents: Map<string, PublicDocument>;
}

export type ProtocolLimits = FormLimits & { urlBytes: number };

const takesToken = /^\/oauth2\/(introspect|revoke)$/;
const publicDocument = /^\/(\.well-known\/|oauth2\/jwks$)/;
const mayBePage = /^\/(oauth2\/(authorize|logout)|device)/;

/** Pages of ours whose forms the library takes; it asks for a token, and we for their origin. */
const formsOfPeople = new Set<string>([endpointPaths.code_verification, `${endpointPaths.end_session}/confirm`]);

/**
 * Hands the protocol's own paths to the library, past our pages. Discovery and JWKS change only with the keys, so the
 * library makes each once and it is served from memory then.
 */
export function protocolHandler(current: () => ProtocolApplication): ProtocolHandler {
  return {
    documentAt: (url) => current().documents.get(url),
    handles: (method, path) => findProtocolRoute(path)?.methods.includes(method) ?? false,
    handle: (req, res) => current().handle(req, res),
  };
}

/**
 * In the pages' application: the protocol's paths with a method that is not the library's. Authorization and sign-out
 * may be posted (OpenID Connect Core §3.1.2.1, RP-Initiated Logout §2). A post from another site comes without our
 * cookies, so it is sent on as GET, which has them. Everything else is 405 and not 404.
 */
export function answerOtherMethods(limits: ProtocolLimits): Middleware {
  return async (ctx, next) => {
    const route = findProtocolRoute(ctx.path);
    if (!route) return void (await next());
    if (ctx.method === 'POST' && route.postable) return sendOnAsGet(ctx, limits);
    ctx.set('Allow', [...route.methods, ...(route.postable ? ['POST'] : [])].join(', '));
    throw methodNotAllowed();
  };
}

async function sendOnAsGet(ctx: Context, limits: ProtocolLimits): Promise<void> {
  const location = `${ctx.path}?${new URLSearchParams(await readFormText(ctx, limits)).toString()}`;
  if (location.length > limits.urlBytes) throw formTooLongToGoOn();
  ctx.status = 303;
  ctx.set('Location', location);
  ctx.body = '';
}

interface ProtocolMiddlewareDeps {
  issuer: string;
  verifyAccessToken: VerifyAccessToken;
  limits: FormLimits;
  log: Logger;
  answerError: AnswerError;
}

/** Middleware inside the library's application, around its router. */
export function useProtocolMiddleware(
  { provider, documents }: Pick<ProtocolApplication, 'provider' | 'documents'>,
  deps: ProtocolMiddlewareDeps,
): void {
  const sessionCookie = provider.cookieName('session');
  provider.use((ctx: Context, next: Next) => {
    if (mayBePage.test(ctx.path)) return asPage(ctx, next, sessionCookie);
    return publicDocument.test(ctx.path) ? asPublicDocument(documents, ctx, next) : next();
  });
  provider.use(answerErrors(deps.log, deps.answerError));
  provider.use(async (ctx: Context, next: Next) => {
    if (ctx.method === 'POST' && formsOfPeople.has(ctx.path)) requireSameOrigin(ctx, deps.issuer);
    // other types of content are the library's to refuse
    if (ctx.method === 'POST' && ctx.is('application/x-www-form-urlencoded')) {
      const text = await readFormText(ctx, deps.limits);
      const body = takesToken.test(ctx.path) ? await unwrapJwtAccessToken(deps.verifyAccessToken, ctx, text) : text;
      (ctx.req as unknown as { body: unknown }).body = body;
    }
    await next();
  });
}

async function asPage(ctx: Context, next: Next, sessionCookie: string): Promise<void> {
  allowPage(ctx);
  await keepCookiesAtHome(ctx, next);
  keepNewerSessionCookie(ctx, sessionCookie);
  const isPage = ctx.response.is('html') && !ctx.response.get('Location');
  if (isPage) for (const uri of new Set(formTargets(ctx))) allowFormTarget(ctx, uri);
  else allowNothing(ctx);
}

async function asPublicDocument(documents: ProtocolApplication['documents'], ctx: Context, next: Next): Promise<void> {
  await next();
  if (ctx.status === 200) keepDocument(documents, ctx);
}

/** Open to every origin and without credentials, so the same for all: the library would name the origin that asked. */
function keepDocument(documents: Map<string, PublicDocument>, ctx: Context): void {
  ctx.set('Access-Control-Allow-Origin', '*');
  ctx.set('Cache-Control', 'public, max-age=300');
  ctx.remove('Vary');
  if (ctx.method !== 'GET' || ctx.querystring !== '') return;
  const body = Buffer.from(JSON.stringify(ctx.body));
  const { [requestIdHeader.toLowerCase()]: _ofThisRequest, ...headers } = ctx.res.getHeaders();
  headers['content-length'] = body.length;
  documents.set(ctx.path, { body, headers: Object.entries(headers).flat().map(String) });
}

/**
 * A request that was overtaken by a change of the session's identifier has saved nothing (see the session adapter); its
 * answer must not put the former identifier back into the browser either.
 */
function keepNewerSessionCookie(ctx: Context, cookieName: string): void {
  if (!(ctx.state as SessionState).overtaken) return;
  const cookies = [ctx.res.getHeader('Set-Cookie') ?? []].flat().map(String);
  const others = cookies.filter(
    (cookie) => !cookie.startsWith(`${cookieName}=`) && !cookie.startsWith(`${cookieName}.sig=`),
  );
  if (others.length === 0) ctx.remove('Set-Cookie');
  else ctx.set('Set-Cookie', others);
}

/**
 * Where the forms of the library's own pages end: form_post at the redirect URI; a change of user and a sign-out without
 * a session go through a form of its own first and end at what the stored request names. All of these were validated.
 */
function formTargets(ctx: Context): (string | undefined)[] {
  const { oidc } = ctx as { oidc?: PageContext };
  return [
    oidc?.redirectUriCheckPerformed ? oidc.params?.redirect_uri : undefined,
    oidc?.entities?.Interaction?.params?.redirect_uri,
    oidc?.session?.state?.postLogoutRedirectUri,
  ];
}

interface PageContext {
  redirectUriCheckPerformed?: boolean;
  params?: { redirect_uri?: string };
  entities?: { Interaction?: { params?: { redirect_uri?: string } } };
  session?: { state?: { postLogoutRedirectUri?: string } };
}

/**
 * The library refuses JWT access tokens at introspection and revocation. So they are verified here and replaced by
 * their `jti`, under which the adapter then answers with what was verified.
 */
async function unwrapJwtAccessToken(verify: VerifyAccessToken, ctx: Context, text: string): Promise<string | Members> {
  const form = parseForm(text);
  const { token } = form;
  if (typeof token !== 'string' || !looksLikeJwt(token)) return text;
  const verified = await verify(token);
  if (verified) (ctx.state as VerifiedState).verifiedAccessToken = verified;
  if (!verified) return { ...form, token: 'not-a-token-of-this-issuer' };
  // what it is is known, so that the library need not look among the refresh tokens
  return { token_type_hint: 'access_token', ...form, token: verifiedTokenId(verified) };
}
