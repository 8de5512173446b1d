import {
  AuthorizationResponseError,
  ClientError,
  ResponseBodyError,
  WWWAuthenticateChallengeError,
} from 'openid-client';

/** What comes of a sign-in at a provider that gives us nobody. */
export type UpstreamFailure =
  /** The person, or the provider, said no. */
  | 'denied'
  /** It does not answer, or not in time. */
  | 'unavailable'
  /** Its answer does not hold what it has to, or what it holds is not true. */
  | 'invalid';

/** An expected failure of a provider. The message is for the log: it says nothing that a browser is shown. */
export class UpstreamFailed extends Error {
  constructor(
    readonly failure: UpstreamFailure,
    message: string,
    cause?: unknown,
  ) {
    super(message, { cause });
    this.name = 'UpstreamFailed';
  }
}

/** Nobody answers for it, or who does cannot do what it was asked for, and that may be by what somebody outside sent. */
export class ProviderUnavailable extends Error {
  readonly isBusy: boolean;

  constructor(message: string, { cause, isBusy = false }: { cause?: unknown; isBusy?: boolean } = {}) {
    super(message, { cause });
    this.name = 'ProviderUnavailable';
    this.isBusy = isBusy;
  }
}

/** The errors that one came of, itself first. */
export function* causesOf(error: unknown): Generator<Error> {
  for (let current = error; current instanceof Error; current = current.cause) yield current;
}

const ofLibrary = [ClientError, AuthorizationResponseError, ResponseBodyError, WWWAuthenticateChallengeError];

/**
 * A call of the library. Whatever it throws comes of what the provider has published or answered, also where it is no
 * error of its own: an address that is none, or a key without its members.
 */
export async function asAnswered<T>(call: () => T | Promise<T>): Promise<T> {
  try {
    return await call();
  } catch (error) {
    if (ofLibrary.some((known) => error instanceof known)) throw error;
    if ([...causesOf(error)].some((each) => each instanceof ProviderUnavailable)) throw error;
    throw new UpstreamFailed('invalid', 'what the provider says cannot be used', error);
  }
}
