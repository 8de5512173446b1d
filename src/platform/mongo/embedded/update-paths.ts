import { type Document, isDocument } from './document.js';
import { CommandError, badValue } from './errors.js';
import { type Path, fieldOf, isArrayPosition } from './paths.js';

/** What a change answers to take the field away. */
export const REMOVED = Symbol('removed');
const MAX_PADDING = 1_500_000;

export type Change = (before: unknown) => unknown;
type Container = Document | unknown[];

/**
 * The container with `change` applied at `path`. Everything beside the path is shared with the original, and if the
 * change gives back what it got, so is everything: the same object comes back.
 */
export function withChange(container: Container, path: Path, change: Change, depth = 0): Container {
  const field = path[depth]!;
  const isArray = Array.isArray(container);
  if (isArray && !isArrayPosition(field)) throw notViable(path, depth, container);
  const before = isArray ? container[Number(field)] : fieldOf(container, field);
  const after = depth === path.length - 1 ? change(before) : changeBelow(before, path, change, depth);
  if (after === before) return container;
  if (after === REMOVED) return without(container, field);
  return isArray ? arrayWith(container, Number(field), after) : { ...container, [field]: after };
}

function changeBelow(before: unknown, path: Path, change: Change, depth: number): unknown {
  if (before === undefined) {
    const created = withChange({}, path, change, depth + 1) as Document;
    // Removing below what does not exist creates nothing.
    return Object.keys(created).length === 0 ? undefined : created;
  }
  if (!isDocument(before) && !Array.isArray(before)) throw notViable(path, depth + 1, before);
  return withChange(before, path, change, depth + 1);
}

function without(container: Container, field: string): Container {
  if (Array.isArray(container)) {
    // $unset leaves null in an array: the other elements keep their places.
    return Number(field) < container.length ? arrayWith(container, Number(field), null) : container;
  }
  if (!Object.hasOwn(container, field)) return container;
  const { [field]: _removed, ...rest } = container;
  return rest;
}

function arrayWith(array: unknown[], position: number, value: unknown): unknown[] {
  if (position - array.length > MAX_PADDING) throw badValue(`Cannot pad an array up to position ${position}`);
  const copy = [...array];
  while (copy.length < position) copy.push(null);
  copy[position] = value;
  return copy;
}

function notViable(path: Path, depth: number, element: unknown): CommandError {
  const parent = depth > 0 ? path[depth - 1]! : '';
  return new CommandError(
    28,
    `Cannot create field '${path[depth]!}' in element {${parent}: ${JSON.stringify(element)}}`,
  );
}
