import { randomUUID } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Middleware } from 'koa';
import type { AppError } from '../../kernel/errors.js';
import type { Logger } from '../log/logger.js';
import { pinRequest, type EdgeOptions } from './edge.js';
import { methodNotAllowed, notFound } from './http-errors.js';
import { requestIdOf, toAppError } from './problem.js';
import type { Header } from './security-headers.js';

type Handle = (req: IncomingMessage, res: ServerResponse) => unknown;

/** One of the two applications behind the door. */
export interface ProtocolHandler {
  /** Whether this method and path are the protocol's. */
  handles(method: string, path: string): boolean;
  handle: Handle;
}

export interface ListenerOptions {
  edge: EdgeOptions;
  headers: readonly Header[];
  log: Logger;
  protocol: ProtocolHandler;
  /** Everything else: pages, health, and the answers to what was refused at the door. */
  pages: Handle;
}

const refusals = Symbol('refused at the door');
type Request = IncomingMessage & { [refusals]?: AppError };

/**
 * The door: gives every request an id, pins what is believed about it, sets the headers of every answer, and hands it to
 * the OIDC library or to our own pages. Writes one log line for each (the path without its query, which may hold codes).
 */
export function createListener({ edge, headers, log, protocol, pages }: ListenerOptions): Handle {
  return (req: Request, res) => {
    const startedAt = performance.now();
    const requestId = randomUUID(); // made from a pool, where randomBytes asks the kernel each time
    res.setHeader('X-Request-Id', requestId);
    for (const [name, value] of headers) res.setHeader(name, value);
    const method = req.method ?? '';
    const path = (req.url ?? '').split('?', 1)[0] ?? '';
    res.once('close', () => {
      const durationMs = Math.round((performance.now() - startedAt) * 10) / 10;
      log.info({ requestId, method, path, status: res.statusCode, durationMs }, 'request');
    });
    try {
      pinRequest(req, edge);
    } catch (refusal) {
      req[refusals] = toAppError(refusal);
    }
    if (!req[refusals] && protocol.handles(method, path)) return protocol.handle(req, res);
    return pages(req, res);
  };
}

/** First middleware of the pages: answers what was refused at the door and whatever is thrown behind it. */
export function answerErrors(
  log: Logger,
  answer: (ctx: Parameters<Middleware>[0], error: AppError) => void,
): Middleware {
  return async (ctx, next) => {
    try {
      const refusal = (ctx.req as Request)[refusals];
      if (refusal) throw refusal;
      await next();
      if (ctx.status === 405 && !ctx.body) throw methodNotAllowed();
      if ((ctx.status === 404 || ctx.status === 501) && !ctx.body) throw notFound();
    } catch (thrown) {
      const error = toAppError(thrown);
      const requestId = requestIdOf(ctx);
      if (error.status >= 500)
        log.error({ requestId, err: error.cause ?? error, errorCode: error.code }, 'request failed');
      if (error.retryAfterSeconds !== undefined) ctx.set('Retry-After', String(error.retryAfterSeconds));
      answer(ctx, error);
    }
  };
}
