import type { RecordEvent } from '../events/index.js';
import type { Clock } from '../kernel/time.js';
import { secondsAfter } from '../kernel/time.js';
import type { InTransaction } from '../platform/mongo/transactions.js';
import type { Connection } from './connection.js';
import type { UpstreamFailure } from './upstream-errors.js';

/** Why a sign-in by a connection ended with nobody: by the provider, or by what is here. */
export type SignInFailure =
  | UpstreamFailure
  /** The connection, its tenant or their plan was closed meanwhile. */
  | 'closed'
  /** Nobody here is known by it. */
  | 'unknown'
  /** The domain of their address has them sign in by another one. */
  | 'elsewhere'
  /** Its tenant has no seat left. */
  | 'full';

export type RecordFailedSignIn = (
  connection: Pick<Connection, 'id' | 'tenantId'>,
  failed: { clientId: string; failure: SignInFailure },
) => Promise<void>;

export interface FailedSignInsDeps {
  inTransaction: InTransaction;
  recordEvent: RecordEvent;
  now: Clock;
  limits: { recordedFailures: number; recordedFailuresSeconds: number };
}

interface Window {
  until: Date;
  recorded: number;
}

const mostWindows = 1000;

/**
 * Anybody can make a sign-in fail, as often as they like: of each kind and connection so many are recorded in a while, and
 * the last of them says until when there are no more. Counted in one process.
 */
export function failedSignIns({ inTransaction, recordEvent, now, limits }: FailedSignInsDeps): RecordFailedSignIn {
  const windows = new Map<string, Window>();

  function windowOf(name: string): Window {
    const known = windows.get(name);
    if (known && known.until > now()) return known;
    windows.delete(name);
    if (windows.size >= mostWindows) windows.delete(windows.keys().next().value ?? '');
    const opened = { until: secondsAfter(now(), limits.recordedFailuresSeconds), recorded: 0 };
    windows.set(name, opened);
    return opened;
  }

  return async ({ id, tenantId }, { clientId, failure }) => {
    const window = windowOf(`${id} ${failure}`);
    if (window.recorded >= limits.recordedFailures) return;
    const isLast = ++window.recorded === limits.recordedFailures;
    const data = { clientId, failure, ...(isLast ? { until: window.until.toISOString() } : {}) };
    const actor = { kind: 'system', reason: 'protocol' } as const;
    await inTransaction((tx) =>
      recordEvent(tx, { type: 'connection.sign_in_failed', tenantId, actor, subjectId: id, data }),
    );
  };
}
