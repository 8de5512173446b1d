import { type Document, isDocument } from './document.js';
import { CommandError, badValue } from './errors.js';
import { parsePath } from './paths.js';

export type Projection = (document: Document) => Document;

/** The named fields as a tree: `{ a: { b: true } }` for `a.b`. */
interface Tree {
  [field: string]: Tree | true;
}

/** Inclusion or exclusion of plain paths; `_id` may differ from the rest. Everything else is refused by name. */
export function compileProjection(specification: Document | undefined): Projection | null {
  const { _id: idFlag, ...fields } = specification ?? {};
  const paths = Object.keys(fields);
  const modes = new Set(paths.map((path) => flagOf(path, fields[path])));
  if (modes.size > 1)
    throw new CommandError(31254, `Cannot mix inclusion and exclusion in a projection: ${paths.join(', ')}`);
  const withId = idFlag === undefined ? undefined : flagOf('_id', idFlag);
  if (paths.length === 0 && withId === undefined) return null;

  const including = modes.has(true) || (paths.length === 0 && withId === true);
  const tree: Tree = Object.create(null) as Tree;
  for (const path of paths) addPath(tree, path);
  if (including) {
    if (withId !== false) tree['_id'] = true;
    return (document) => include(document, tree);
  }
  if (withId === false) tree['_id'] = true;
  return (document) => exclude(document, tree);
}

function flagOf(path: string, value: unknown): boolean {
  if (typeof value === 'boolean') return value;
  if (typeof value === 'number') return value !== 0;
  const operator = isDocument(value) ? Object.keys(value)[0] : undefined;
  throw badValue(`The projection of '${path}' with ${operator ?? JSON.stringify(value)} is not supported`);
}

function addPath(tree: Tree, path: string): void {
  const components = parsePath(path);
  let branch = tree;
  for (const component of components.slice(0, -1)) {
    const next = (branch[component] ??= Object.create(null) as Tree);
    if (next === true) throw new CommandError(31249, `Path collision at ${path}`);
    branch = next;
  }
  const last = components.at(-1)!;
  if (branch[last] !== undefined) throw new CommandError(31250, `Path collision at ${path}`);
  branch[last] = true;
}

function include(document: Document, tree: Tree): Document {
  const result: Document = {};
  for (const field of Object.keys(document)) {
    const branch = tree[field];
    if (branch === undefined) continue;
    if (branch === true) result[field] = document[field];
    else if (isDocument(document[field]) || Array.isArray(document[field])) {
      result[field] = below(document[field], branch, include);
    }
  }
  return result;
}

function exclude(document: Document, tree: Tree): Document {
  const result: Document = {};
  for (const field of Object.keys(document)) {
    const branch = tree[field];
    if (branch === undefined) result[field] = document[field];
    else if (branch !== true) result[field] = below(document[field], branch, exclude);
  }
  return result;
}

/** Arrays on the way are projected element by element; an inclusion drops their scalars. */
function below(value: unknown, branch: Tree, project: typeof include): unknown {
  if (isDocument(value)) return project(value, branch);
  if (!Array.isArray(value)) return value;
  return value
    .filter((element) => project === exclude || isDocument(element) || Array.isArray(element))
    .map((element) => below(element, branch, project));
}
