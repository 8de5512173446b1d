import { isDocument, type Document } from './document.js';
import { badValue, notSupported } from './errors.js';
import { compileFilter } from './match.js';
import { fieldOf, parsePath } from './paths.js';
import { parseSort, sortBy } from './sort.js';
import { compareValues, encodeValue } from './value-order.js';

type Stage = (documents: Document[]) => Document[];
type Expression = (document: Document) => unknown;

export interface Pipeline {
  /** Of a `$match` at the beginning, which an index can answer. */
  readonly filter: Document;
  run(documents: Document[]): Document[];
}

/** Enough for countDocuments and small reports. */
const STAGES: Readonly<Record<string, (operand: unknown) => Stage>> = {
  $match: (operand) => {
    if (!isDocument(operand)) throw badValue('$match needs an object');
    const matches = compileFilter(operand);
    return (documents) => documents.filter(matches);
  },
  $group: compileGroup,
  $sort: (operand) => {
    const sort = parseSort(operand);
    return (documents) => sortBy(documents, sort, (document) => document);
  },
  $skip: (operand) => {
    const count = wholeNumber('$skip', operand, 0);
    return (documents) => documents.slice(count);
  },
  $limit: (operand) => {
    const count = wholeNumber('$limit', operand, 1);
    return (documents) => documents.slice(0, count);
  },
  $count: (operand) => (documents) => (documents.length > 0 ? [{ [String(operand)]: documents.length }] : []),
};

/** The total so far (undefined at the beginning) and one more value. Null and missing values do not count. */
const TOTALS: Readonly<Record<string, (total: unknown, value: unknown) => unknown>> = {
  $sum: (sum = 0, value) => (typeof value === 'number' ? Number(sum) + value : sum),
  $min: (least = null, value) => (least === null || compareValues(value ?? least, least) < 0 ? value : least),
  $max: (most = null, value) => (most === null || compareValues(value ?? most, most) > 0 ? value : most),
};

export function compilePipeline(pipeline: unknown): Pipeline {
  if (!Array.isArray(pipeline)) throw badValue("'pipeline' must be an array");
  const stages = pipeline.map((stage): Stage => {
    const [name, operand] = onlyEntry(stage);
    const compile = fieldOf(STAGES, name);
    if (!compile) throw notSupported(`the stage ${name}`);
    return compile(operand);
  });
  const filter = (pipeline[0] as Document | undefined)?.['$match'] as Document | undefined;
  if (filter) stages.shift();
  return { filter: filter ?? {}, run: (documents) => stages.reduce((flow, stage) => stage(flow), documents) };
}

function compileGroup(operand: unknown): Stage {
  if (!isDocument(operand) || !('_id' in operand)) throw badValue('$group needs an object with an _id');
  const { _id, ...fields } = operand;
  const idOf = compileExpression(_id);
  const totals = Object.entries(fields).map(([field, specification]) => {
    const [name, summed] = onlyEntry(specification);
    const add = fieldOf(TOTALS, name);
    if (!add) throw notSupported(`the group operator ${name}`);
    return { field, add, valueOf: compileExpression(summed) };
  });
  return (documents) => {
    const groups = new Map<string, Document>();
    for (const document of documents) {
      const id = idOf(document) ?? null;
      const key = encodeValue(id);
      const group = groups.get(key) ?? { _id: id };
      groups.set(key, group);
      for (const { field, add, valueOf } of totals) group[field] = add(group[field], valueOf(document)) ?? null;
    }
    return [...groups.values()];
  };
}

/** A constant, or `$field` and `$a.b`, not through arrays. */
function compileExpression(expression: unknown): Expression {
  if (typeof expression === 'object' && expression !== null) throw notSupported(`${JSON.stringify(expression)}`);
  if (typeof expression !== 'string' || !expression.startsWith('$')) return () => expression;
  const path = parsePath(expression.slice(1));
  return (document) =>
    path.reduce<unknown>((value, field) => (isDocument(value) ? fieldOf(value, field) : undefined), document);
}

function onlyEntry(value: unknown): [name: string, operand: unknown] {
  const [entry, ...others] = isDocument(value) ? Object.entries(value) : [];
  if (!entry || others.length > 0) throw badValue('a stage or a total must be an object with exactly one field');
  return entry;
}

function wholeNumber(name: string, operand: unknown, least: number): number {
  if (Number.isInteger(operand) && (operand as number) >= least) return operand as number;
  throw badValue(`${name} needs a whole number from ${least} on`);
}
