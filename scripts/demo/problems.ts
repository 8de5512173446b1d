import * as client from 'openid-client';
import { VerificationUnavailable } from '../../src/verifier/index.js';
import type { Problem } from './pages.js';

/** An error in words that help: what happened, and what to do about it. */
export function explain(error: unknown, issuer: string): Problem & { status: number } {
  if (isUnreachable(error)) {
    return {
      status: 503,
      heading: 'The sign-in server is not reachable',
      text: `Nothing answers at ${issuer}.`,
      hint: 'Start it with npm start in another terminal and try again.',
    };
  }
  // error codes of RFC 6749: the first came with the redirect, the second from the token endpoint
  if (error instanceof client.AuthorizationResponseError || error instanceof client.ResponseBodyError) {
    return {
      status: error instanceof client.AuthorizationResponseError ? 400 : 502,
      heading: error.error === 'access_denied' ? 'You were not signed in' : 'The sign-in server refused',
      text: `${error.error}: ${error.error_description ?? 'the server gives no reason'}`,
      hint: error.error === 'invalid_grant' ? 'What was granted has ended: sign out and sign in again.' : null,
    };
  }
  const text = error instanceof Error ? messagesOf(error).join(': ') : String(error);
  return { status: 502, heading: 'That did not work', text, hint: null };
}

/** `fetch` says no more than "fetch failed" and keeps the reason as its cause. */
function isUnreachable(error: unknown): boolean {
  if (error instanceof VerificationUnavailable) return true;
  return error instanceof TypeError && error.cause instanceof Error && 'code' in error.cause;
}

function messagesOf(error: Error): string[] {
  return [error.message, ...(error.cause instanceof Error ? messagesOf(error.cause) : [])];
}
