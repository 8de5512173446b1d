import { AppError } from '../kernel/errors.js';

/** The same for a tenant that never was, one that is no more, and one that the caller may not know of. */
export function noTenant(): AppError {
  return new AppError('tenant.not_found', { status: 404, detail: 'There is no such tenant.' });
}
