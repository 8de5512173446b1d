/** A sorted multiset of (key, item), cut into blocks so that an insertion moves a few hundred slots and not all of them. */
export interface OrderedIndex<Item extends { readonly sequence: number }> {
  readonly size: number;
  add(key: string, item: Item): void;
  remove(key: string, item: Item): void;
  /** Every entry with `from <= key < to`. The index must not change while it is walked. */
  range(from: string, to: string, backwards?: boolean): Iterable<readonly [key: string, item: Item]>;
}

interface Block<Item> {
  keys: string[];
  items: Item[];
}

const BLOCK_SIZE = 512;

interface Entries<Item> {
  readonly blocks: Block<Item>[];
  size: number;
}

interface Sequenced {
  readonly sequence: number;
}

/** Equal keys are kept in the order of their items' sequence, so each entry has one place and is found by bisection. */
export function createOrderedIndex<Item extends Sequenced>(): OrderedIndex<Item> {
  const entries: Entries<Item> = { blocks: [{ keys: [], items: [] }], size: 0 };
  return {
    get size() {
      return entries.size;
    },
    add: (key, item) => add(entries, key, item),
    remove: (key, item) => remove(entries, key, item),
    range: (from, to, reverse = false) => (reverse ? backwards(entries, from, to) : forwards(entries, from, to)),
  };
}

function add<Item extends Sequenced>(entries: Entries<Item>, key: string, item: Item): void {
  const at = blockOf(entries, key, item.sequence);
  const block = entries.blocks[at]!;
  const slot = slotOf(block, key, item.sequence);
  if (block.items[slot] === item && block.keys[slot] === key) return;
  block.keys.splice(slot, 0, key);
  block.items.splice(slot, 0, item);
  entries.size++;
  if (block.keys.length > BLOCK_SIZE) split(entries, at, slot === BLOCK_SIZE);
}

/** Growing keys (ids, dates) only ever append: splitting in the middle would leave every block half empty. */
function split<Item>({ blocks }: Entries<Item>, at: number, appending: boolean): void {
  const block = blocks[at]!;
  const kept = appending ? BLOCK_SIZE : BLOCK_SIZE / 2;
  blocks.splice(at + 1, 0, { keys: block.keys.splice(kept), items: block.items.splice(kept) });
}

function remove<Item extends Sequenced>(entries: Entries<Item>, key: string, item: Item): void {
  const at = blockOf(entries, key, item.sequence);
  const block = entries.blocks[at]!;
  const slot = slotOf(block, key, item.sequence);
  if (block.items[slot] !== item || block.keys[slot] !== key) return;
  block.keys.splice(slot, 1);
  block.items.splice(slot, 1);
  entries.size--;
  if (block.keys.length === 0 && entries.blocks.length > 1) entries.blocks.splice(at, 1);
}

type Found<Item> = Iterable<readonly [key: string, item: Item]>;

function* forwards<Item extends Sequenced>(entries: Entries<Item>, from: string, to: string): Found<Item> {
  const { blocks } = entries;
  const first = blockOf(entries, from, -1);
  let slot = slotOf(blocks[first]!, from, -1);
  for (let at = first; at < blocks.length; at++, slot = 0) {
    const { keys, items } = blocks[at]!;
    for (; slot < keys.length; slot++) {
      if (keys[slot]! >= to) return;
      yield [keys[slot]!, items[slot]!];
    }
  }
}

function* backwards<Item extends Sequenced>(entries: Entries<Item>, from: string, to: string): Found<Item> {
  const { blocks } = entries;
  const last = blockOf(entries, to, -1);
  let slot = slotOf(blocks[last]!, to, -1) - 1;
  for (let at = last; at >= 0; at--, slot = (blocks[at]?.keys.length ?? 0) - 1) {
    const { keys, items } = blocks[at]!;
    for (; slot >= 0; slot--) {
      if (keys[slot]! < from) return;
      yield [keys[slot]!, items[slot]!];
    }
  }
}

/** The first block whose last entry is not before the place, or the last block of all. */
function blockOf<Item extends Sequenced>({ blocks }: Entries<Item>, key: string, sequence: number): number {
  return bisect(blocks.length - 1, (at) => isBefore(blocks[at]!, blocks[at]!.keys.length - 1, key, sequence));
}

function slotOf<Item extends Sequenced>(block: Block<Item>, key: string, sequence: number): number {
  return bisect(block.keys.length, (slot) => isBefore(block, slot, key, sequence));
}

function isBefore<Item extends Sequenced>(block: Block<Item>, slot: number, key: string, sequence: number): boolean {
  const other = block.keys[slot]!;
  return other < key || (other === key && block.items[slot]!.sequence < sequence);
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
