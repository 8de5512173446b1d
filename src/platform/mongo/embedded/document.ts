import { Binary, BSONSymbol, calculateObjectSize, Code, DBRef, Decimal128, deserialize, serialize } from 'bson';
import { CommandError, badValue } from './errors.js';

/** A decoded BSON document. Stored documents are never changed; an update makes a new one that shares what it did not touch. */
export type Document = Record<string, unknown>;

export const MAX_DOCUMENT_BYTES = 16 * 1024 * 1024;
const MAX_DEPTH = 100;

/** Binary stays Binary and a regular expression keeps its own options: both must survive a round trip unchanged. */
export function decodeDocument(bytes: Uint8Array): Document {
  return deserialize(bytes, { promoteBuffers: false, bsonRegExp: true });
}

export function encodeDocument(document: Document): Uint8Array {
  return serialize(document, { ignoreUndefined: true });
}

export function documentBytes(document: Document): number {
  return calculateObjectSize(document, { ignoreUndefined: true });
}

/** An embedded document, as opposed to an array, a scalar or a BSON value that happens to be an object in JavaScript. */
export function isDocument(value: unknown): value is Document {
  if (typeof value !== 'object' || value === null) return false;
  const prototype: unknown = Object.getPrototypeOf(value);
  return prototype === Object.prototype || prototype === null;
}

/** `{ $gt: 1 }` is a set of operators, `{ gt: 1 }` and `{}` are documents. */
export function isOperatorDocument(value: unknown): value is Document {
  if (!isDocument(value)) return false;
  const first = Object.keys(value)[0];
  return first !== undefined && first.startsWith('$');
}

/** Puts `_id` first, as mongod stores it. */
export function withIdFirst(document: Document): Document {
  if (Object.keys(document)[0] === '_id') return document;
  const { _id, ...rest } = document;
  return { _id, ...rest };
}

/**
 * Refuses what this database cannot store faithfully, and gives every Binary its own bytes: the decoder hands out
 * views of the network message (or of the whole journal), which would keep megabytes alive for a 16-byte value.
 */
export function assertStorable(document: Document): void {
  const id = document['_id'];
  if (Array.isArray(id)) throw new CommandError(53, "The '_id' value cannot be of type array");
  for (const field of Object.keys(document)) {
    if (field.startsWith('$'))
      throw new CommandError(52, `The dollar ($) prefixed field '${field}' is not supported here`);
  }
  visit(document, 0);
  const bytes = documentBytes(document);
  if (bytes > MAX_DOCUMENT_BYTES) {
    throw new CommandError(
      10334,
      `BSONObj size: ${bytes} is invalid. Size must be between 0 and ${MAX_DOCUMENT_BYTES}`,
    );
  }
}

function visit(value: unknown, depth: number): void {
  if (typeof value !== 'object' || value === null) return;
  if (depth > MAX_DEPTH) throw new CommandError(15, `The document is nested deeper than ${MAX_DEPTH} levels`);
  if (value instanceof Binary) {
    if (value.buffer.buffer.byteLength !== value.buffer.byteLength) value.buffer = new Uint8Array(value.buffer);
    return;
  }
  if (value instanceof Decimal128) throw badValue('The BSON type Decimal128 is not supported by the embedded database');
  if (value instanceof DBRef) throw badValue('The BSON type DBRef is not supported by the embedded database');
  if (value instanceof Code) throw badValue('The BSON type Code is not supported by the embedded database');
  if (value instanceof BSONSymbol) throw badValue('The BSON type Symbol is not supported by the embedded database');
  if (Array.isArray(value)) {
    for (const element of value) visit(element, depth + 1);
  } else if (isDocument(value)) {
    for (const field of Object.keys(value)) {
      if (field === '__proto__') throw badValue("A field named '__proto__' is not supported by the embedded database");
      visit(value[field], depth + 1);
    }
  }
}
