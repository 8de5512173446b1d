import { calculateObjectSize, deserialize, serialize, type Binary } from 'bson';
import { badValue, CommandError, notSupported } from './errors.js';

/** A decoded BSON document. Stored documents are never changed: an update makes a new one that shares what it did not touch. */
export type Document = Record<string, unknown>;

export const MAX_DOCUMENT_BYTES = 16 * 1024 * 1024;
const MAX_DEPTH = 100;

/** What BSON takes at most; the longest scalar is an ObjectId. */
const SCALAR_BYTES = 12;
const STRING_OVERHEAD = 5;
const BINARY_OVERHEAD = 9;
const CONTAINER_OVERHEAD = 5;
const FIELD_OVERHEAD = 2;
const MAX_UTF8_BYTES = 3; // for each UTF-16 unit

/** Binary stays Binary, and a regular expression stays what it is until somebody refuses it by name. */
export function decodeDocument(bytes: Uint8Array): Document {
  return deserialize(bytes, { promoteBuffers: false, bsonRegExp: true });
}

/** One after the other, each begun by its size. */
export function decodeDocuments(bytes: Buffer): Document[] {
  const documents: Document[] = [];
  for (let at = 0; at < bytes.length;) {
    const size = bytes.readInt32LE(at);
    if (size < 5) throw new Error(`a document of ${size} bytes`);
    documents.push(decodeDocument(bytes.subarray(at, at + size)));
    at += size;
  }
  return documents;
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

export type TypeName =
  'emptyArray' | 'null' | 'number' | 'string' | 'object' | 'array' | 'binData' | 'objectId' | 'bool' | 'date';

/** The type of a value, as far as this database has types. All others are refused, wherever they turn up. */
export function typeOf(value: unknown): TypeName {
  switch (typeof value) {
    case 'undefined':
      return 'null';
    case 'number':
      if (Number.isNaN(value)) throw notSupported('the number NaN');
      return 'number';
    case 'string':
      return 'string';
    case 'boolean':
      return 'bool';
    case 'symbol':
      return 'emptyArray';
    default:
      return typeOfObject(value);
  }
}

function typeOfObject(value: unknown): TypeName {
  if (value === null) return 'null';
  if (Array.isArray(value)) return 'array';
  if (isDocument(value)) return 'object';
  if (value instanceof Date) return 'date';
  const bsonType = (value as { _bsontype?: unknown })._bsontype;
  if (bsonType === 'ObjectId') return 'objectId';
  if (bsonType === 'Binary') return 'binData';
  // The decoder makes a number of every int64 that a number can hold.
  throw notSupported(bsonType === 'Long' ? 'a whole number beyond 2^53' : `the BSON type ${String(bsonType)}`);
}

/**
 * Refuses what this database cannot store faithfully, and gives every Binary its own bytes: the decoder hands out
 * views of the network message (or of the whole journal), which would keep megabytes alive for a 16-byte value.
 */
export function assertStorable(document: Document): void {
  if (Array.isArray(document['_id'])) throw badValue("The '_id' value cannot be an array");
  const dollar = Object.keys(document).find((field) => field.startsWith('$'));
  if (dollar !== undefined) throw notSupported(`the dollar ($) prefixed field '${dollar}'`);
  // Measuring exactly takes longer than everything else here.
  if (assertValueStorable(document, 0) <= MAX_DOCUMENT_BYTES) return;
  const bytes = documentBytes(document);
  if (bytes > MAX_DOCUMENT_BYTES) {
    throw new CommandError('BSONObjectTooLarge', `A document of ${bytes} bytes is larger than ${MAX_DOCUMENT_BYTES}`);
  }
}

/** Gives a size in bytes that the value certainly does not exceed. */
function assertValueStorable(value: unknown, depth: number): number {
  const type = typeOf(value);
  if (depth > MAX_DEPTH) throw new CommandError('Overflow', `The document is nested deeper than ${MAX_DEPTH} levels`);
  if (type === 'string') return STRING_OVERHEAD + MAX_UTF8_BYTES * (value as string).length;
  if (type === 'binData') return BINARY_OVERHEAD + detached(value as Binary).position;
  if (type !== 'array' && type !== 'object') return SCALAR_BYTES;
  let bytes = CONTAINER_OVERHEAD;
  // An array is a document whose fields are named 0, 1, 2, …
  for (const field of Object.keys(value as Document)) {
    if (field === '__proto__') throw notSupported("the field name '__proto__'");
    bytes += FIELD_OVERHEAD + MAX_UTF8_BYTES * field.length;
    bytes += assertValueStorable((value as Document)[field], depth + 1);
  }
  return bytes;
}

function detached(value: Binary): Binary {
  const { buffer } = value;
  if (buffer.buffer.byteLength !== buffer.byteLength) value.buffer = new Uint8Array(buffer);
  return value;
}
