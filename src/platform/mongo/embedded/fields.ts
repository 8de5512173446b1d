import { type Document, isDocument } from './document.js';
import { badValue, CommandError, failedToParse, typeMismatch } from './errors.js';

/** What any command may carry. Those with a meaning here are read by the dispatcher. */
const GENERIC_FIELDS = [
  '$db',
  '$clusterTime',
  '$readPreference',
  'apiVersion',
  'apiStrict',
  'apiDeprecationErrors',
  'autocommit',
  'comment',
  'lsid',
  'maxTimeMS',
  'readConcern',
  'startTransaction',
  'txnNumber',
  'writeConcern',
];

export function refuseUnknownCommandFields(command: string, body: Document, known: readonly string[] | 'any'): void {
  if (known === 'any') return;
  for (const field of Object.keys(body)) {
    if (field === command || known.includes(field) || GENERIC_FIELDS.includes(field)) continue;
    throw failedToParse(
      `BSON field '${command}.${field}' is an unknown field, or not supported by the embedded database`,
    );
  }
}

export function refuseUnknownFields(owner: string, document: Document, known: readonly string[]): void {
  for (const field of Object.keys(document)) {
    if (known.includes(field)) continue;
    throw failedToParse(
      `BSON field '${owner}.${field}' is an unknown field, or not supported by the embedded database`,
    );
  }
}

/** One node that syncs before it answers fulfils w:1, majority and j alike; more nodes there are not. */
export function checkWriteConcern(concern: unknown): void {
  if (concern === undefined) return;
  if (!isDocument(concern)) throw typeMismatch("'writeConcern' must be an object");
  refuseUnknownFields('writeConcern', concern, ['w', 'j', 'wtimeout', 'fsync', 'provenance']);
  const w = concern['w'];
  if (w === undefined || w === 'majority' || w === 0 || w === 1) return;
  throw new CommandError(100, `Not enough data-bearing nodes for the write concern w: ${JSON.stringify(w)}`);
}

export function checkReadConcern(concern: unknown, inTransaction: boolean): void {
  if (concern === undefined) return;
  if (!isDocument(concern)) throw typeMismatch("'readConcern' must be an object");
  refuseUnknownFields('readConcern', concern, ['level', 'afterClusterTime', 'provenance']);
  const level = concern['level'];
  const levels: unknown[] = [undefined, 'local', 'majority', inTransaction ? 'snapshot' : 'available'];
  if (!levels.includes(level)) throw badValue(`The read concern level ${JSON.stringify(level)} is not supported here`);
}

export function checkReadPreference(preference: unknown): void {
  if (preference === undefined) return;
  const mode = isDocument(preference) ? preference['mode'] : undefined;
  const modes: unknown[] = ['primary', 'primaryPreferred', 'secondaryPreferred', 'nearest'];
  if (!modes.includes(mode))
    throw badValue(`The read preference ${JSON.stringify(mode)} cannot be met by a single primary`);
}

export function documentField(body: Document, field: string): Document {
  const value = body[field];
  if (value === undefined) return {};
  if (!isDocument(value)) throw typeMismatch(`BSON field '${field}' is the wrong type, expected type 'object'`);
  return value;
}

export function optionalDocument(body: Document, field: string): Document | undefined {
  return body[field] === undefined ? undefined : documentField(body, field);
}

export function documentsField(body: Document, field: string): Document[] {
  const value = body[field];
  if (!Array.isArray(value) || !value.every(isDocument)) {
    throw typeMismatch(`BSON field '${field}' is the wrong type, expected an array of objects`);
  }
  return value;
}

export function flagField(body: Document, field: string, absent = false): boolean {
  const value = body[field];
  if (value === undefined) return absent;
  if (typeof value === 'boolean' || typeof value === 'number') return Boolean(value);
  throw typeMismatch(`BSON field '${field}' is the wrong type, expected type 'bool'`);
}

/** A whole number from 0 on, or undefined. */
export function countField(body: Document, field: string): number | undefined {
  const value = body[field];
  if (value === undefined) return undefined;
  if (!Number.isInteger(value) || (value as number) < 0) {
    throw new CommandError(51024, `BSON field '${field}' value must be >= 0, actual value '${JSON.stringify(value)}'`);
  }
  return value as number;
}
