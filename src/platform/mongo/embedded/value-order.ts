import type { Binary, ObjectId } from 'bson';
import { typeOf, type Document, type TypeName } from './document.js';

/**
 * One definition of order for matching, sorting, grouping and indexes: every value is encoded as a string of
 * characters U+0000–U+00FF, such that comparing two encodings with `<` and `===` compares the values as mongod does.
 * The first character is the type. Encodings end by themselves, so a compound key is their concatenation.
 */
const ENCODINGS: Readonly<Record<TypeName, { character: string; encode: (value: never) => string }>> = {
  // Only in indexes: an empty array has no element to be found by, yet sorts before null.
  emptyArray: { character: '\x18', encode: () => '' },
  null: { character: '\x20', encode: () => '' },
  number: { character: '\x28', encode: encodeNumber },
  string: { character: '\x30', encode: encodeText },
  object: { character: '\x38', encode: encodeFields },
  array: { character: '\x40', encode: (array: unknown[]) => array.map(encodeValue).join('') + '\x00' },
  binData: { character: '\x48', encode: encodeBinary },
  objectId: { character: '\x50', encode: ({ id }: ObjectId) => latin1(id) },
  bool: { character: '\x58', encode: (value: boolean) => (value ? '\x02' : '\x01') },
  date: { character: '\x60', encode: (date: Date) => encodeNumber(date.getTime()) },
};

/** Behind a complete encoding: greater than whatever may follow there, which begins with a type. */
export const AFTER_ALL = '\xff';

const PLAIN_ASCII = /^[\x01-\x7f]*$/;
const bytes = Buffer.alloc(8);

export function encodeValue(value: unknown): string {
  const { character, encode } = ENCODINGS[typeOf(value)];
  return character + encode(value as never);
}

/** Where the encodings of the value's type begin and end: comparisons see only values of one type, as in mongod. */
export function typeRangeOf(value: unknown): [from: string, to: string] {
  const { character } = ENCODINGS[typeOf(value)];
  return [character, String.fromCharCode(character.charCodeAt(0) + 1)];
}

export function valuesEqual(a: unknown, b: unknown): boolean {
  if (a === b) return true;
  if (typeof a === 'string' || typeof b === 'string') return false;
  return typeOf(a) === typeOf(b) && encodeValue(a) === encodeValue(b);
}

/** Negative, zero or positive, over all types in the BSON order. */
export function compareValues(a: unknown, b: unknown): number {
  return compareEncoded(encodeValue(a), encodeValue(b));
}

export function compareEncoded(a: string, b: string): number {
  return a < b ? -1 : a === b ? 0 : 1;
}

function encodeNumber(value: number): string {
  bytes.writeDoubleBE(value === 0 ? 0 : value); // -0 equals 0
  // IEEE doubles sort like unsigned integers once the sign is turned round, and with it all bits of negative ones.
  if (bytes[0]! & 0x80) for (let i = 0; i < 8; i++) bytes[i] = 0xff - bytes[i]!;
  else bytes[0]! |= 0x80;
  return bytes.toString('latin1');
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

/** Length first, then subtype, as mongod compares them. */
function encodeBinary(value: Binary): string {
  bytes.writeUInt32BE(value.position);
  return bytes.toString('latin1', 0, 4) + String.fromCharCode(value.sub_type) + latin1(value.value());
}

function latin1(content: Uint8Array): string {
  return Buffer.from(content.buffer, content.byteOffset, content.byteLength).toString('latin1');
}
