import { BSONRegExp, ObjectId } from 'bson';
import { type Document, isDocument, isOperatorDocument, withIdFirst } from './document.js';
import { CommandError, failedToParse } from './errors.js';
import { type Path, parsePath } from './paths.js';
import { UPDATE_OPERATORS } from './update-operators.js';
import { type Change, withChange } from './update-paths.js';
import { valuesEqual } from './value-order.js';

export interface Update {
  readonly isReplacement: boolean;
  /** A new document, or the same object if nothing changes. */
  apply(document: Document): Document;
  /** The document an upsert inserts when `filter` finds nothing. */
  seed(filter: Document): Document;
}

interface Step {
  name: string;
  path: Path;
  change: Change;
}

export function compileUpdate(update: unknown): Update {
  if (Array.isArray(update)) throw new CommandError(115, 'An aggregation pipeline as update is not supported');
  if (!isDocument(update)) throw failedToParse('Update argument must be either an object or an array');
  return isOperatorDocument(update) ? modification(update) : replacement(update);
}

function replacement(document: Document): Update {
  const operator = Object.keys(document).find((field) => field.startsWith('$'));
  if (operator)
    throw new CommandError(52, `The dollar ($) prefixed field '${operator}' is not allowed in a replacement`);
  const replace = (id: unknown): Document => withIdFirst({ ...document, _id: id });
  return {
    isReplacement: true,
    apply(before) {
      if ('_id' in document) assertSameId(before, document);
      const after = replace(before['_id']);
      return valuesEqual(before, after) ? before : after;
    },
    seed: (filter) => replace(document['_id'] ?? seedOf(filter)['_id'] ?? new ObjectId()),
  };
}

function modification(update: Document): Update {
  const steps = Object.keys(update).flatMap((name) => stepsOf(name, update[name]));
  steps.sort((a, b) => comparePaths(a.path, b.path));
  refuseConflicts(steps);
  const always = steps.filter((step) => step.name !== '$setOnInsert');
  return {
    isReplacement: false,
    apply(before) {
      const after = applySteps(before, always);
      if (after !== before) assertSameId(before, after);
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

function stepsOf(name: string, fields: unknown): Step[] {
  const changeOf = Object.hasOwn(UPDATE_OPERATORS, name) ? UPDATE_OPERATORS[name] : undefined;
  if (!changeOf) throw failedToParse(`Unknown modifier: ${name}. Expected a valid update modifier`);
  if (!isDocument(fields)) throw failedToParse(`Modifiers operate on fields but we found another type for '${name}'`);
  return Object.keys(fields).map((path) => ({ name, path: parsePath(path), change: changeOf(fields[path], path) }));
}

function applySteps(document: Document, steps: Step[]): Document {
  let result = document;
  for (const { path, change } of steps) result = withChange(result, path, keepingEqual(change)) as Document;
  return result;
}

/** Setting a field to the value it has is no modification: mongod counts it as matched only. */
function keepingEqual(change: Change): Change {
  return (before) => {
    const after = change(before);
    if (before === undefined || typeof after === 'symbol') return after;
    return valuesEqual(before, after) ? before : after;
  };
}

/** mongod applies modifiers in the order of their paths, and so new fields appear in that order. */
function comparePaths(a: Path, b: Path): number {
  for (let i = 0; i < Math.min(a.length, b.length); i++) {
    const left = a[i]!;
    const right = b[i]!;
    if (left === right) continue;
    const numeric = Number(left) - Number(right);
    return Number.isNaN(numeric) ? (left < right ? -1 : 1) : numeric;
  }
  return a.length - b.length;
}

/** Paths are sorted, so a path stands directly before those it contains. */
function refuseConflicts(steps: Step[]): void {
  for (const [i, { path }] of steps.entries()) {
    const next = steps[i + 1]?.path;
    if (!next || !path.every((component, depth) => component === next[depth])) continue;
    throw new CommandError(40, `Updating the path '${next.join('.')}' would create a conflict at '${path.join('.')}'`);
  }
}

function assertSameId(before: Document, after: Document): void {
  if (valuesEqual(before['_id'], after['_id'])) return;
  throw new CommandError(66, "Performing an update on the path '_id' would modify the immutable field '_id'");
}

/** The equality conditions of a filter, as the beginning of the document to insert. */
function seedOf(filter: Document): Document {
  let seed: Document = {};
  for (const [path, value] of equalitiesOf(filter)) {
    seed = withChange(seed, parsePath(path), (before) => {
      if (before !== undefined)
        throw new CommandError(54, `cannot infer query fields to set, path '${path}' is matched twice`);
      return value;
    }) as Document;
  }
  return seed;
}

function equalitiesOf(filter: Document): [path: string, value: unknown][] {
  return Object.entries(filter).flatMap(([key, condition]): [string, unknown][] => {
    if (key === '$and') return (condition as Document[]).flatMap(equalitiesOf);
    if (key.startsWith('$')) return [];
    if (!isOperatorDocument(condition)) return condition instanceof BSONRegExp ? [] : [[key, condition]];
    return '$eq' in condition ? [[key, condition['$eq']]] : [];
  });
}
