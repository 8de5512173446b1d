import { ObjectId } from 'bson';
import { isDocument, isOperatorDocument, typeOf, withIdFirst, type Document } from './document.js';
import { badValue, CommandError, notSupported } from './errors.js';
import { compileFilter, compileOperators, type Predicate } from './match.js';
import { fieldOf, parsePath, REMOVED, withChange, type Change, type Path } from './paths.js';
import { compareValues, valuesEqual } from './value-order.js';

export interface Update {
  readonly isReplacement: boolean;
  /** A new document, or the same object if nothing changes. */
  apply(document: Document): Document;
  /** The document an upsert inserts when `filter` finds nothing. */
  seed(filter: Document): Document;
}

interface Step {
  readonly operator: string;
  readonly path: Path;
  readonly change: Change;
}

export function compileUpdate(update: unknown): Update {
  if (!isDocument(update)) throw notSupported('an update that is not an object, such as a pipeline,');
  return isOperatorDocument(update) ? modification(update) : replacement(update);
}

function replacement(document: Document): Update {
  return {
    isReplacement: true,
    apply(before) {
      if ('_id' in document) assertSameId(before, document);
      const after = withIdFirst({ ...document, _id: before['_id'] });
      return valuesEqual(before, after) ? before : after;
    },
    seed: (filter) => withIdFirst({ ...document, _id: document['_id'] ?? seedOf(filter)['_id'] ?? new ObjectId() }),
  };
}

function modification(update: Document): Update {
  const steps = Object.entries(update).flatMap(([operator, fields]) => stepsOf(operator, fields));
  refuseConflicts(steps);
  const always = steps.filter(({ operator }) => operator !== '$setOnInsert');
  return {
    isReplacement: false,
    apply(before) {
      const after = applySteps(before, always);
      assertSameId(before, after);
      return after;
    },
    seed(filter) {
      const seeded = seedOf(filter);
      const after = applySteps(seeded, steps);
      if ('_id' in seeded) assertSameId(seeded, after);
      return withIdFirst('_id' in after ? after : { _id: new ObjectId(), ...after });
    },
  };
}

function stepsOf(operator: string, fields: unknown): Step[] {
  const changeOf = fieldOf(OPERATORS, operator);
  if (!changeOf || !isDocument(fields)) {
    throw new CommandError('FailedToParse', `The update modifier ${operator} is unknown, or not supported here`);
  }
  return Object.entries(fields).map(([path, operand]) => ({
    operator,
    path: parsePath(path),
    change: keepingEqual(changeOf(operand, path)),
  }));
}

/** Setting a field to the value it has is no modification: mongod counts it as matched only. */
function keepingEqual(change: Change): Change {
  return (before) => {
    const after = change(before);
    if (before === undefined || typeof after === 'symbol') return after;
    return valuesEqual(before, after) ? before : after;
  };
}

function applySteps(document: Document, steps: Step[]): Document {
  let result = document;
  for (const { path, change } of steps) result = withChange(result, path, change) as Document;
  return result;
}

/** No two steps may be about one path, nor about a path and what is inside of it. */
function refuseConflicts(steps: Step[]): void {
  for (const [i, { path }] of steps.entries()) {
    for (const other of steps.slice(i + 1)) {
      const [outer, inner] = path.length <= other.path.length ? [path, other.path] : [other.path, path];
      if (!outer.every((component, depth) => component === inner[depth])) continue;
      const names = `'${inner.join('.')}' would create a conflict at '${outer.join('.')}'`;
      throw new CommandError('ConflictingUpdateOperators', `Updating the path ${names}`);
    }
  }
}

function assertSameId(before: Document, after: Document): void {
  if (valuesEqual(before['_id'], after['_id'])) return;
  throw new CommandError('ImmutableField', "The update would modify the immutable field '_id'");
}

/** The equality conditions of a filter, as the beginning of the document to insert. */
function seedOf(filter: Document): Document {
  let seed: Document = {};
  for (const [path, value] of equalitiesOf(filter)) {
    seed = withChange(seed, parsePath(path), (before) => {
      if (before === undefined) return value;
      throw badValue(`cannot infer what to insert: the path '${path}' is matched twice`);
    }) as Document;
  }
  return seed;
}

function equalitiesOf(filter: Document): [path: string, value: unknown][] {
  return Object.entries(filter).flatMap(([key, condition]): [string, unknown][] => {
    if (key === '$and') return (condition as Document[]).flatMap(equalitiesOf);
    if (key.startsWith('$')) return [];
    if (!isOperatorDocument(condition)) return [[key, condition]];
    return '$eq' in condition ? [[key, condition['$eq']]] : [];
  });
}

/** Makes the change of one field; the path is for messages. */
type ChangeOf = (operand: unknown, path: string) => Change;

const OPERATORS: Readonly<Record<string, ChangeOf>> = {
  $set: (value) => () => value,
  $setOnInsert: (value) => () => value,
  $unset: () => (before) => (before === undefined ? undefined : REMOVED),
  $inc: increment,
  $min: (value) => (before) => (before === undefined || compareValues(value, before) < 0 ? value : before),
  $max: (value) => (before) => (before === undefined || compareValues(value, before) > 0 ? value : before),
  $push: push,
  $addToSet: addToSet,
  $pull: pull,
};

function increment(amount: unknown, path: string): Change {
  if (typeof amount !== 'number') {
    throw new CommandError('TypeMismatch', `Cannot increment '${path}' with a non-numeric argument`);
  }
  return (before = 0) => {
    if (typeof before !== 'number') {
      throw new CommandError('TypeMismatch', `Cannot apply $inc to '${path}', which is of type ${typeOf(before)}`);
    }
    const sum = before + amount;
    const isExact = Number.isSafeInteger(sum) || !Number.isInteger(before) || !Number.isInteger(amount);
    if (!isExact) throw notSupported(`'${path}' as a whole number beyond 2^53`);
    return sum;
  };
}

function push(operand: unknown, path: string): Change {
  const added = eachOf('$push', operand);
  return (before) => [...arrayAt('$push', path, before), ...added];
}

function addToSet(operand: unknown, path: string): Change {
  const added = eachOf('$addToSet', operand);
  return (before) => {
    const result = [...arrayAt('$addToSet', path, before)];
    for (const value of added) {
      if (!result.some((member) => valuesEqual(member, value))) result.push(value);
    }
    return result;
  };
}

function pull(condition: unknown, path: string): Change {
  const isPulled = pullTest(condition);
  return (before) => {
    if (before === undefined) return undefined;
    return arrayAt('$pull', path, before).filter((element) => !isPulled(element));
  };
}

function pullTest(condition: unknown): Predicate {
  if (isOperatorDocument(condition)) return compileOperators([], condition);
  if (!isDocument(condition)) return (element) => valuesEqual(element, condition);
  const matches = compileFilter(condition);
  return (element) => isDocument(element) && matches(element);
}

/** One value, or several as `{ $each: […] }`. */
function eachOf(operator: string, operand: unknown): unknown[] {
  if (!isOperatorDocument(operand)) return [operand];
  const { $each: each, ...others } = operand;
  const [unknown] = Object.keys(others);
  if (unknown !== undefined) throw notSupported(`${unknown} in ${operator}`);
  if (!Array.isArray(each)) throw badValue(`The argument to $each in ${operator} must be an array`);
  return each;
}

function arrayAt(operator: string, path: string, before: unknown): unknown[] {
  if (before === undefined) return [];
  if (Array.isArray(before)) return before;
  throw badValue(`The field '${path}' must be an array for ${operator}, but is of type ${typeOf(before)}`);
}
