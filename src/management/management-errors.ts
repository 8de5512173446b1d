import { AppError } from '../kernel/errors.js';

/** RFC 6750 §3.1: one wording for whatever is wrong with a token. */
export function unauthenticated(): AppError {
  return new AppError('token.invalid', { status: 401, detail: 'This takes a valid access token for this API.' });
}

export function insufficientScope(permission: string): AppError {
  return new AppError('token.insufficient_scope', { status: 403, detail: `This takes the permission ${permission}.` });
}

export function addressNotAllowed(): AppError {
  return new AppError('address.not_allowed', {
    status: 403,
    detail: 'The tenant may not be used from your address.',
  });
}

export function preconditionNotSupported(): AppError {
  return new AppError('request.precondition_not_supported', {
    status: 400,
    detail: 'If-Match is understood with PATCH alone.',
  });
}

export function preconditionFailed(): AppError {
  return new AppError('request.changed_meanwhile', {
    status: 412,
    detail: 'Somebody has changed this since you read it. Read it again.',
  });
}
