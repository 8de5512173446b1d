import { randomUUID } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Middleware } from 'koa';
import { temporarilyUnavailable, type AppError } from '../../kernel/errors.js';
import type { Logger } from '../log/logger.js';
import { requestLog } from '../log/request-log.js';
import { requestPinner, type EdgeOptions } from './edge.js';
import { methodNotAllowed, notFound } from './http-errors.js';
import { requestsInFlight } from './in-flight.js';
import { requestIdHeader, requestIdOf, toAppError } from './problem.js';
import type { Header } from './security-headers.js';

type Handle = (req: IncomingMessage, res: ServerResponse) => unknown;

/** An answer that is the same for everybody, with all its headers (name, value, name, value …). */
export interface PublicDocument {
  headers: readonly string[];
  body: Buffer;
}

/** One of the two applications behind the door. */
export interface ProtocolHandler {
  /** What is answered to a GET of this path and query, when that is known already. */
  documentAt(url: string): PublicDocument | undefined;
  /** Whether this method and path are the protocol's. */
  handles(method: string, path: string): boolean;
  handle: Handle;
}

/** The part of the address limits that is asked here. */
export interface DoorLimits {
  check(req: IncomingMessage, res: ServerResponse, path: string): null | Promise<AppError | null>;
  note(req: IncomingMessage, res: ServerResponse, path: string): void;
}

export interface ListenerOptions {
  edge: EdgeOptions;
  limits: DoorLimits;
  /** More at once are answered with 503, but for probes and what is known already. */
  requestsInFlight: number;
  headers: readonly Header[];
  log: Logger;
  protocol: ProtocolHandler;
  /** Everything else: pages, health, and the answers to what was refused at the door. */
  pages: Handle;
}

const refusals = Symbol('refused at the door');
type Request = IncomingMessage & { [refusals]?: AppError };

/**
 * The door: gives every request an id, pins what is believed about it, sets the headers of every answer, counts it, and
 * hands it to the OIDC library or to our own pages. Writes one log line for each (the path without its query, which may
 * hold codes).
 */
export function createListener(options: ListenerOptions): Handle {
  const { headers, limits, log, protocol, pages } = options;
  const pinRequest = requestPinner(options.edge);
  const inFlight = requestsInFlight(options.requestsInFlight, log);
  const logRequest = requestLog(log);
  return (req: Request, res) => {
    const startedAt = performance.now();
    const requestId = randomUUID(); // made from a pool, where randomBytes asks the kernel each time
    const { method = '', url = '' } = req;
    const path = url.split('?', 1)[0] ?? '';
    res.once('close', () => {
      const durationMs = Math.round((performance.now() - startedAt) * 10) / 10;
      logRequest({ requestId, method, path, status: res.statusCode, durationMs });
      limits.note(req, res, path);
    });
    try {
      pinRequest(req);
    } catch (refusal) {
      req[refusals] = toAppError(refusal);
    }
    const document = method === 'GET' && !req[refusals] ? protocol.documentAt(url) : undefined;
    if (document) return res.writeHead(200, [requestIdHeader, requestId, ...document.headers]).end(document.body);
    if (inFlight.isTooMany(req, res) && !path.startsWith('/health/')) req[refusals] ??= temporarilyUnavailable();
    res.setHeader(requestIdHeader, requestId);
    for (const [name, value] of headers) res.setHeader(name, value);
    const goOn = (): unknown => {
      if (!req[refusals] && protocol.handles(method, path)) return protocol.handle(req, res);
      return pages(req, res);
    };
    const check = req[refusals] ? null : limits.check(req, res, path);
    if (!check) return goOn();
    return check.then((refusal) => {
      if (refusal) req[refusals] = refusal;
      return goOn();
    });
  };
}

export type AnswerError = (ctx: Parameters<Middleware>[0], error: AppError) => void;

/** First middleware of the pages: answers what was refused at the door and whatever is thrown behind it. */
export function answerErrors(log: Logger, answer: AnswerError): Middleware {
  return async (ctx, next) => {
    const refusal = (ctx.req as Request)[refusals];
    try {
      if (refusal) throw refusal;
      await next();
      if (ctx.status === 405 && !ctx.body) throw methodNotAllowed();
      if ((ctx.status === 404 || ctx.status === 501) && !ctx.body) throw notFound();
    } catch (thrown) {
      const error = toAppError(thrown);
      const requestId = requestIdOf(ctx);
      // who is told to come back later is refused on purpose, and there may be a thousand of them
      const isFault = error.status >= 500 && (error.retryAfterSeconds === undefined || error.cause !== undefined);
      if (isFault && error !== refusal)
        log.error({ requestId, err: error.cause ?? error, errorCode: error.code }, 'request failed');
      if (error.retryAfterSeconds !== undefined) ctx.set('Retry-After', String(error.retryAfterSeconds));
      answer(ctx, error);
    }
  };
}
