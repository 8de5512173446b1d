import { AppError } from '../kernel/errors.js';

export function interactionExpired(cause?: unknown): AppError {
  return new AppError('interaction.expired', {
    status: 400,
    detail: 'This sign-in was open for too long, was finished already, or was started in another browser.',
    cause,
  });
}

export function formTooLongToGoOn(): AppError {
  return new AppError('protocol.form_too_long', {
    status: 413,
    detail: 'The form is too long to go on as an address.',
  });
}

/** What the library refused, for a page: the OAuth error code and its words, which it means to be seen. */
export function requestRefused(status: number, code: string, description: string): AppError {
  return new AppError(code, { status, detail: description });
}
