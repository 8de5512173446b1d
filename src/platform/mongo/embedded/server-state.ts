import type { Cursors } from './cursors.js';
import type { Document } from './document.js';
import type { FailPoint } from './fail-points.js';
import type { Session } from './sessions.js';
import type { Storage, Transaction } from './storage.js';

export interface ServerState {
  readonly storage: Storage;
  readonly sessions: Map<string, Session>;
  readonly cursors: Cursors;
  readonly address: string;
  readonly parameters: { ttlMonitorSleepSecs: number; transactionLifetimeLimitSeconds: number };
  failPoint: FailPoint | null;
  /** Set once; from then on connections are closed instead of answered. */
  isStopping: boolean;
  /** Starts the wait for the next sweep anew, after its length was changed. */
  rescheduleExpiry(): void;
}

export interface CommandContext {
  readonly server: ServerState;
  readonly database: string;
  readonly body: Document;
  readonly session: Session | null;
  readonly transaction: Transaction | null;
  readonly deadlineAt: number;
}

export interface Command {
  /** The fields it understands besides its own name and those of every command. */
  readonly fields: readonly string[] | 'any';
  /** Allowed inside a transaction; others are refused there. */
  readonly inTransaction?: boolean;
  /** Answered only after the journal is safe; with a txnNumber it is answered once. */
  readonly writes?: boolean;
  run(context: CommandContext): Document | Promise<Document>;
}

export type Commands = Readonly<Record<string, Command>>;
