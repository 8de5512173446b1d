import { Long } from 'bson';
import { badValue } from './errors.js';
import { bsonTypeName } from './value-order.js';

const TYPE_BY_NUMBER: Record<number, string> = {
  2: 'string',
  3: 'object',
  4: 'array',
  5: 'binData',
  7: 'objectId',
  8: 'bool',
  9: 'date',
  10: 'null',
  11: 'regex',
  16: 'int',
  17: 'timestamp',
  18: 'long',
  127: 'maxKey',
  [-1]: 'minKey',
};
const KNOWN = new Set([...Object.values(TYPE_BY_NUMBER), 'number']);

/**
 * `double` is refused: a whole number does not remember that it was stored as a double, so the answer would be wrong
 * for 1.0.
 */
export function compileTypeTest(operand: unknown): (value: unknown) => boolean {
  const wanted = (Array.isArray(operand) ? operand : [operand]).map((each: unknown) => {
    const name = typeof each === 'number' ? (TYPE_BY_NUMBER[each] ?? String(each)) : String(each);
    if (!KNOWN.has(name)) throw badValue(`$type: the type '${name}' is unknown or not supported`);
    return name;
  });
  return (value) => {
    if (value === undefined) return false;
    const isNumber = typeof value === 'number' || value instanceof Long;
    return wanted.some((name) => (name === 'number' ? isNumber : bsonTypeName(value) === name));
  };
}
