import type { Collection } from './collection.js';
import type { Document } from './document.js';
import { compileFilter, type Predicate } from './match.js';
import { choosePlan, type IndexScan, type Plan } from './planner.js';
import { isSettled, visibleDocument, type LockOwner, type StoredRecord } from './record.js';
import { type SortField, sortBy } from './sort.js';

export interface Query {
  readonly filter: Document;
  readonly matches: Predicate;
  readonly sort: SortField[];
  readonly skip: number;
  /** 0 for all. */
  readonly limit: number;
}

export interface Found {
  readonly record: StoredRecord;
  readonly document: Document;
}

export interface QueryResult {
  readonly found: Found[];
  readonly plan: Plan;
  readonly examined: number;
}

export function parseQuery(filter: Document, options: Partial<Pick<Query, 'sort' | 'skip' | 'limit'>> = {}): Query {
  return { filter, matches: compileFilter(filter), sort: [], skip: 0, limit: 0, ...options };
}

/**
 * What `reader` sees, all at once: documents do not change, so a result is a snapshot that a cursor can hand out
 * later in parts.
 */
export function runQuery(collection: Collection | null, query: Query, reader: LockOwner | null): QueryResult {
  if (!collection) return { found: [], plan: { kind: 'collection' }, examined: 0 };
  const plan = choosePlan(collection, query.filter, query.sort);
  const isSorted = query.sort.length === 0 || (plan.kind === 'index' && plan.isSorted);
  const wanted = query.limit > 0 && isSorted ? query.skip + query.limit : Infinity;
  let found: Found[] = [];
  let examined = 0;
  for (const record of candidates(collection, plan, reader)) {
    examined++;
    const document = visibleDocument(record, reader);
    if (!document || !query.matches(document)) continue;
    found.push({ record, document });
    if (found.length >= wanted) break;
  }
  if (!isSorted) found = sortBy(found, query.sort, (each) => each.document);
  const end = query.limit > 0 ? query.skip + query.limit : undefined;
  return { found: query.skip > 0 || end !== undefined ? found.slice(query.skip, end) : found, plan, examined };
}

function candidates(collection: Collection, plan: Plan, reader: LockOwner | null): Iterable<StoredRecord> {
  if (plan.kind === 'collection') return collection.records;
  if (plan.kind === 'index') return scan(plan, reader);
  return new Set(plan.branches.flatMap((branch) => [...scan(branch, reader)]));
}

function* scan({ index, ranges, backwards }: IndexScan, reader: LockOwner | null): Iterable<StoredRecord> {
  const given = new Set<StoredRecord>();
  for (const [from, to] of ranges) {
    for (const [key, record] of index.entries.range(from, to, backwards)) {
      if (index.isMultikey) {
        if (given.has(record)) continue;
        given.add(record);
      } else if (!isSettled(record) && !standsAt(index.definition.keysOf, record, reader, key)) {
        // An entry of another version: this reader meets the record at its own key.
        continue;
      }
      yield record;
    }
  }
}

function standsAt(
  keysOf: (document: Document) => string[],
  record: StoredRecord,
  reader: LockOwner | null,
  key: string,
): boolean {
  const document = visibleDocument(record, reader);
  return document !== null && keysOf(document).includes(key);
}

/** In the words of mongod's explain, as far as a test can ask which index was used. */
export function describePlan(plan: Plan, sort: SortField[]): Document {
  const access = describeAccess(plan);
  if (sort.length === 0 || (plan.kind === 'index' && plan.isSorted)) return access;
  const sortPattern = Object.fromEntries(sort.map(({ name, descending }) => [name, descending ? -1 : 1]));
  return { stage: 'SORT', sortPattern, inputStage: access };
}

function describeAccess(plan: Plan): Document {
  if (plan.kind === 'collection') return { stage: 'COLLSCAN', direction: 'forward' };
  if (plan.kind === 'index') return { stage: 'FETCH', inputStage: describeScan(plan) };
  return { stage: 'FETCH', inputStage: { stage: 'OR', inputStages: plan.branches.map(describeScan) } };
}

function describeScan({ index, backwards }: IndexScan): Document {
  return {
    stage: 'IXSCAN',
    keyPattern: index.definition.specification['key'],
    indexName: index.definition.name,
    isMultiKey: index.isMultikey,
    isUnique: index.definition.unique,
    isSparse: index.definition.sparse,
    isPartial: index.definition.partialFilter !== null,
    direction: backwards ? 'backward' : 'forward',
  };
}
