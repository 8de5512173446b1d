import { visibleDocument, type Collection, type StoredRecord, type Transaction } from './collection.js';
import type { Document } from './document.js';
import { badValue, notSupported } from './errors.js';
import { compileFilter, type Predicate } from './match.js';
import { itemsBetween } from './ordered-index.js';
import { choosePlan, type Plan } from './planner.js';
import { sortBy, type SortField } from './sort.js';

export interface Query {
  readonly filter: Document;
  readonly matches: Predicate;
  readonly sort: SortField[];
  readonly skip: number;
  /** Infinity for all. */
  readonly limit: number;
}

export interface Found {
  readonly record: StoredRecord;
  readonly document: Document;
}

export function compileQuery(filter: Document, sort: SortField[] = []): Query {
  return { filter, matches: compileFilter(filter), sort, skip: 0, limit: Infinity };
}

/**
 * What `reader` sees, all at once: documents do not change, so a result is a snapshot that a cursor can hand out
 * later in parts.
 */
export function runQuery(collection: Collection | undefined, query: Query, reader: Transaction | null): Found[] {
  if (!collection) return [];
  const plan = choosePlan(collection, query.filter, query.sort);
  const isSorted = query.sort.length === 0 || (plan.isSorted && (reader === null || collection.unsettled.size === 0));
  const end = query.skip + query.limit;
  const found: Found[] = [];
  for (const record of candidates(collection, plan, reader)) {
    const document = visibleDocument(record, reader);
    if (!document || !query.matches(document)) continue;
    found.push({ record, document });
    if (isSorted && found.length >= end) break;
  }
  return (isSorted ? found : sortBy(found, query.sort, (each) => each.document)).slice(query.skip, end);
}

/** Records and indexes hold what is committed. What a transaction may see besides is among the unsettled ones. */
function candidates(collection: Collection, plan: Plan, reader: Transaction | null): Iterable<StoredRecord> {
  const { records, unsettled } = collection;
  const isSettled = reader === null || unsettled.size === 0;
  if (!plan.index) return isSettled ? records : new Set([...records, ...unsettled.keys()]);
  const { index, ranges, backwards } = plan;
  const [range, ...others] = ranges;
  // Nearly every scan is this: one walk, in which no record can stand twice.
  if (range && isSettled && others.length === 0 && !index.isMultikey)
    return itemsBetween(index.entries, range, backwards);
  const sources = isSettled ? [index.entries] : [index.entries, index.claims];
  return each(sources.flatMap((entries) => ranges.map((part) => itemsBetween(entries, part, backwards))));
}

/** Each record once. */
function* each(walks: Iterable<StoredRecord>[]): Iterable<StoredRecord> {
  const given = new Set<StoredRecord>();
  for (const walk of walks) {
    for (const record of walk) {
      if (given.has(record)) continue;
      given.add(record);
      yield record;
    }
  }
}

export type Projection = (document: Document) => Document;

/** Inclusion or exclusion of whole fields; `_id` may differ from the rest. */
export function compileProjection(specification: Document): Projection {
  const { _id: idFlag, ...flags } = specification;
  const fields = Object.keys(flags);
  for (const field of fields) {
    if (field.includes('.')) throw notSupported(`a projection of the path '${field}'`);
  }
  const modes = new Set(fields.map((field) => isIncluded(field, flags[field])));
  if (modes.size > 1) {
    throw badValue(`Cannot mix inclusion and exclusion in a projection: ${fields.join(', ')}`);
  }
  const withId = idFlag === undefined ? undefined : isIncluded('_id', idFlag);
  const including = modes.has(true) || (fields.length === 0 && withId === true);
  const named = new Set(fields);
  if (including ? withId !== false : withId === false) named.add('_id');
  return (document) => Object.fromEntries(Object.entries(document).filter(([field]) => named.has(field) === including));
}

function isIncluded(field: string, flag: unknown): boolean {
  if (typeof flag === 'boolean' || typeof flag === 'number') return Boolean(flag);
  throw notSupported(`the projection ${JSON.stringify(flag)} of '${field}'`);
}
