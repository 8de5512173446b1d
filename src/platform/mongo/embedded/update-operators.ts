import { Long, Timestamp } from 'bson';
import { isDocument, isOperatorDocument } from './document.js';
import { badValue, failedToParse, typeMismatch } from './errors.js';
import { compileFilter, compileValueOperators, type Predicate } from './match.js';
import { REMOVED, type Change } from './update-paths.js';
import { bsonTypeName, compareValues, valuesEqual } from './value-order.js';

/** Makes the change of one field: `path` and `now` serve messages and $currentDate. */
type ChangeOf = (operand: unknown, path: string) => Change;

export const UPDATE_OPERATORS: Readonly<Record<string, ChangeOf>> = {
  $set: (value) => () => value,
  $setOnInsert: (value) => () => value,
  $unset: () => (before) => (before === undefined ? undefined : REMOVED),
  $inc: (amount, path) => arithmetic({ name: '$inc', verb: 'increment', path, amount, absent: amount }, add),
  $mul: (amount, path) => arithmetic({ name: '$mul', verb: 'multiply', path, amount, absent: 0 }, multiply),
  $min: (value) => (before) => (before === undefined || compareValues(value, before) < 0 ? value : before),
  $max: (value) => (before) => (before === undefined || compareValues(value, before) > 0 ? value : before),
  $currentDate: currentDate,
  $push: push,
  $addToSet: addToSet,
  $pull: (condition, path) => pull(path, '$pull', pullTest(condition)),
  $pullAll: pullAll,
  $pop: pop,
};

interface Arithmetic {
  name: string;
  verb: string;
  path: string;
  amount: unknown;
  absent: unknown;
}

function arithmetic(
  { name, verb, path, amount, absent }: Arithmetic,
  combine: (a: bigint | number, b: bigint | number) => unknown,
): Change {
  const operand = numberOf(amount);
  if (operand === null)
    throw typeMismatch(`Cannot ${verb} with non-numeric argument: {${path}: ${JSON.stringify(amount)}}`);
  return (before) => {
    if (before === undefined) return absent;
    const current = numberOf(before);
    if (current === null) {
      throw typeMismatch(
        `Cannot apply ${name} to a value of non-numeric type. The field '${path}' is of type ${bsonTypeName(before)}`,
      );
    }
    return combine(current, operand);
  };
}

/** Whole numbers beyond 2^53 arrive as Long, and are counted exactly. */
function numberOf(value: unknown): number | bigint | null {
  if (typeof value === 'number') return value;
  return value instanceof Long && !(value instanceof Timestamp) ? value.toBigInt() : null;
}

function add(a: number | bigint, b: number | bigint): unknown {
  return exact(a, b, Number(a) + Number(b), (x, y) => x + y);
}

function multiply(a: number | bigint, b: number | bigint): unknown {
  return exact(a, b, Number(a) * Number(b), (x, y) => x * y);
}

function exact(
  a: number | bigint,
  b: number | bigint,
  rounded: number,
  combine: (x: bigint, y: bigint) => bigint,
): unknown {
  const isWhole = (value: number | bigint) => typeof value === 'bigint' || Number.isSafeInteger(value);
  if (Number.isSafeInteger(rounded) || !isWhole(a) || !isWhole(b)) return rounded;
  const result = combine(BigInt(a), BigInt(b));
  if (result !== BigInt.asIntN(64, result))
    throw badValue('Failed to apply $inc or $mul: the result overflows 64 bits');
  return Long.fromBigInt(result);
}

function currentDate(operand: unknown, path: string): Change {
  const type: unknown = operand === true ? 'date' : isDocument(operand) ? operand['$type'] : undefined;
  if (type === 'date') return () => new Date();
  if (type === 'timestamp') return () => new Timestamp({ t: Math.floor(Date.now() / 1000), i: 1 });
  throw badValue(`The '$currentDate' of '${path}' must be true or {$type: 'date' | 'timestamp'}`);
}

function push(operand: unknown, path: string): Change {
  const modifiers = isOperatorDocument(operand) ? operand : { $each: [operand] };
  for (const name of Object.keys(modifiers)) {
    if (!['$each', '$slice', '$position'].includes(name)) throw badValue(`Unrecognized clause in $push: ${name}`);
  }
  const added = eachOf('$push', modifiers['$each']);
  const slice = wholeNumberOf('$slice', modifiers['$slice']);
  const position = wholeNumberOf('$position', modifiers['$position']);
  return (before) => {
    const result = [...arrayAt('$push', path, before)];
    result.splice(position ?? result.length, 0, ...added);
    if (slice === undefined) return result;
    return slice >= 0 ? result.slice(0, slice) : result.slice(slice);
  };
}

function addToSet(operand: unknown, path: string): Change {
  const modifiers = isOperatorDocument(operand) ? operand : { $each: [operand] };
  for (const name of Object.keys(modifiers)) {
    if (name !== '$each') throw badValue(`Found unexpected fields after $each in $addToSet: ${name}`);
  }
  const added = eachOf('$addToSet', modifiers['$each']);
  return (before) => {
    const array = arrayAt('$addToSet', path, before);
    const result = [...array];
    for (const value of added) {
      if (!result.some((member) => valuesEqual(member, value))) result.push(value);
    }
    return before !== undefined && result.length === array.length ? before : result;
  };
}

function pullTest(condition: unknown): Predicate {
  if (isOperatorDocument(condition)) return compileValueOperators(condition);
  if (isDocument(condition)) {
    const matches = compileFilter(condition);
    return (element) => isDocument(element) && matches(element);
  }
  return compileValueOperators({ $in: [condition] });
}

function pull(path: string, operator: string, test: Predicate): Change {
  return (before) => {
    if (before === undefined) return undefined;
    const array = arrayAt(operator, path, before);
    const kept = array.filter((element) => !test(element));
    return kept.length === array.length ? before : kept;
  };
}

function pullAll(operand: unknown, path: string): Change {
  if (!Array.isArray(operand)) throw badValue('$pullAll requires an array argument');
  return pull(path, '$pullAll', (element) => operand.some((value) => valuesEqual(value, element)));
}

function pop(operand: unknown, path: string): Change {
  if (operand !== 1 && operand !== -1) throw failedToParse(`$pop expects 1 or -1, found: ${JSON.stringify(operand)}`);
  return (before) => {
    if (before === undefined) return undefined;
    const array = arrayAt('$pop', path, before);
    if (array.length === 0) return before;
    return operand === 1 ? array.slice(0, -1) : array.slice(1);
  };
}

function eachOf(operator: string, each: unknown): unknown[] {
  if (!Array.isArray(each)) throw badValue(`The argument to $each in ${operator} must be an array`);
  return each;
}

function wholeNumberOf(name: string, value: unknown): number | undefined {
  if (value === undefined) return undefined;
  if (!Number.isInteger(value)) throw badValue(`The value for ${name} must be an integer value`);
  return value as number;
}

function arrayAt(operator: string, path: string, before: unknown): unknown[] {
  if (before === undefined) return [];
  if (Array.isArray(before)) return before;
  if (operator === '$push')
    throw badValue(`The field '${path}' must be an array but is of type ${bsonTypeName(before)}`);
  throw badValue(`Cannot apply ${operator} to a non-array value: the field '${path}' has type ${bsonTypeName(before)}`);
}
