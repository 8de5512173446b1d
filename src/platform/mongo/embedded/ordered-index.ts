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
export function itemsBetween<Item extends Sequenced>(
  { blocks }: OrderedIndex<Item>,
  [from, to]: KeyRange,
  backwards = false,
): Iterable<Item> {
  const span = { first: placeOf(blocks, from, BEFORE_ALL_ITEMS), end: placeOf(blocks, to, BEFORE_ALL_ITEMS) };
  // Nearly every range is a single key.
  return span.first.at === span.end.at ? slice(blocks, span.first.at, span, backwards) : walk(blocks, span, backwards);
}

interface Place {
  readonly at: number;
  readonly slot: number;
}

interface Span {
  readonly first: Place;
  readonly end: Place;
}

function* walk<Item>(blocks: Block<Item>[], span: Span, backwards: boolean): Iterable<Item> {
  const { first, end } = span;
  const blockCount = end.at - first.at + 1;
  for (let i = 0; i < blockCount; i++) yield* slice(blocks, backwards ? end.at - i : first.at + i, span, backwards);
}

function slice<Item>(blocks: Block<Item>[], at: number, { first, end }: Span, backwards: boolean): Item[] {
  const items = blocks[at]!.items.slice(at === first.at ? first.slot : 0, at === end.at ? end.slot : undefined);
  return backwards ? items.reverse() : items;
}

/** The first entry that is not before the given one: its block (the last one if there is none) and slot. */
function placeOf<Item extends Sequenced>(blocks: Block<Item>[], key: string, sequence: number): Place {
  let at = 0;
  for (let high = blocks.length - 1; at < high;) {
    const middle = (at + high) >> 1;
    if (isBefore(blocks[middle]!, blocks[middle]!.keys.length - 1, key, sequence)) at = middle + 1;
    else high = middle;
  }
  const block = blocks[at]!;
  let slot = 0;
  for (let high = block.keys.length; slot < high;) {
    const middle = (slot + high) >> 1;
    if (isBefore(block, middle, key, sequence)) slot = middle + 1;
    else high = middle;
  }
  return { at, slot };
}

function isBefore<Item extends Sequenced>({ keys, items }: Block<Item>, slot: number, key: string, sequence: number) {
  return keys[slot]! < key || (keys[slot] === key && items[slot]!.sequence < sequence);
}
