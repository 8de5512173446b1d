import { policy, type Policy } from '../../../config/policy.js';
import { send, type Answer } from '../requests.js';
import type { Endpoint, EndpointRequest, Stage } from '../endpoints.js';

export const form = 'application/x-www-form-urlencoded';

/** Sends this request to its endpoint; `encoded` stands in for the parameters as they are. */
export function ask(
  { issuer }: Pick<Stage, 'issuer'>,
  { method }: Pick<Endpoint, 'method'>,
  { path, parameters, headers }: EndpointRequest,
  encoded = new URLSearchParams(parameters).toString(),
): Promise<Answer> {
  if (method === 'GET') return send(`${issuer}${path}${encoded === '' ? '' : `?${encoded}`}`, { headers });
  return send(issuer + path, { method, headers: { 'Content-Type': form, ...headers }, body: encoded });
}

const tries = 1_000_000;

/** A policy under which nobody has to wait after wrong passwords; the waits have tests of their own. */
export const manyTries: Policy = {
  ...policy,
  signInAttempts: {
    ...policy.signInAttempts,
    source: { ...policy.signInAttempts.source, tries },
    account: { ...policy.signInAttempts.account, tries },
    consecutiveOfStrangers: tries,
    consecutive: tries,
  },
};
