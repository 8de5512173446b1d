import { isDocument, isOperatorDocument, typeOf, type Document } from './document.js';
import { badValue, notSupported } from './errors.js';
import { fieldOf, parsePath, someAt, type Path } from './paths.js';
import { encodeValue, valuesEqual } from './value-order.js';

/** Compiled once for a command, so that a mistake in a filter is answered even when there is nothing to match. */
export type Predicate = (value: unknown) => boolean;

const LOGICAL: Readonly<Record<string, (parts: Predicate[]) => Predicate>> = {
  $and: every,
  $or: (parts) => (document) => parts.some((part) => part(document)),
  $nor: (parts) => (document) => !parts.some((part) => part(document)),
};

const OPERATORS: Readonly<Record<string, (path: Path, operand: unknown) => Predicate>> = {
  $eq: (path, operand) => anywhere(path, equalTo(operand)),
  $ne: (path, operand) => not(anywhere(path, equalTo(operand))),
  $gt: range((value, bound) => value > bound),
  $gte: range((value, bound) => value >= bound),
  $lt: range((value, bound) => value < bound),
  $lte: range((value, bound) => value <= bound),
  $in: (path, operand) => anywhere(path, oneOf(operand)),
  $nin: (path, operand) => not(anywhere(path, oneOf(operand))),
  $exists: (path, operand) => (operand ? anywhere(path, isPresent) : not(anywhere(path, isPresent))),
  $elemMatch: (path, operand) => anywhere(path, hasElement(operand)),
  $not: (path, operand) => {
    if (!isOperatorDocument(operand)) throw badValue('$not needs a document of operators');
    return not(compileOperators(path, operand));
  },
};

export function compileFilter(filter: Document): Predicate {
  return every(Object.entries(filter).map(([key, condition]) => compileEntry(key, condition)));
}

function compileEntry(key: string, condition: unknown): Predicate {
  if (!key.startsWith('$')) {
    const path = parsePath(key);
    return isOperatorDocument(condition) ? compileOperators(path, condition) : anywhere(path, equalTo(condition));
  }
  const combine = LOGICAL[key];
  if (!combine) throw notSupported(`the top level operator ${key}`);
  if (!Array.isArray(condition) || condition.length === 0 || !condition.every(isDocument)) {
    throw badValue(`${key} must be a nonempty array of objects`);
  }
  return combine(condition.map(compileFilter));
}

/** With an empty path they apply to a bare value: an element of `$elemMatch`, or what `$pull` removes. */
export function compileOperators(path: Path, operators: Document): Predicate {
  const parts = Object.entries(operators).map(([name, operand]) => {
    const compile = fieldOf(OPERATORS, name);
    if (!compile) throw notSupported(`the query operator ${name}`);
    return compile(path, operand);
  });
  return every(parts);
}

function every(parts: Predicate[]): Predicate {
  if (parts.length === 1) return parts[0]!;
  return (value) => parts.every((part) => part(value));
}

function not(part: Predicate): Predicate {
  return (value) => !part(value);
}

function anywhere(path: Path, test: Predicate): Predicate {
  return (value) => someAt(value, path, test);
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
  encodeValue(operand); // refuses types that could never be stored
  return ofEach((value) => valuesEqual(value, operand));
}

/** Comparisons see only values of the operand's own type, as in mongod. */
function range(isInside: (value: string, bound: string) => boolean): (path: Path, operand: unknown) => Predicate {
  return (path, operand) => {
    const type = typeOf(operand);
    const bound = encodeValue(operand);
    const test = ofEach((value) => typeOf(value) === type && isInside(encodeValue(value), bound));
    return anywhere(path, test);
  };
}

function oneOf(operand: unknown): Predicate {
  if (!Array.isArray(operand)) throw badValue('$in needs an array');
  if (operand.some(isOperatorDocument)) throw badValue('cannot nest $ under $in');
  const keys = new Set(operand.map(encodeValue));
  return ofEach((value) => keys.has(encodeValue(value)));
}

function hasElement(operand: unknown): Predicate {
  if (!isDocument(operand)) throw badValue('$elemMatch needs an Object');
  const onValues = isOperatorDocument(operand) && !(Object.keys(operand)[0]! in LOGICAL);
  const test = onValues ? compileOperators([], operand) : compileFilter(operand);
  return (leaf) => Array.isArray(leaf) && leaf.some((element) => (onValues || isDocument(element)) && test(element));
}
