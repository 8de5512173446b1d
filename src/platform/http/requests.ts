import { randomBytes } from 'node:crypto';
import type { Context, Middleware } from 'koa';
import type { AppError } from '../../kernel/errors.js';
import type { Logger } from '../log/logger.js';
import { pinRequest, type EdgeOptions } from './edge.js';
import { toAppError } from './problem.js';

export type AnswerError = (ctx: Context, error: AppError) => void | Promise<void>;

/**
 * The outermost middleware: gives the request an id, pins what is believed about it, answers whatever is thrown, and
 * writes one log line (the path without its query, which may hold codes and states).
 */
export function handleRequests(log: Logger, edge: EdgeOptions, answerError: AnswerError): Middleware {
  return async (ctx, next) => {
    const startedAt = performance.now();
    const requestId = randomBytes(12).toString('hex');
    ctx.state = { requestId };
    ctx.set('X-Request-Id', requestId);
    try {
      pinRequest(ctx.req, edge);
      await next();
    } catch (thrown) {
      const error = toAppError(thrown);
      if (error.status >= 500)
        log.error({ requestId, err: error.cause ?? error, errorCode: error.code }, 'request failed');
      if (error.retryAfterSeconds !== undefined) ctx.set('Retry-After', String(error.retryAfterSeconds));
      await answerError(ctx, error);
    } finally {
      const durationMs = Math.round((performance.now() - startedAt) * 10) / 10;
      log.info({ requestId, method: ctx.method, path: ctx.path, status: ctx.status, durationMs }, 'request');
    }
  };
}
