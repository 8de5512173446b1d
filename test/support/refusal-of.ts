import { AccessRefused, VerificationUnavailable } from '../../src/verifier/index.js';

/** How a verifier answers: `accepted`, `unavailable`, or status, code and reason. Whatever else is thrown is a bug. */
export async function refusalOf(answer: Promise<unknown>): Promise<string> {
  try {
    await answer;
    return 'accepted';
  } catch (error) {
    if (error instanceof VerificationUnavailable) return 'unavailable';
    if (!(error instanceof AccessRefused)) throw error;
    return `${error.status} ${error.error}: ${error.message}`;
  }
}
