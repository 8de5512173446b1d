import { Long } from 'bson';
import { type Document, isDocument } from './document.js';
import { CommandError, badValue } from './errors.js';
import { fieldOf, parsePath } from './paths.js';
import { compareValues, encodeValue } from './value-order.js';

type Expression = (document: Document) => unknown;
interface Accumulator {
  readonly field: string;
  readonly start: unknown;
  readonly expression: Expression;
  add(sum: unknown, value: unknown): unknown;
}

const NOTHING = Symbol('nothing yet');

/** `$group` with field paths, constants and objects of them; the accumulators are $sum $min $max $first $last $push. */
export function compileGroup(operand: unknown): (documents: Document[]) => Document[] {
  if (!isDocument(operand)) throw new CommandError(15947, "a group's fields must be specified in an object");
  const { _id: idOperand, ...fields } = operand;
  if (!('_id' in operand)) throw new CommandError(15955, 'a group specification must include an _id');
  const idOf = compileExpression(idOperand);
  const accumulators = Object.keys(fields).map((field) => compileAccumulator(field, fields[field]));
  return (documents) => {
    const groups = new Map<string, { id: unknown; sums: unknown[] }>();
    for (const document of documents) {
      const id = idOf(document) ?? null;
      const key = encodeValue(id);
      const group = groups.get(key) ?? { id, sums: accumulators.map(({ start }) => start) };
      groups.set(key, group);
      accumulators.forEach(({ add, expression }, i) => (group.sums[i] = add(group.sums[i], expression(document))));
    }
    return [...groups.values()].map(({ id, sums }) => {
      const entries = accumulators.map(({ field }, i) => [field, sums[i] === NOTHING ? null : (sums[i] ?? null)]);
      return { _id: id, ...(Object.fromEntries(entries) as Document) };
    });
  };
}

function compileAccumulator(field: string, specification: unknown): Accumulator {
  const name = isDocument(specification) ? Object.keys(specification)[0] : undefined;
  if (name === undefined || field.includes('.'))
    throw new CommandError(40234, `The field '${field}' must be an accumulator object`);
  const expression = compileExpression((specification as Document)[name]);
  const start = name === '$sum' ? 0 : name === '$push' ? [] : NOTHING;
  return { field, start, expression, add: additionOf(name) };
}

function additionOf(name: string): Accumulator['add'] {
  switch (name) {
    case '$sum':
      return (sum, value) => (sum as number) + numeric(value);
    case '$min':
      return (least, value) =>
        (value ?? null) === null || (least !== NOTHING && compareValues(value, least) >= 0) ? least : value;
    case '$max':
      return (most, value) =>
        (value ?? null) === null || (most !== NOTHING && compareValues(value, most) <= 0) ? most : value;
    case '$first':
      return (first, value) => (first === NOTHING ? (value ?? null) : first);
    case '$last':
      return (_last, value) => value ?? null;
    case '$push':
      return (list, value) => (value === undefined ? list : [...(list as unknown[]), value]);
    default:
      throw new CommandError(15952, `unknown group operator '${name}' (or not supported by the embedded database)`);
  }
}

/** Sums beyond 2^53 lose their last digits, which is as exact as a JavaScript client could read them. */
function numeric(value: unknown): number {
  if (typeof value === 'number') return value;
  return value instanceof Long ? value.toNumber() : 0;
}

function compileExpression(expression: unknown): Expression {
  if (typeof expression === 'string' && expression.startsWith('$')) {
    if (expression.startsWith('$$')) throw badValue(`The variable '${expression}' is not supported`);
    const path = parsePath(expression.slice(1));
    return (document) =>
      path.reduce<unknown>((value, field) => (isDocument(value) ? fieldOf(value, field) : undefined), document);
  }
  if (!isDocument(expression)) {
    if (Array.isArray(expression)) throw badValue('Array expressions are not supported');
    return () => expression;
  }
  const parts = Object.entries(expression).map(([field, part]): [string, Expression] => {
    if (field.startsWith('$')) throw badValue(`The expression operator '${field}' is not supported`);
    return [field, compileExpression(part)];
  });
  return (document) => {
    const entries = parts.map(([field, part]) => [field, part(document)] as const);
    return Object.fromEntries(entries.filter(([, value]) => value !== undefined));
  };
}
