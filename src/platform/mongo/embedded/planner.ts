import { boundsOf, type FieldBounds, type KeyRange, pointKeys, rangeKeys } from './bounds.js';
import type { Collection, Index } from './collection.js';
import type { Document } from './document.js';
import { servesFilter } from './partial-index.js';
import type { SortField } from './sort.js';
import { AFTER_ALL } from './value-order.js';

export interface IndexScan {
  readonly kind: 'index';
  readonly index: Index;
  readonly ranges: readonly KeyRange[];
  readonly backwards: boolean;
  /** The scan itself gives the wanted order. */
  readonly isSorted: boolean;
}

export type Plan =
  | { readonly kind: 'collection' }
  | IndexScan
  /** Every branch of an `$or` has its own index. */
  | { readonly kind: 'union'; readonly branches: readonly IndexScan[] };

const MAX_POINT_COMBINATIONS = 1000;

/**
 * Takes the index with the most equalities, then one that also sorts, then one that narrows by a range. Plans are
 * made anew for every command: there are few indexes and no statistics.
 */
export function choosePlan(collection: Collection, filter: Document, sort: SortField[]): Plan {
  const best = bestScan(collection, filter, sort);
  if (best) return best;
  if (Array.isArray(filter['$or'])) {
    const branches = (filter['$or'] as Document[]).map((branch) => bestScan(collection, branch, []));
    if (branches.every((branch) => branch !== null)) return { kind: 'union', branches };
  }
  return { kind: 'collection' };
}

function bestScan(collection: Collection, filter: Document, sort: SortField[]): IndexScan | null {
  const bounds = boundsOf(filter);
  let best: { scan: IndexScan; score: number } | null = null;
  for (const index of collection.indexes) {
    const candidate = considerIndex(index, bounds, sort);
    if (candidate.score <= (best?.score ?? 0) || !servesFilter(index.definition, filter)) continue;
    best = candidate;
  }
  return best?.scan ?? null;
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
    const { name, descending } = fields[equalities]!;
    const found = bounds.get(name);
    const points = found && pointKeys(found, descending);
    if (!points || points.length * prefixes.length > MAX_POINT_COMBINATIONS) break;
    prefixes = prefixes.flatMap((prefix) => points.map((point) => prefix + point));
  }
  const next = fields[equalities];
  const nextBounds = next && bounds.get(next.name);
  const range = nextBounds && rangeKeys(nextBounds, next.descending, index.isMultikey);
  const direction = prefixes.length === 1 && !index.isMultikey ? sortDirection(index, equalities, sort) : null;
  const scan: IndexScan = {
    kind: 'index',
    index,
    ranges: prefixes.map((prefix) => (range ? [prefix + range[0], prefix + range[1]] : [prefix, prefix + AFTER_ALL])),
    backwards: direction === 'backwards',
    isSorted: sort.length === 0 || direction !== null,
  };
  const sortsByItself = sort.length > 0 && direction !== null;
  return { scan, score: equalities * 4 + (sortsByItself ? 2 : 0) + (range ? 1 : 0) };
}

/** Fields fixed by an equality do not take part; the others must follow the index, all forwards or all backwards. */
function sortDirection(index: Index, equalities: number, sort: SortField[]): 'forwards' | 'backwards' | null {
  const { fields } = index.definition;
  const fixed = new Set(fields.slice(0, equalities).map(({ name }) => name));
  const wanted = sort.filter(({ name }) => !fixed.has(name));
  const following = fields.slice(equalities, equalities + wanted.length);
  if (following.length < wanted.length || following.some(({ name }, i) => name !== wanted[i]!.name)) return null;
  if (following.every(({ descending }, i) => descending === wanted[i]!.descending)) return 'forwards';
  return following.every(({ descending }, i) => descending !== wanted[i]!.descending) ? 'backwards' : null;
}
