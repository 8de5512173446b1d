import { Binary } from 'bson';
import type { Transaction } from './collection.js';
import { isDocument, type Document } from './document.js';
import { badValue, CommandError } from './errors.js';
import { abortTransaction, beginTransaction, commitTransaction, type Storage } from './storage.js';

export interface Session {
  readonly id: string;
  lastUsedAt: number;
  /** The newest number seen; the driver counts up with every transaction and every retryable write. */
  txnNumber: number;
  /** The answer to the retryable write of that number, also while it is still being made. */
  reply: Promise<Document> | Document | null;
  transaction: { state: 'active' | 'committed' | 'aborted'; readonly handle: Transaction } | null;
}

export const SESSION_MINUTES = 30;

export function sessionIdOf(lsid: unknown): string {
  const id = isDocument(lsid) ? lsid['id'] : undefined;
  if (!(id instanceof Binary)) throw badValue("the session id 'lsid' must be a document with a UUID 'id'");
  return Buffer.from(id.value()).toString('hex');
}

export function openSession(sessions: Map<string, Session>, id: string): Session {
  const session: Session = sessions.get(id) ?? { id, lastUsedAt: 0, txnNumber: -1, reply: null, transaction: null };
  sessions.set(id, session);
  session.lastUsedAt = Date.now();
  return session;
}

export function endSession(storage: Storage, sessions: Map<string, Session>, id: string): void {
  const session = sessions.get(id);
  if (session) abortActive(storage, session);
  sessions.delete(id);
}

/** Moves the session on to a new number; the transaction of the old one is given up, as mongod does. */
export function advance(storage: Storage, session: Session, txnNumber: number): void {
  if (txnNumber < session.txnNumber) {
    const newer = `the newer transaction ${session.txnNumber} has already started`;
    throw new CommandError('TransactionTooOld', `Cannot use transaction number ${txnNumber}: ${newer}`);
  }
  if (txnNumber === session.txnNumber) return;
  abortActive(storage, session);
  session.txnNumber = txnNumber;
  session.reply = null;
  session.transaction = null;
}

export function startTransaction(storage: Storage, session: Session, txnNumber: number): Transaction {
  advance(storage, session, txnNumber);
  if (session.transaction || session.reply) {
    throw new CommandError('ConflictingOperationInProgress', `Transaction number ${txnNumber} was used already`);
  }
  const handle = beginTransaction(storage);
  session.transaction = { state: 'active', handle };
  return handle;
}

export function activeTransaction(session: Session, txnNumber: number): Transaction {
  const { state, handle } = knownTransaction(session, txnNumber);
  if (state === 'active') return handle;
  throw new CommandError('TransactionCommitted', `Transaction ${txnNumber} has been committed`);
}

/** A commit that is asked for twice succeeds twice. */
export function commitSession(storage: Storage, session: Session, txnNumber: number): void {
  const transaction = knownTransaction(session, txnNumber);
  if (transaction.state === 'committed') return;
  transaction.state = 'committed';
  commitTransaction(storage, transaction.handle);
}

function knownTransaction({ transaction, txnNumber: newest }: Session, txnNumber: number) {
  if (transaction && newest === txnNumber && transaction.state !== 'aborted') return transaction;
  const message = `Given transaction number ${txnNumber} does not match any in-progress transactions.`;
  throw new CommandError('NoSuchTransaction', message);
}

export function abortActive(storage: Storage, session: Session): void {
  if (session.transaction?.state !== 'active') return;
  session.transaction.state = 'aborted';
  abortTransaction(storage, session.transaction.handle);
}

interface Expiring {
  readonly storage: Storage;
  readonly sessions: Map<string, Session>;
  readonly transactionSeconds: number;
}

/** Ends what nobody continued: transactions over their time, sessions the client forgot. */
export function expireSessions({ storage, sessions, transactionSeconds }: Expiring, now: number): void {
  for (const session of sessions.values()) {
    const startedAt = session.transaction?.handle.startedAt ?? now;
    if (now - startedAt > transactionSeconds * 1000) abortActive(storage, session);
    if (now - session.lastUsedAt > SESSION_MINUTES * 60_000) endSession(storage, sessions, session.id);
  }
}
