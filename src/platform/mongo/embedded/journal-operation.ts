import type { Document } from './document.js';

/** One step of the journal. They state results, not intentions, so replaying them needs no decision. */
export type Operation =
  | { put: string; document: Document }
  | { remove: string; id: unknown }
  | { create: string }
  | { createIndex: string; specification: Document }
  | { dropIndex: string; name: string }
  | { drop: string }
  | { dropDatabase: string }
  /** The reply to a retryable write: if the client asks again, it gets the same answer and nothing is written twice. */
  | { reply: Document; session: string; txnNumber: number };

/**
 * Operations are appended in the order in which they happened in memory; what was appended without waiting for
 * anything in between becomes durable together or not at all.
 */
export interface Journal {
  append(operation: Operation): void;
  /** Resolves when everything appended so far would survive a crash. */
  durable(): Promise<void>;
  close(): Promise<void>;
}

export function createForgetfulJournal(): Journal {
  return { append: () => undefined, durable: () => Promise.resolve(), close: () => Promise.resolve() };
}
