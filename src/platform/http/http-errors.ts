import { AppError } from '../../kernel/errors.js';

export function methodNotAllowed(): AppError {
  return new AppError('request.method_not_allowed', { status: 405, detail: 'This method is not possible here.' });
}

export function notFound(): AppError {
  return new AppError('request.not_found', { status: 404, detail: 'Nothing is to be found at this address.' });
}

/** Options of every router: an address has one spelling, so that whoever reads it elsewhere reads the same. */
export const oneSpelling = { sensitive: true, strict: true } as const;
