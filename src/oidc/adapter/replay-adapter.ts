import Provider, { errors, type Adapter } from 'oidc-provider';
import { oneTimeRecords } from '../../platform/mongo/one-time-records.js';
import type { ProtocolRecordDeps } from './protocol-records.js';

export const replayCollection = 'oidc_replay_detections';

interface ReplayState {
  assertionChecked?: boolean;
}

/**
 * The `jti` of client assertions and DPoP proofs (RFC 7523 §3, RFC 9449 §11.1). The library looks for one and then saves
 * it; here nothing is ever found, and of several saves one succeeds.
 */
export function replayAdapter(deps: ProtocolRecordDeps): Adapter {
  const seen = oneTimeRecords(replayCollection, deps);
  return {
    async upsert(id, _payload, expiresIn: number) {
      const isAssertion = holdsUncheckedAssertion();
      if (await seen.claim(id, expiresIn)) return;
      throw isAssertion
        ? new errors.InvalidClientAuth('assertion was already used')
        : new errors.InvalidDpopProof('DPoP proof was already used');
    },
    find: async () => undefined,
    findByUid: async () => undefined,
    findByUserCode: async () => undefined,
    consume: async () => undefined,
    destroy: async () => undefined,
    revokeByGrantId: async () => undefined,
  };
}

/** A request may hold both, and authenticates its client first; so the first of its checks is that of the assertion. */
function holdsUncheckedAssertion(): boolean {
  const ctx = Provider.ctx;
  if (!ctx || ctx.oidc.params?.['client_assertion'] === undefined) return false;
  const state = ctx.state as ReplayState;
  const { assertionChecked = false } = state;
  state.assertionChecked = true;
  return !assertionChecked;
}
