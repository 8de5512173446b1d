import { STATUS_CODES } from 'node:http';
import type { Context } from 'koa';
import { AppError, temporarilyUnavailable, type FieldProblem } from '../../kernel/errors.js';
import { isDatabaseUnavailable } from '../mongo/transactions.js';

/** RFC 9457 problem details, with our stable `code` and the fields at fault. */
export interface Problem {
  type: string;
  title: string;
  status: number;
  detail: string;
  /** The request id, as in the logs. */
  instance: string;
  code: string;
  errors?: readonly FieldProblem[];
}

export function presentProblem(error: AppError, requestId: string): Problem {
  return {
    type: 'about:blank',
    title: STATUS_CODES[error.status] ?? 'Error',
    status: error.status,
    detail: error.message,
    instance: requestId,
    code: error.code,
    ...(error.fields.length > 0 ? { errors: error.fields } : {}),
  };
}

/** What is told to the outside of whatever was thrown. Only an AppError speaks for itself; a bug says nothing. */
export function toAppError(error: unknown): AppError {
  if (error instanceof AppError) return error;
  if (isDatabaseUnavailable(error)) return temporarilyUnavailable(error);
  return new AppError('server.error', { status: 500, detail: 'Something went wrong on our side.', cause: error });
}

export function answerProblem(ctx: Context, error: AppError): void {
  ctx.status = error.status;
  ctx.body = presentProblem(error, requestIdOf(ctx));
  ctx.type = 'application/problem+json';
}

export const requestIdHeader = 'X-Request-Id';

/** As in the log and in the header `X-Request-Id`. */
export function requestIdOf(ctx: Context): string {
  return String(ctx.res.getHeader(requestIdHeader));
}
