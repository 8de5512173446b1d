import { type Document, isDocument } from './document.js';
import { badValue } from './errors.js';
import { type Path, parsePath, valuesAt } from './paths.js';
import { complement, encodeValue } from './value-order.js';

export interface SortField {
  readonly name: string;
  readonly path: Path;
  readonly descending: boolean;
}

export function parseSort(specification: unknown): SortField[] {
  if (specification === undefined) return [];
  if (!isDocument(specification)) throw badValue('the sort must be an object');
  return Object.keys(specification).map((name) => {
    const direction = specification[name];
    if (direction !== 1 && direction !== -1) {
      throw badValue(
        `Illegal sort: ${name}: ${JSON.stringify(direction)} is not supported ($sort key ordering must be 1 or -1)`,
      );
    }
    return { name, path: parsePath(name), descending: direction === -1 };
  });
}

/** Sorts by keys made once for each item. The order is stable, so equal items keep the order they were found in. */
export function sortBy<Item>(items: Item[], sort: SortField[], documentOf: (item: Item) => Document): Item[] {
  if (sort.length === 0 || items.length < 2) return items;
  const keyed = items.map((item) => ({ item, key: sortKey(documentOf(item), sort) }));
  keyed.sort((a, b) => (a.key < b.key ? -1 : a.key === b.key ? 0 : 1));
  return keyed.map(({ item }) => item);
}

/** An array sorts by its smallest element going up, and by its greatest going down. */
function sortKey(document: Document, sort: SortField[]): string {
  let key = '';
  for (const { path, descending } of sort) {
    const encoded = valuesAt(document, path).values.map(encodeValue);
    const extreme = encoded.reduce((best, each) => ((descending ? each > best : each < best) ? each : best));
    key += descending ? complement(extreme) : extreme;
  }
  return key;
}
