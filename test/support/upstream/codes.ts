import { createHash, randomBytes } from 'node:crypto';

/** Parameters of an authorization request or answer, by name. */
export type Parameters = Record<string, string>;

/** What the token endpoint remembers of an authorization request. */
export type AskedFor = Readonly<Parameters>;

/** Authorization codes of a stand-in, each of which is good once and for whom it was given. */
export interface Codes {
  give(request: AskedFor): string;
  /** The request that the code answers; or why it is not good (RFC 6749 §4.1.3, RFC 7636 §4.6). */
  take(form: Parameters): AskedFor | string;
}

export function newCodes(): Codes {
  const open = new Map<string, AskedFor>();
  return {
    give(request) {
      const code = randomBytes(16).toString('hex');
      open.set(code, request);
      return code;
    },
    take(form) {
      const { code = '', redirect_uri: redirectUri, code_verifier: verifier = '' } = form;
      const request = open.get(code);
      open.delete(code);
      if (!request) return 'the code is unknown or was used';
      if (redirectUri !== request['redirect_uri']) return 'the redirect_uri is another one';
      const challenge = createHash('sha256').update(verifier).digest('base64url');
      const isProven = request['code_challenge'] === undefined || request['code_challenge'] === challenge;
      return isProven ? request : 'the code_verifier is another one';
    },
  };
}
