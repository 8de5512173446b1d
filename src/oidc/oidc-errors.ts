import { AppError } from '../kernel/errors.js';

export function interactionExpired(cause?: unknown): AppError {
  return new AppError('interaction.expired', {
    status: 400,
    detail: 'This sign-in was open for too long, was finished already, or was started in another browser.',
    cause,
  });
}

export function unreadableForm(status: 400 | 413 | 415): AppError {
  return new AppError('protocol.unreadable_form', {
    status,
    detail: 'The request could not be read as a form of this size.',
  });
}

/** What the library refused, for a page: the OAuth error code and its words, which it means to be seen. */
export function requestRefused(status: number, code: string, description: string): AppError {
  return new AppError(code, { status, detail: description });
}
