import { type Document, isDocument } from './document.js';
import { badValue, CommandError, notSupported } from './errors.js';

export type Path = readonly string[];
export type Change = (before: unknown) => unknown;
type Container = Document | unknown[];

const ARRAY_POSITION = /^(0|[1-9]\d*)$/;
/** What a change answers to take the field away. */
export const REMOVED = Symbol('removed');
/** Stands for the missing element of an empty array. */
const EMPTY_ARRAY = Symbol('empty array');

/** Splits `a.b.c`; positional parts (`$`, `$[]`) are not supported and say so. */
export function parsePath(path: string): Path {
  const components = path.split('.');
  for (const component of components) {
    if (component === '') throw badValue(`The path '${path}' contains an empty field name`);
    if (component.startsWith('$') || component === '__proto__') {
      throw notSupported(`the part '${component}' of the path '${path}'`);
    }
  }
  return components;
}

/**
 * Calls `visit` with everything `path` leads to, going through the elements of arrays on the way, until it answers
 * true. A missing field is visited as undefined. Arrays at the end are visited whole: operators look into them.
 */
export function someAt(value: unknown, path: Path, visit: (leaf: unknown) => boolean, depth = 0): boolean {
  if (depth === path.length) return visit(value);
  const component = path[depth]!;
  if (Array.isArray(value)) {
    if (ARRAY_POSITION.test(component) && Number(component) < value.length) {
      if (someAt(value[Number(component)], path, visit, depth + 1)) return true;
    }
    return value.some((element) => isDocument(element) && someAt(element, path, visit, depth));
  }
  if (!isDocument(value)) return visit(undefined);
  return someAt(fieldOf(value, component), path, visit, depth + 1);
}

/** Never what an object has by itself, such as 'constructor'. */
export function fieldOf<Value>(document: Readonly<Record<string, Value>>, field: string): Value | undefined {
  return Object.hasOwn(document, field) ? document[field] : undefined;
}

interface ValuesAt {
  /** Never empty: nothing found counts as null. */
  readonly values: unknown[];
  readonly throughArray: boolean;
  readonly found: boolean;
}

/** All that `path` leads to, arrays opened: what an index or a sort keeps of a document. */
export function valuesAt(document: Document, path: Path): ValuesAt {
  const top = fieldOf(document, path[0]!);
  // The usual case, told apart because every write makes the keys of every index.
  if (path.length === 1 && !Array.isArray(top)) {
    return { values: [top ?? null], throughArray: false, found: top !== undefined };
  }
  const values: unknown[] = [];
  let leaves = 0;
  let throughArray = false;
  let found = false;
  someAt(document, path, (leaf) => {
    leaves++;
    found ||= leaf !== undefined;
    if (!Array.isArray(leaf)) values.push(leaf ?? null);
    else {
      throughArray = true;
      for (const element of leaf.length === 0 ? [EMPTY_ARRAY] : (leaf as unknown[])) values.push(element);
    }
    return false;
  });
  if (leaves === 0) values.push(null);
  return { values, throughArray: throughArray || leaves !== 1, found };
}

/**
 * The container with `change` applied at `path`. Everything beside the path is shared with the original, and if the
 * change gives back what it got, so is everything: the same object comes back.
 */
export function withChange(container: Container, path: Path, change: Change, depth = 0): Container {
  const field = path[depth]!;
  const isArray = Array.isArray(container);
  if (isArray && !(ARRAY_POSITION.test(field) && Number(field) <= container.length)) {
    throw notViable(path, depth, container);
  }
  const before = isArray ? container[Number(field)] : fieldOf(container, field);
  const after = depth === path.length - 1 ? change(before) : changeBelow(before, path, change, depth);
  if (after === before) return container;
  // $unset leaves null in an array: the other elements keep their places.
  if (isArray) return Object.assign([...container], { [field]: after === REMOVED ? null : after });
  if (after !== REMOVED) return { ...container, [field]: after };
  const { [field]: _removed, ...rest } = container;
  return rest;
}

function changeBelow(before: unknown, path: Path, change: Change, depth: number): unknown {
  if (before === undefined) {
    const created = withChange({}, path, change, depth + 1);
    // Removing below what does not exist creates nothing.
    return Object.keys(created).length === 0 ? undefined : created;
  }
  if (!isDocument(before) && !Array.isArray(before)) throw notViable(path, depth + 1, before);
  return withChange(before, path, change, depth + 1);
}

function notViable(path: Path, depth: number, element: unknown): CommandError {
  const parent = path[depth - 1] ?? '';
  const shown = JSON.stringify(element);
  return new CommandError('PathNotViable', `Cannot create field '${path[depth]!}' in element {${parent}: ${shown}}`);
}
