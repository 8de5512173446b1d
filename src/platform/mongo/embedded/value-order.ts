import { Binary, BSONRegExp, Long, MaxKey, MinKey, ObjectId, Timestamp } from 'bson';
import { badValue } from './errors.js';
import { type Document, isDocument } from './document.js';

/**
 * One definition of order for matching, sorting, grouping and indexes: every BSON value is encoded as a string of
 * characters U+0000–U+00FF, such that comparing two encodings with `<` and `===` compares the values as mongod does.
 * Encodings end by themselves, so a compound key is their concatenation, and complementing the characters of one
 * turns its direction round.
 */
export const TypeTag = {
  minKey: 0x10,
  /** Only in indexes: an empty array has no element to be found by, yet sorts before null. */
  emptyArray: 0x18,
  null: 0x20,
  number: 0x28,
  string: 0x30,
  object: 0x38,
  array: 0x40,
  binary: 0x48,
  objectId: 0x50,
  boolean: 0x58,
  date: 0x60,
  timestamp: 0x68,
  regex: 0x70,
  maxKey: 0x78,
} as const;

/** Greater than every continuation of an encoding, turned round or not: none has three of these in a row. */
export const AFTER_ALL = '\xff\xff\xff';

const MAX_DATE_MS = 8.64e15;
const PLAIN_ASCII = /^[\x01-\x7f]*$/;
const number = Buffer.alloc(8);

export function typeTagOf(value: unknown): number {
  switch (typeof value) {
    case 'undefined':
      return TypeTag.null;
    case 'number':
    case 'bigint':
      return TypeTag.number;
    case 'string':
      return TypeTag.string;
    case 'boolean':
      return TypeTag.boolean;
    case 'symbol':
      return TypeTag.emptyArray;
    default:
      return tagOfObject(value);
  }
}

function tagOfObject(value: unknown): number {
  if (value === null) return TypeTag.null;
  if (Array.isArray(value)) return TypeTag.array;
  if (isDocument(value)) return TypeTag.object;
  if (value instanceof ObjectId) return TypeTag.objectId;
  if (value instanceof Date) return TypeTag.date;
  if (value instanceof Binary) return TypeTag.binary;
  // Timestamp extends Long, so it comes first.
  if (value instanceof Timestamp) return TypeTag.timestamp;
  if (value instanceof Long) return TypeTag.number;
  if (value instanceof BSONRegExp) return TypeTag.regex;
  if (value instanceof MinKey) return TypeTag.minKey;
  if (value instanceof MaxKey) return TypeTag.maxKey;
  const name = typeof value === 'object' && '_bsontype' in value ? String(value._bsontype) : typeof value;
  throw badValue(`A value of the BSON type ${name} is not supported by the embedded database`);
}

export function encodeValue(value: unknown): string {
  const tag = typeTagOf(value);
  const head = String.fromCharCode(tag);
  switch (tag) {
    case TypeTag.number:
      return head + encodeNumber(value as number | bigint | Long);
    case TypeTag.string:
      return head + encodeText(value as string);
    case TypeTag.object:
      return head + encodeFields(value as Document);
    case TypeTag.array:
      return head + (value as unknown[]).map(encodeValue).join('') + '\x00';
    case TypeTag.binary:
      return head + encodeBinary(value as Binary);
    case TypeTag.objectId:
      return head + latin1((value as ObjectId).id);
    case TypeTag.boolean:
      return head + (value === true ? '\x02' : '\x01');
    case TypeTag.date:
      return head + encodeDouble(Math.min((value as Date).getTime(), MAX_DATE_MS));
    case TypeTag.timestamp:
      return head + encodeUint32((value as Timestamp).t) + encodeUint32((value as Timestamp).i);
    case TypeTag.regex:
      return head + encodeText((value as BSONRegExp).pattern) + encodeText((value as BSONRegExp).options);
    default:
      return head;
  }
}

