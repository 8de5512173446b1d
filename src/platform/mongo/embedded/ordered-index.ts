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

/** Equal keys are kept in the order of their items' sequence, so each entry has one place and is found by bisection. */
export function createOrderedIndex<Item extends { readonly sequence: number }>(): OrderedIndex<Item> {
  const blocks: Block<Item>[] = [{ keys: [], items: [] }];
  let size = 0;

  function isBefore(block: Block<Item>, slot: number, key: string, sequence: number): boolean {
    const other = block.keys[slot]!;
    return other < key || (other === key && block.items[slot]!.sequence < sequence);
  }

  /** The last block that may hold the place: the first one whose last entry is not before it. */
  function blockOf(key: string, sequence: number): number {
    return bisect(blocks.length - 1, (b) => isBefore(blocks[b]!, blocks[b]!.keys.length - 1, key, sequence));
  }

  function slotOf(block: Block<Item>, key: string, sequence: number): number {
    return bisect(block.keys.length, (slot) => isBefore(block, slot, key, sequence));
  }

  function add(key: string, item: Item): void {
    const at = blockOf(key, item.sequence);
    const block = blocks[at]!;
    const slot = slotOf(block, key, item.sequence);
    if (block.items[slot] === item && block.keys[slot] === key) return;
    block.keys.splice(slot, 0, key);
    block.items.splice(slot, 0, item);
    size++;
    if (block.keys.length > BLOCK_SIZE) split(at, slot === BLOCK_SIZE);
  }

  /** Growing keys (ids, dates) only ever append: splitting in the middle would leave every block half empty. */
  function split(at: number, appending: boolean): void {
    const block = blocks[at]!;
    const kept = appending ? BLOCK_SIZE : BLOCK_SIZE / 2;
    blocks.splice(at + 1, 0, { keys: block.keys.splice(kept), items: block.items.splice(kept) });
  }

  function remove(key: string, item: Item): void {
    const at = blockOf(key, item.sequence);
    const block = blocks[at]!;
    const slot = slotOf(block, key, item.sequence);
    if (block.items[slot] !== item || block.keys[slot] !== key) return;
    block.keys.splice(slot, 1);
    block.items.splice(slot, 1);
    size--;
    if (block.keys.length === 0 && blocks.length > 1) blocks.splice(at, 1);
  }

  function* forwards(from: string, to: string): Iterable<readonly [string, Item]> {
    const first = blockOf(from, -1);
    let slot = slotOf(blocks[first]!, from, -1);
    for (let at = first; at < blocks.length; at++, slot = 0) {
      const block = blocks[at]!;
      for (; slot < block.keys.length; slot++) {
        if (block.keys[slot]! >= to) return;
        yield [block.keys[slot]!, block.items[slot]!];
      }
    }
  }

  function* backwards(from: string, to: string): Iterable<readonly [string, Item]> {
    const last = blockOf(to, -1);
    let slot = slotOf(blocks[last]!, to, -1) - 1;
    for (let at = last; at >= 0; at--, slot = (blocks[at]?.keys.length ?? 0) - 1) {
      const block = blocks[at]!;
      for (; slot >= 0; slot--) {
        if (block.keys[slot]! < from) return;
        yield [block.keys[slot]!, block.items[slot]!];
      }
    }
  }

  return {
    get size() {
      return size;
    },
    add,
    remove,
    range: (from, to, reverse = false) => (reverse ? backwards(from, to) : forwards(from, to)),
  };
}

/** The first of 0…count for which `isBefore` is false. */
function bisect(count: number, isBefore: (at: number) => boolean): number {
  let low = 0;
  let high = count;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (isBefore(middle)) low = middle + 1;
    else high = middle;
  }
  return low;
}
