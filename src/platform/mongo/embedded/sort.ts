import { isDocument, type Document } from './document.js';
import { badValue } from './errors.js';
import { parsePath, valuesAt, type Path } from './paths.js';
import { compareEncoded, encodeValue } from './value-order.js';

export interface SortField {
  readonly name: string;
  readonly path: Path;
  readonly descending: boolean;
}

/** `{ a: 1, b: -1 }`, as a sort or as the key of an index. */
export function parseSort(specification: unknown): SortField[] {
  if (!isDocument(specification)) throw badValue('a sort or an index key must be an object');
  return Object.entries(specification).map(([name, direction]) => {
    if (direction !== 1 && direction !== -1) {
      throw badValue(`The order ${JSON.stringify(direction)} of '${name}' is not supported, only 1 and -1 are`);
    }
    return { name, path: parsePath(name), descending: direction === -1 };
  });
}

/** Sorts by keys made once for each item. The order is stable, so equal items keep the order they were found in. */
export function sortBy<Item>(items: Item[], sort: SortField[], documentOf: (item: Item) => Document): Item[] {
  const keyed = items.map((item) => ({ item, keys: sort.map((field) => sortKey(documentOf(item), field)) }));
  keyed.sort((a, b) => {
    for (const [i, { descending }] of sort.entries()) {
      const order = compareEncoded(a.keys[i]!, b.keys[i]!);
      if (order !== 0) return descending ? -order : order;
    }
    return 0;
  });
  return keyed.map(({ item }) => item);
}

/** An array sorts by its smallest element going up, and by its greatest going down. */
function sortKey(document: Document, { path, descending }: SortField): string {
  const encoded = valuesAt(document, path).values.map(encodeValue).sort();
  return descending ? encoded.at(-1)! : encoded[0]!;
}
