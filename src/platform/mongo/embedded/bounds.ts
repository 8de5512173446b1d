import { BSONRegExp } from 'bson';
import { type Document, isOperatorDocument } from './document.js';
import { literalPrefixOf } from './match-regex.js';
import { AFTER_ALL, complement, encodeValue, TypeTag, typeTagOf } from './value-order.js';

/** What a filter says about one field, as far as an index can use it. */
export interface FieldBounds {
  /** Encoded values, one of which it must be. */
  points?: string[];
  tag?: number;
  lower?: { encoded: string; inclusive: boolean };
  upper?: { encoded: string; inclusive: boolean };
}

/** From (inclusive) and to (exclusive) of one index component. */
export type KeyRange = readonly [from: string, to: string];

/** Only what every match must fulfil: the conditions at the top and inside `$and`. */
export function boundsOf(filter: Document, found = new Map<string, FieldBounds>()): Map<string, FieldBounds> {
  for (const [key, condition] of Object.entries(filter)) {
    if (key === '$and') for (const part of condition as Document[]) boundsOf(part, found);
    if (key.startsWith('$')) continue;
    const bounds = found.get(key) ?? {};
    found.set(key, bounds);
    if (isOperatorDocument(condition)) {
      for (const [operator, operand] of Object.entries(condition)) addOperator(bounds, operator, operand, condition);
    } else if (condition instanceof BSONRegExp)
      addPrefix(bounds, literalPrefixOf(condition.pattern, condition.options));
    else addPoints(bounds, [condition]);
  }
  return found;
}

function addOperator(bounds: FieldBounds, operator: string, operand: unknown, siblings: Document): void {
  if (operator === '$eq') addPoints(bounds, [operand]);
  if (operator === '$in') addPoints(bounds, operand as unknown[]);
  if (operator === '$regex' && typeof operand === 'string') {
    addPrefix(bounds, literalPrefixOf(operand, (siblings['$options'] as string | undefined) ?? ''));
  }
  if (operator === '$gt' || operator === '$gte') addLimit(bounds, 'lower', operand, operator === '$gte');
  if (operator === '$lt' || operator === '$lte') addLimit(bounds, 'upper', operand, operator === '$lte');
}

/** Arrays are left out: an index has their elements, not the whole. */
function addPoints(bounds: FieldBounds, values: unknown[]): void {
  if (bounds.points || values.some((value) => Array.isArray(value) || value instanceof BSONRegExp)) return;
  bounds.points = [...new Set(values.map(encodeValue))].sort();
}

function addLimit(bounds: FieldBounds, side: 'lower' | 'upper', operand: unknown, inclusive: boolean): void {
  const tag = typeTagOf(operand);
  // Two conditions of different types, or two limits on one side: the first is used, the filter checks the rest.
  if (Array.isArray(operand) || bounds[side] || (bounds.tag ?? tag) !== tag) return;
  bounds.tag = tag;
  bounds[side] = { encoded: encodeValue(operand), inclusive };
}

function addPrefix(bounds: FieldBounds, prefix: string): void {
  if (prefix === '' || bounds.tag !== undefined) return;
  const encoded = encodeValue(prefix).slice(0, -2);
  bounds.tag = TypeTag.string;
  bounds.lower = { encoded, inclusive: true };
  bounds.upper = { encoded: encoded + AFTER_ALL, inclusive: false };
}

export function pointKeys(bounds: FieldBounds, descending: boolean): string[] | undefined {
  return descending ? bounds.points?.map(complement).reverse() : bounds.points;
}

/** In a multikey index two limits may be met by two elements of one array, so only one of them may be used. */
export function rangeKeys(bounds: FieldBounds, descending: boolean, isMultikey: boolean): KeyRange | undefined {
  if (bounds.tag === undefined) return undefined;
  const { tag, lower } = bounds;
  const upper = isMultikey && lower ? undefined : bounds.upper;
  if (!descending) {
    return [
      lower ? lower.encoded + (lower.inclusive ? '' : AFTER_ALL) : String.fromCharCode(tag),
      upper ? upper.encoded + (upper.inclusive ? AFTER_ALL : '') : String.fromCharCode(tag + 1),
    ];
  }
  return [
    upper ? complement(upper.encoded) + (upper.inclusive ? '' : AFTER_ALL) : String.fromCharCode(0xff - tag),
    lower ? complement(lower.encoded) + (lower.inclusive ? AFTER_ALL : '') : String.fromCharCode(0xff - tag + 1),
  ];
}
