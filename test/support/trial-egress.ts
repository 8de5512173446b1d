import { expect } from 'chai';
import { policy } from '../../config/policy.js';
import { createEgress, type Egress, type EgressLimits, type EgressOptions } from '../../src/platform/egress/egress.js';
import { createLogger } from '../../src/platform/log/logger.js';

/** Of what fails, whatever the cause. */
export const failed = 'the outbound call failed';

/** An outbound client with the limits of the product; its log is added to `lines`. */
export function trialEgress(
  options: EgressOptions,
  { limits, lines = [] }: { limits?: Partial<EgressLimits> | undefined; lines?: string[] } = {},
): Egress {
  const log = createLogger('info', { write: (line: string) => void lines.push(line) });
  return createEgress({ ...options, limits: { ...policy.outbound, ...limits }, log });
}

/** What is said of a call that must fail; nothing more may be found in its error. */
export async function refusedCall(call: Promise<Response>): Promise<string> {
  const outcome = await call.catch((error: unknown) => error as Error);
  if (outcome instanceof Response) return expect.fail(`answered ${outcome.status}`);
  expect([outcome.name, outcome.cause]).to.deep.equal(['OutboundCallFailed', undefined]);
  return outcome.message;
}
