import { BSONRegExp } from 'bson';
import { type Document, isDocument, isOperatorDocument } from './document.js';
import { badValue } from './errors.js';
import { compileRegex } from './match-regex.js';
import { compileTypeTest } from './match-type.js';
import { type Path, parsePath, someAt } from './paths.js';
import { encodeValue, typeTagOf, valuesEqual } from './value-order.js';

/** Compiled once for a command, so that a mistake in a filter is answered even when there is nothing to match. */
export type Predicate = (value: unknown) => boolean;

export function compileFilter(filter: Document): Predicate {
  return every(Object.keys(filter).map((key) => compileEntry(key, filter[key])));
}

/** Operators applied to a bare value: an element of `$elemMatch`, or what `$pull` removes. */
export function compileValueOperators(operators: Document): Predicate {
  return compileOperators([], operators);
}

export function filtersOf(key: string, condition: unknown): Document[] {
  if (!Array.isArray(condition)) throw badValue(`${key} must be an array`);
  if (condition.length === 0) throw badValue('$and/$or/$nor must be a nonempty array');
  return condition.map((part) => {
    if (!isDocument(part)) throw badValue('$or/$and/$nor entries need to be full objects');
    return part;
  });
}

function compileEntry(key: string, condition: unknown): Predicate {
  if (!key.startsWith('$')) return compileField(parsePath(key), condition);
  if (key === '$comment') return () => true;
  if (key !== '$and' && key !== '$or' && key !== '$nor') throw badValue(`unknown top level operator: ${key}`);
  const parts = filtersOf(key, condition).map(compileFilter);
  if (key === '$and') return every(parts);
  if (key === '$or') return (document) => parts.some((part) => part(document));
  return (document) => !parts.some((part) => part(document));
}

function compileField(path: Path, condition: unknown): Predicate {
  if (isOperatorDocument(condition)) return compileOperators(path, condition);
  if (condition instanceof BSONRegExp)
    return anywhere(path, ofEach(compileRegex(condition.pattern, condition.options)));
  return anywhere(path, equalTo(condition));
}

function compileOperators(path: Path, operators: Document): Predicate {
  const names = Object.keys(operators);
  return every(names.filter((name) => name !== '$options').map((name) => compileOperator(path, name, operators)));
}

function compileOperator(path: Path, name: string, operators: Document): Predicate {
  const operand = operators[name];
  switch (name) {
    case '$eq':
      return anywhere(path, equalTo(operand));
    case '$ne':
      return nowhere(path, equalTo(operand));
    case '$gt':
    case '$gte':
    case '$lt':
    case '$lte':
      return anywhere(path, inRange(name, operand));
    case '$in':
      return anywhere(path, oneOf(name, operand));
    case '$nin':
      return nowhere(path, oneOf(name, operand));
    case '$exists':
      return operand ? anywhere(path, isPresent) : nowhere(path, isPresent);
    case '$type':
      return anywhere(path, ofEach(compileTypeTest(operand)));
    case '$not':
      return negation(path, operand);
    case '$all':
      return containsAll(path, operand);
    case '$elemMatch':
      return anywhere(path, hasElement(operand));
    case '$size':
      return anywhere(path, ofSize(operand));
    case '$regex':
      return anywhere(path, regexOperator(operand, operators['$options']));
    default:
      throw badValue(`unknown operator: ${name}`);
  }
}

function every(parts: Predicate[]): Predicate {
  if (parts.length === 1) return parts[0]!;
  return (value) => parts.every((part) => part(value));
}

function anywhere(path: Path, test: Predicate): Predicate {
  return (value) => someAt(value, path, test);
}

function nowhere(path: Path, test: Predicate): Predicate {
  return (value) => !someAt(value, path, test);
}

/** An array matches as a whole or through one of its elements. */
function ofEach(test: Predicate): Predicate {
  return (leaf) => test(leaf) || (Array.isArray(leaf) && leaf.some(test));
}

function isPresent(leaf: unknown): boolean {
  return leaf !== undefined;
}

/** Null also finds missing fields: an absent leaf arrives as undefined, which has the order of null. */
function equalTo(operand: unknown): Predicate {
  if (typeof operand === 'string') return ofEach((value) => value === operand);
  return ofEach((value) => valuesEqual(value, operand));
}

/** Comparisons see only values of the operand's own type, as in mongod. */
function inRange(name: string, operand: unknown): Predicate {
  if (operand instanceof BSONRegExp) throw badValue(`Can't have RegEx as arg to predicate over field '${name}'.`);
  const tag = typeTagOf(operand);
  const bound = encodeValue(operand);
  const boundIsNaN = Number.isNaN(operand);
  return ofEach((value) => {
    if (typeTagOf(value) !== tag) return false;
    if (boundIsNaN || Number.isNaN(value)) return Number.isNaN(value) && boundIsNaN && name.endsWith('e');
    const encoded = encodeValue(value);
    if (name === '$gt') return encoded > bound;
    if (name === '$gte') return encoded >= bound;
    return name === '$lt' ? encoded < bound : encoded <= bound;
  });
}

function oneOf(name: string, operand: unknown): Predicate {
  if (!Array.isArray(operand)) throw badValue(`${name} needs an array`);
  if (operand.some(isOperatorDocument)) throw badValue(`cannot nest $ under ${name}`);
  const regexes = operand
    .filter((each) => each instanceof BSONRegExp)
    .map((each) => compileRegex(each.pattern, each.options));
  const keys = new Set(operand.filter((each) => !(each instanceof BSONRegExp)).map(encodeValue));
  return ofEach((value) => keys.has(encodeValue(value)) || regexes.some((regex) => regex(value)));
}

function negation(path: Path, operand: unknown): Predicate {
  if (operand instanceof BSONRegExp) return nowhere(path, ofEach(compileRegex(operand.pattern, operand.options)));
  if (!isOperatorDocument(operand)) throw badValue('$not needs a regex or a document');
  const inner = compileOperators(path, operand);
  return (value) => !inner(value);
}

function containsAll(path: Path, operand: unknown): Predicate {
  if (!Array.isArray(operand)) throw badValue('$all needs an array');
  if (operand.some(isOperatorDocument)) throw badValue('$all with operators inside is not supported');
  if (operand.length === 0) return () => false;
  return every(operand.map((each) => anywhere(path, equalTo(each))));
}

function hasElement(operand: unknown): Predicate {
  if (!isDocument(operand)) throw badValue('$elemMatch needs an Object');
  const first = Object.keys(operand)[0] ?? '';
  const onValues = first.startsWith('$') && !['$and', '$or', '$nor'].includes(first);
  const test = onValues ? compileValueOperators(operand) : compileFilter(operand);
  return (leaf) => Array.isArray(leaf) && leaf.some((element) => (onValues || isDocument(element)) && test(element));
}

function ofSize(operand: unknown): Predicate {
  if (!Number.isInteger(operand) || (operand as number) < 0) {
    throw badValue(`Failed to parse $size. Expected a non-negative integer: $size: ${String(operand)}`);
  }
  return (leaf) => Array.isArray(leaf) && leaf.length === operand;
}

function regexOperator(operand: unknown, options: unknown): Predicate {
  if (options !== undefined && typeof options !== 'string') throw badValue('$options has to be a string');
  if (operand instanceof BSONRegExp) return ofEach(compileRegex(operand.pattern, options ?? operand.options));
  if (typeof operand !== 'string') throw badValue('$regex has to be a string');
  return ofEach(compileRegex(operand, options ?? ''));
}
