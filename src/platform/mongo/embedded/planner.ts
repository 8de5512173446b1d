import type { Collection, Index } from './collection.js';
import { isOperatorDocument, type Document } from './document.js';
import type { IndexDefinition } from './index-definition.js';
import type { KeyRange } from './ordered-index.js';
import type { SortField } from './sort.js';
import { AFTER_ALL, encodeValue, typeRangeOf } from './value-order.js';

export interface IndexScan {
  readonly index: Index;
  readonly ranges: readonly KeyRange[];
  readonly backwards: boolean;
  /** The scan itself gives the wanted order. */
  readonly isSorted: boolean;
}

export type Plan = IndexScan | { readonly index: null; readonly isSorted: boolean };

/** What a filter says about one field, as far as an index can use it. */
interface FieldBounds {
  /** Encoded values, one of which it must be. */
  points?: string[];
  exists?: true;
  lower?: KeyRange;
  upper?: KeyRange;
}

const MAX_POINT_COMBINATIONS = 1000;

/**
 * Takes the index with the most equalities, then one that also sorts, then one that narrows by a range. Plans are
 * made anew for every command: there are few indexes and no statistics.
 */
export function choosePlan(collection: Collection, filter: Document, sort: SortField[]): Plan {
  const bounds = boundsOf(filter);
  let best: Plan = { index: null, isSorted: sort.length === 0 };
  let bestScore = 0;
  for (const index of collection.indexes) {
    if (sort.length === 0 && !bounds.has(index.definition.fields[0]!.name)) continue;
    const { scan, score } = considerIndex(index, bounds, sort);
    if (score <= bestScore || !servesFilter(index.definition, bounds)) continue;
    best = scan;
    bestScore = score;
  }
  return best;
}

/** Only what every match must fulfil: the conditions at the top and inside `$and`. */
function boundsOf(filter: Document, found = new Map<string, FieldBounds>()): Map<string, FieldBounds> {
  for (const [key, condition] of Object.entries(filter)) {
    if (key === '$and') for (const part of condition as Document[]) boundsOf(part, found);
    if (key.startsWith('$')) continue;
    const bounds = found.get(key) ?? {};
    found.set(key, bounds);
    const operators = isOperatorDocument(condition) ? condition : { $eq: condition };
    for (const [operator, operand] of Object.entries(operators)) addOperator(bounds, operator, operand);
  }
  return found;
}

/** Of two conditions of one kind the first is used: the filter is checked in any case. */
function addOperator(bounds: FieldBounds, operator: string, operand: unknown): void {
  const operands = operator === '$in' ? (operand as unknown[]) : [operand];
  // Arrays are left out: an index has their elements, not the whole.
  if (operands.some((each) => Array.isArray(each))) return;
  if (operator === '$eq' || operator === '$in') bounds.points ??= [...new Set(operands.map(encodeValue))].sort();
  if (operator === '$exists' && operand) bounds.exists = true;
  if (!/^\$[gl]te?$/.test(operator)) return;
  const [from, to] = typeRangeOf(operand);
  const encoded = encodeValue(operand);
  if (operator === '$gt') bounds.lower ??= [encoded + AFTER_ALL, to];
  if (operator === '$gte') bounds.lower ??= [encoded, to];
  if (operator === '$lt') bounds.upper ??= [from, encoded];
  if (operator === '$lte') bounds.upper ??= [from, encoded + AFTER_ALL];
}

/** In a multikey index two limits may be met by two elements of one array, so only one of them may be used. */
function rangeOf({ lower, upper }: FieldBounds, isMultikey: boolean): KeyRange | undefined {
  if (!lower || !upper || isMultikey) return lower ?? upper;
  return [lower[0] > upper[0] ? lower[0] : upper[0], lower[1] < upper[1] ? lower[1] : upper[1]];
}

