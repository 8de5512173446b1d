/** The asymmetric algorithms in which the server accepts proofs too, so a token bound there can be used here. */
export const proofAlgorithms = ['ES256', 'EdDSA', 'RS256', 'PS256'];

export type Scheme = 'Bearer' | 'DPoP';
export type RefusalCode = 'invalid_token' | 'insufficient_scope' | 'invalid_dpop_proof';

interface RefusalDetails {
  /** The scheme in which the token came. */
  scheme: Scheme;
  /** What would be enough (RFC 6750 §3). */
  scope?: readonly string[];
}

/** The request may not be served as it came. The message says why in words of ours, never in those of the token. */
export class AccessRefused extends Error {
  readonly status: 401 | 403;
  /** Null when no token was sent: then there is nothing to call invalid (RFC 6750 §3.1). */
  readonly error: RefusalCode | null;
  /** The value of the header `WWW-Authenticate` of the answer. */
  readonly wwwAuthenticate: string;

  constructor(error: RefusalCode | null, description: string, details?: RefusalDetails) {
    super(description);
    this.name = 'AccessRefused';
    this.error = error;
    this.status = error === 'insufficient_scope' ? 403 : 401;
    this.wwwAuthenticate = challenges(error, description, details);
  }
}

/** Nothing can be said of the token now: an answer for 503, since 401 would have clients throw good tokens away. */
export class VerificationUnavailable extends Error {
  readonly status = 503;

  constructor(message: string, cause?: unknown) {
    super(message, { cause });
    this.name = 'VerificationUnavailable';
  }
}

/** Both schemes are offered (RFC 9449 §7.2); the error stands with the one that was used. */
function challenges(error: RefusalCode | null, description: string, details?: RefusalDetails): string {
  const problem = error === null ? [] : [`error="${error}"`, `error_description="${description}"`];
  if (details?.scope) problem.push(`scope="${details.scope.join(' ')}"`);
  const challenge = (scheme: Scheme, own: readonly string[]): string => {
    const parameters = [...(details?.scheme === scheme ? problem : []), ...own];
    return parameters.length === 0 ? scheme : `${scheme} ${parameters.join(', ')}`;
  };
  return `${challenge('Bearer', [])}, ${challenge('DPoP', [`algs="${proofAlgorithms.join(' ')}"`])}`;
}
