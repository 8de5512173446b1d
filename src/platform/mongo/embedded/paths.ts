import { type Document, isDocument } from './document.js';
import { CommandError, badValue } from './errors.js';

export type Path = readonly string[];

const ARRAY_POSITION = /^(0|[1-9]\d*)$/;

export function isArrayPosition(component: string): boolean {
  return ARRAY_POSITION.test(component);
}

/** Splits `a.b.c`; positional parts (`$`, `$[]`) are not supported and say so. */
export function parsePath(path: string): Path {
  const components = path.split('.');
  for (const component of components) {
    if (component === '')
      throw new CommandError(56, `The path '${path}' contains an empty field name, which is not allowed.`);
    if (component.startsWith('$')) throw badValue(`The path '${path}' uses '${component}', which is not supported`);
    if (component === '__proto__') throw badValue(`The path '${path}' uses '__proto__', which is not supported`);
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
    if (isArrayPosition(component) && Number(component) < value.length) {
      if (someAt(value[Number(component)], path, visit, depth + 1)) return true;
    }
    return value.some((element) => isDocument(element) && someAt(element, path, visit, depth));
  }
  if (!isDocument(value)) return visit(undefined);
  return someAt(fieldOf(value, component), path, visit, depth + 1);
}

export function fieldOf(document: Document, field: string): unknown {
  return Object.hasOwn(document, field) ? document[field] : undefined;
}

/** Stands for the missing element of an empty array. */
const EMPTY_ARRAY = Symbol('empty array');

interface ValuesAt {
  /** Never empty: nothing found counts as null. */
  readonly values: unknown[];
  readonly throughArray: boolean;
  readonly found: boolean;
}

/** All that `path` leads to, arrays opened: what an index or a sort keeps of a document. */
export function valuesAt(document: Document, path: Path): ValuesAt {
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
