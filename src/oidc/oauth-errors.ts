import Provider, { errors } from 'oidc-provider';
import { AppError, temporarilyUnavailable } from '../kernel/errors.js';
import { isDatabaseUnavailable } from '../platform/mongo/transactions.js';

/**
 * What the library makes of an error of ours: its own error classes become RFC 6749 answers, everything else a bare
 * `server_error`. Expected refusals and an unreachable database are therefore translated here and nowhere else.
 */
export function toOAuthError(error: unknown): unknown {
  if (error instanceof errors.OIDCProviderError) return error;
  if (isDatabaseUnavailable(error)) return unavailable(temporarilyUnavailable(error));
  if (!(error instanceof AppError)) return error;
  if (error.status === 503) return unavailable(error);
  if (error.status === 403) return new errors.AccessDenied(error.message, error.code);
  return new errors.InvalidRequest(error.message, error.status, error.code);
}

function unavailable(cause: AppError): Error {
  const error = new errors.TemporarilyUnavailable(cause.message, cause.code);
  if (cause.retryAfterSeconds !== undefined) Provider.ctx?.set('Retry-After', String(cause.retryAfterSeconds));
  return Object.assign(error, { status: 503, statusCode: 503, cause: cause.cause ?? cause });
}

/** A hook of the library whose errors are translated. */
export function translated<Args extends unknown[], Result>(
  hook: (...args: Args) => Promise<Result>,
): (...args: Args) => Promise<Result> {
  return async (...args) => {
    try {
      return await hook(...args);
    } catch (error) {
      throw toOAuthError(error);
    }
  };
}
