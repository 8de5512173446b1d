import type { Transaction } from './collection.js';
import type { Cursors } from './cursors.js';
import { isDocument, type Document } from './document.js';
import { badValue, CommandError } from './errors.js';
import type { Session } from './sessions.js';
import type { Storage } from './storage.js';

export interface ServerState {
  readonly storage: Storage;
  readonly sessions: Map<string, Session>;
  readonly cursors: Cursors;
  /** `127.0.0.1:PORT` */
  readonly address: string;
  failPoint: FailPoint | null;
  /** How long a transaction may last. */
  transactionSeconds: number;
}

/** mongod's `failCommand`: the one fail point there is, which gives tests stepdowns, lost connections and slow replies. */
export interface FailPoint {
  remaining: number;
  readonly commands: unknown[];
  readonly error: CommandError | null;
  readonly closeConnection: boolean;
  readonly blockMs: number;
  /** Added to the reply of a command that was carried out. */
  readonly replyFields: Document;
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

/** What any command may carry. The dispatcher gives them their meaning. */
const COMMON_FIELDS = [
  ...['$db', '$clusterTime', '$readPreference', 'comment', 'maxTimeMS', 'readConcern', 'writeConcern'],
  ...['lsid', 'txnNumber', 'startTransaction', 'autocommit'],
];

export function refuseUnknownCommandFields(name: string, body: Document, known: readonly string[] | 'any'): void {
  if (known !== 'any') refuseUnknownFields(name, body, [name, ...known, ...COMMON_FIELDS]);
}

export function refuseUnknownFields(owner: string, document: Document, known: readonly string[]): void {
  for (const field of Object.keys(document)) {
    if (known.includes(field)) continue;
    const reason = 'is an unknown field, or not supported by the embedded database';
    throw new CommandError('FailedToParse', `BSON field '${owner}.${field}' ${reason}`);
  }
}

export function documentField(body: Document, field: string): Document {
  const value = body[field] ?? {};
  if (!isDocument(value)) throw wrongType(field, 'an object');
  return value;
}

export function documentsField(body: Document, field: string): Document[] {
  const value = body[field];
  if (!Array.isArray(value) || !value.every(isDocument)) throw wrongType(field, 'an array of objects');
  return value;
}

export function flagField(body: Document, field: string, absent = false): boolean {
  const value = body[field] ?? absent;
  if (typeof value !== 'boolean') throw wrongType(field, 'a boolean');
  return value;
}

/** A whole number from 0 on, or undefined. */
export function countField(body: Document, field: string): number | undefined {
  const value = body[field];
  if (value === undefined) return undefined;
  if (!Number.isInteger(value) || (value as number) < 0) throw badValue(`'${field}' must be a whole number, 0 or more`);
  return value as number;
}

function wrongType(field: string, expected: string): CommandError {
  return new CommandError('TypeMismatch', `BSON field '${field}' is the wrong type, expected ${expected}`);
}
