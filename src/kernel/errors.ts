import type { Message } from './message.js';

/** One thing wrong with one field: `pointer` is an RFC 6901 JSON pointer into the request, `code` is stable. */
export interface FieldProblem {
  pointer: string;
  code: string;
  detail: string;
}

interface AppErrorOptions {
  status: number;
  /** Safe to show to anybody: no ids of other tenants, no addresses, no internals. */
  detail: string;
  fields?: FieldProblem[];
  retryAfterSeconds?: number;
  cause?: unknown;
  /** What a page says, where that takes more than the code. */
  said?: Message;
}

/**
 * An expected refusal with a stable code (`slice.reason`). Everything else that is thrown is a bug and answers as a
 * generic 500. It deliberately has no `expose`: an error with `expose: true` inside a hook of the OIDC library would
 * be shown word for word.
 */
export class AppError extends Error {
  readonly code: string;
  readonly status: number;
  readonly fields: readonly FieldProblem[];
  readonly retryAfterSeconds: number | undefined;
  readonly said: Message | undefined;

  constructor(code: string, options: AppErrorOptions) {
    super(options.detail, { cause: options.cause });
    this.name = 'AppError';
    this.code = code;
    this.status = options.status;
    this.fields = options.fields ?? [];
    this.retryAfterSeconds = options.retryAfterSeconds;
    this.said = options.said;
  }
}

/** What was sent has not the right form; each field says where and how. */
export function invalidInput(fields: FieldProblem[], detail = 'What was sent has not the right form.'): AppError {
  return new AppError('input.invalid', { status: 400, detail, fields });
}

/** The request cannot be served now but may be in a moment (RFC 9110 §15.6.4). */
export function temporarilyUnavailable(cause?: unknown): AppError {
  return new AppError('service.unavailable', {
    status: 503,
    detail: 'The service is busy or cannot reach its storage. Please try again in a moment.',
    retryAfterSeconds: 2,
    cause,
  });
}
