import type { Document } from './document.js';

/** Holds locks until it ends: a transaction, as the records see it. */
export interface LockOwner {
  /** Sees what was committed up to here, and nothing later. */
  readonly snapshotAt: number;
  readonly ended: Promise<void>;
}

/** A committed state of a record; `document` is null where it does not exist (yet, or any more). */
export interface Version {
  document: Document | null;
  committedAt: number;
  /** Kept only as long as a transaction may read it. */
  older: Version | null;
}

/**
 * One document through time. Documents are never changed in place, so a reader may keep what it got. `pending` means
 * something only while `lock` is set: it is what the record becomes if the owner commits.
 */
export interface StoredRecord extends Version {
  readonly sequence: number;
  lock: LockOwner | null;
  pending: Document | null;
}

/** What `reader` (a transaction, or null for everyone else) sees. */
export function visibleDocument(record: StoredRecord, reader: LockOwner | null): Document | null {
  if (reader === null) return record.document;
  if (record.lock === reader) return record.pending;
  for (let version: Version | null = record; version; version = version.older) {
    if (version.committedAt <= reader.snapshotAt) return version.document;
  }
  return null;
}

/** Changed after the transaction's snapshot was taken: it may not write here any more. */
export function isNewerThan(record: StoredRecord, reader: LockOwner): boolean {
  return record.lock !== reader && record.committedAt > reader.snapshotAt;
}

/** Every document somebody may see or may come to see; the indexes have entries for all of them. */
export function documentsOf(record: StoredRecord): Document[] {
  const documents: Document[] = [];
  for (let version: Version | null = record; version; version = version.older) {
    if (version.document) documents.push(version.document);
  }
  if (record.lock && record.pending) documents.push(record.pending);
  return documents;
}

/** Looks the same to everybody. */
export function isSettled(record: StoredRecord): boolean {
  return record.lock === null && record.older === null;
}
