interface Sequenced {
  readonly sequence: number;
}

interface Block<Item> {
  readonly keys: string[];
  readonly items: Item[];
}

/**
 * A sorted multiset of (key, item), cut into blocks so that an insertion moves a few hundred slots and not all of them.
 * Equal keys are kept in the order of their items' sequence, so each entry has one place and is found by bisection.
 */
export interface OrderedIndex<Item> {
  readonly blocks: Block<Item>[];
}

/** From (inclusive) and to (exclusive), as encoded keys. */
export type KeyRange = readonly [from: string, to: string];

const BLOCK_SIZE = 512;
const BEFORE_ALL_ITEMS = -1;

export function createOrderedIndex<Item extends Sequenced>(): OrderedIndex<Item> {
  return { blocks: [{ keys: [], items: [] }] };
}

export function addEntry<Item extends Sequenced>({ blocks }: OrderedIndex<Item>, key: string, item: Item): void {
  const { at, slot } = placeOf(blocks, key, item.sequence);
  const { keys, items } = blocks[at]!;
  if (items[slot] === item && keys[slot] === key) return;
  keys.splice(slot, 0, key);
  items.splice(slot, 0, item);
  if (keys.length <= BLOCK_SIZE) return;
  // Growing keys (ids, dates) only ever append: splitting in the middle would leave every block half empty.
  const kept = slot === BLOCK_SIZE ? BLOCK_SIZE : BLOCK_SIZE / 2;
  blocks.splice(at + 1, 0, { keys: keys.splice(kept), items: items.splice(kept) });
}

export function removeEntry<Item extends Sequenced>({ blocks }: OrderedIndex<Item>, key: string, item: Item): void {
  const { at, slot } = placeOf(blocks, key, item.sequence);
  const { keys, items } = blocks[at]!;
  if (items[slot] !== item || keys[slot] !== key) return;
  keys.splice(slot, 1);
  items.splice(slot, 1);
  if (keys.length === 0 && blocks.length > 1) blocks.splice(at, 1);
}

/** The items of all entries with `from <= key < to`. The index must not change while they are walked. */
export function* itemsBetween<Item extends Sequenced>(
  { blocks }: OrderedIndex<Item>,
  [from, to]: KeyRange,
  backwards = false,
): Iterable<Item> {
  const first = placeOf(blocks, from, BEFORE_ALL_ITEMS);
  const end = placeOf(blocks, to, BEFORE_ALL_ITEMS);
  const blockCount = end.at - first.at + 1;
  for (let i = 0; i < blockCount; i++) {
    const at = backwards ? end.at - i : first.at + i;
    const items = blocks[at]!.items.slice(at === first.at ? first.slot : 0, at === end.at ? end.slot : undefined);
    yield* backwards ? items.reverse() : items;
  }
}

/** The first entry that is not before the given one: its block (the last one if there is none) and slot. */
function placeOf<Item extends Sequenced>(blocks: Block<Item>[], key: string, sequence: number) {
  const isBefore = ({ keys, items }: Block<Item>, slot: number) =>
    keys[slot]! < key || (keys[slot] === key && items[slot]!.sequence < sequence);
  const at = bisect(blocks.length - 1, (middle) => isBefore(blocks[middle]!, blocks[middle]!.keys.length - 1));
  const slot = bisect(blocks[at]!.keys.length, (middle) => isBefore(blocks[at]!, middle));
  return { at, slot };
}

/** The first of 0…count for which `precedes` is false. */
function bisect(count: number, precedes: (at: number) => boolean): number {
  let low = 0;
  let high = count;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (precedes(middle)) low = middle + 1;
    else high = middle;
  }
  return low;
}
