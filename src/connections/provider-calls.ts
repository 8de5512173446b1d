import {
  BrokenCircuitError,
  BulkheadRejectedError,
  bulkhead,
  circuitBreaker,
  ConsecutiveBreaker,
  handleType,
  wrap,
  type IPolicy,
} from 'cockatiel';
import type { Egress } from '../platform/egress/egress.js';
import { ProviderUnavailable } from './upstream-errors.js';

export interface ProviderCallLimits {
  /** Calls in a row that nobody answered until none is made for a while. */
  failures: number;
  openSeconds: number;
  /** Of one connection at once, in one process. */
  atOnce: number;
}

/** A fetch for each connection: one dead provider costs those who chose it a moment, and nobody else anything. */
export interface ProviderCalls {
  fetchFor(connectionId: string): Egress['fetch'];
}

const mostBreakers = 1000;

/**
 * At the token endpoint, the only one to which something is posted, anybody can ask with a code that they have made up:
 * what that makes a provider answer closes no way in for others. That nobody answers at all does.
 */
const isCounted = (error: ProviderUnavailable): boolean => !error.isBusy;

export function providerCalls(deps: { fetch: Egress['fetch']; limits: ProviderCallLimits }): ProviderCalls {
  const { failures, openSeconds, atOnce } = deps.limits;
  const policies = new Map<string, IPolicy>();

  function policyFor(connectionId: string): IPolicy {
    const known = policies.get(connectionId);
    if (known) return known;
    if (policies.size >= mostBreakers) policies.delete(policies.keys().next().value ?? '');
    const breaker = new ConsecutiveBreaker(failures);
    const policy = wrap(
      bulkhead(atOnce, 0),
      circuitBreaker(handleType(ProviderUnavailable, isCounted), { halfOpenAfter: openSeconds * 1000, breaker }),
    );
    policies.set(connectionId, policy);
    return policy;
  }

  async function call(url: string, init: RequestInit | undefined): Promise<Response> {
    const answer = await deps.fetch(url, init).catch((error: unknown) => {
      throw new ProviderUnavailable('the provider cannot be reached', { cause: error });
    });
    if (answer.status < 500 && answer.status !== 429) return answer;
    const message = `the provider answered ${answer.status}`;
    throw new ProviderUnavailable(message, { isBusy: init?.method === 'POST' });
  }

  return {
    fetchFor: (connectionId) => async (url, init) => {
      try {
        return await policyFor(connectionId).execute(() => call(url, init));
      } catch (error) {
        if (error instanceof BrokenCircuitError || error instanceof BulkheadRejectedError)
          throw new ProviderUnavailable('the provider is left alone for a while', { cause: error });
        throw error;
      }
    },
  };
}