function considerIndex(
  index: Index,
  bounds: Map<string, FieldBounds>,
  sort: SortField[],
): { scan: IndexScan; score: number } {
  const { fields } = index.definition;
  let prefixes = [''];
  let equalities = 0;
  for (; equalities < fields.length; equalities++) {
    const points = bounds.get(fields[equalities]!.name)?.points;
    if (!points || points.length * prefixes.length > MAX_POINT_COMBINATIONS) break;
    prefixes = prefixes.flatMap((prefix) => points.map((point) => prefix + point));
  }
  const nextBounds = bounds.get(fields[equalities]?.name ?? '');
  const range = nextBounds && rangeOf(nextBounds, index.isMultikey);
  const [from, to] = range ?? ['', AFTER_ALL];
  const direction = prefixes.length === 1 && !index.isMultikey ? directionFor(sort, fields, equalities) : null;
  const scan: IndexScan = {
    index,
    ranges: prefixes.map((prefix) => [prefix + from, prefix + to]),
    backwards: direction === 'backwards',
    isSorted: sort.length === 0 || direction !== null,
  };
  const sortsByItself = sort.length > 0 && direction !== null;
  return { scan, score: equalities * 4 + (sortsByItself ? 2 : 0) + (range ? 1 : 0) };
}

/**
 * How the index is to be read for this sort. Fields fixed by an equality do not take part; the others must follow the
 * index in one direction. The sort must also suit the directions of the definition, which are of no use here, but
 * decide in mongod: a plan must not do without sorting here and need it in production.
 */
function directionFor(sort: SortField[], fields: readonly SortField[], equalities: number) {
  const fixed = new Set(fields.slice(0, equalities).map(({ name }) => name));
  const wanted = sort.filter(({ name }) => !fixed.has(name));
  const following = fields.slice(equalities, equalities + wanted.length);
  if (following.length < wanted.length || following.some(({ name }, i) => name !== wanted[i]!.name)) return null;
  const isUniform = wanted.every(({ descending }) => descending === wanted[0]!.descending);
  const relations = new Set(following.map(({ descending }, i) => descending === wanted[i]!.descending));
  if (!isUniform || relations.size > 1) return null;
  return wanted[0]?.descending ? 'backwards' : 'forwards';
}

/**
 * Whether everything the filter can match stands in the index. As in mongod, a sparse or partial index serves only
 * filters for which that is certain: a test that forbids full scans must not pass here and fail in production.
 */
function servesFilter({ sparse, fields, partialFilter }: IndexDefinition, bounds: Map<string, FieldBounds>): boolean {
  if (sparse) return fields.some(({ name }) => excludesMissing(bounds.get(name)));
  return Object.entries(partialFilter ?? {}).every(([field, condition]) => {
    // The other conditions of a partial filter are all `{ $exists: true }`.
    if (isOperatorDocument(condition)) return excludesMissing(bounds.get(field));
    const wanted = encodeValue(condition);
    return bounds.get(field)?.points?.every((point) => point === wanted);
  });
}

function excludesMissing(bounds: FieldBounds | undefined): boolean {
  const missing = encodeValue(null);
  if (bounds?.exists) return true;
  if (bounds?.points) return !bounds.points.includes(missing);
  const range = bounds?.lower ?? bounds?.upper;
  return range !== undefined && !range[0].startsWith(missing);
}

/** In the words of mongod's explain, as far as a test can ask which index was used. */
export function describePlan(plan: Plan, sort: SortField[]): Document {
  const access = plan.index ? { stage: 'FETCH', inputStage: describeScan(plan) } : { stage: 'COLLSCAN' };
  if (plan.isSorted) return access;
  const sortPattern = Object.fromEntries(sort.map(({ name, descending }) => [name, descending ? -1 : 1]));
  return { stage: 'SORT', sortPattern, inputStage: access };
}

function describeScan({ index }: IndexScan): Document {
  const { specification, name } = index.definition;
  return { stage: 'IXSCAN', keyPattern: specification['key'], indexName: name, isMultiKey: index.isMultikey };
}
