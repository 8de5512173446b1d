import type { Page } from '../platform/mongo/page.js';

interface Listing<T, Item> {
  keyOf(each: T): string;
  present(each: T): Item;
}

/** A page of what is there as a whole and has few entries, in the order of these keys. */
export function pageOf<T, Item>(
  all: readonly T[],
  { limit, after = '' }: Page,
  { keyOf, present }: Listing<NoInfer<T>, Item>,
): { key: string; item: Item }[] {
  return all
    .map((each) => ({ key: keyOf(each), each }))
    .filter(({ key }) => key > after)
    .toSorted((left, right) => (left.key < right.key ? -1 : 1))
    .slice(0, limit)
    .map(({ key, each }) => ({ key, item: present(each) }));
}

export const idOf = ({ id }: { id: string }): string => id;