/** The encoding that sorts the other way round. */
export function complement(encoded: string): string {
  const bytes = Buffer.from(encoded, 'latin1');
  for (let i = 0; i < bytes.length; i++) bytes[i] = 0xff - bytes[i]!;
  return bytes.toString('latin1');
}

export function valuesEqual(a: unknown, b: unknown): boolean {
  if (a === b) return true;
  if (typeof a === 'string' || typeof b === 'string') return false;
  if (a instanceof ObjectId && b instanceof ObjectId) return a.equals(b);
  return typeTagOf(a) === typeTagOf(b) && encodeValue(a) === encodeValue(b);
}

/** Negative, zero or positive, over all types in the BSON order. */
export function compareValues(a: unknown, b: unknown): number {
  if (typeof a === 'number' && typeof b === 'number' && a === a && b === b) return a - b;
  if (a instanceof Date && b instanceof Date) return a.getTime() - b.getTime();
  const left = encodeValue(a);
  const right = encodeValue(b);
  return left < right ? -1 : left === right ? 0 : 1;
}

function encodeNumber(value: number | bigint | Long): string {
  if (typeof value === 'number') return encodeDouble(value) + '\x80\x00';
  // An int64 can fall between two doubles: the distance to the nearest one (at most 512) breaks the tie.
  const exact = typeof value === 'bigint' ? value : value.toBigInt();
  const nearest = Number(exact);
  const offset = Number(exact - BigInt(nearest)) + 0x8000;
  return encodeDouble(nearest) + String.fromCharCode(offset >> 8, offset & 0xff);
}

function encodeDouble(value: number): string {
  // NaN sorts before all numbers; -0 equals 0.
  if (value !== value) return '\x00\x00\x00\x00\x00\x00\x00\x00';
  number.writeDoubleBE(value === 0 ? 0 : value);
  if (number[0]! & 0x80) for (let i = 0; i < 8; i++) number[i] = 0xff - number[i]!;
  else number[0]! |= 0x80;
  return number.toString('latin1');
}

/** UTF-8 bytes, because that is the order of mongod; a zero byte is escaped, since zero ends the text. */
function encodeText(text: string): string {
  if (PLAIN_ASCII.test(text)) return text + '\x00\x00';
  return Buffer.from(text, 'utf8').toString('latin1').replaceAll('\x00', '\x00\xff') + '\x00\x00';
}

/** Field by field: type, then name, then value, as mongod compares documents. Field order matters. */
function encodeFields(document: Document): string {
  let encoded = '';
  for (const field of Object.keys(document)) {
    const value = encodeValue(document[field]);
    encoded += value[0]! + encodeText(field) + value;
  }
  return encoded + '\x00';
}

function encodeBinary(value: Binary): string {
  return encodeUint32(value.position) + String.fromCharCode(value.sub_type) + latin1(value.value());
}

function encodeUint32(value: number): string {
  number.writeUInt32BE(value >>> 0);
  return number.toString('latin1', 0, 4);
}

function latin1(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('latin1');
}

const TYPE_NAMES: Record<number, string> = {
  [TypeTag.minKey]: 'minKey',
  [TypeTag.null]: 'null',
  [TypeTag.string]: 'string',
  [TypeTag.object]: 'object',
  [TypeTag.array]: 'array',
  [TypeTag.binary]: 'binData',
  [TypeTag.objectId]: 'objectId',
  [TypeTag.boolean]: 'bool',
  [TypeTag.date]: 'date',
  [TypeTag.timestamp]: 'timestamp',
  [TypeTag.regex]: 'regex',
  [TypeTag.maxKey]: 'maxKey',
};

/** The alias of `$type` and of error messages. Whole numbers decode without their width: they count by their size. */
export function bsonTypeName(value: unknown): string {
  if (value === undefined) return 'missing';
  if (typeof value === 'number') return !Number.isInteger(value) ? 'double' : value === (value | 0) ? 'int' : 'long';
  const tag = typeTagOf(value);
  return tag === TypeTag.number ? 'long' : TYPE_NAMES[tag]!;
}
