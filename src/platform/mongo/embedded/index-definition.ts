import { isDocument, isOperatorDocument, type Document } from './document.js';
import { CommandError, notSupported } from './errors.js';
import { compileFilter } from './match.js';
import { fieldOf, parsePath, valuesAt } from './paths.js';
import { parseSort, type SortField } from './sort.js';
import { encodeValue, valuesEqual } from './value-order.js';

export interface IndexDefinition {
  readonly name: string;
  readonly fields: readonly SortField[];
  readonly unique: boolean;
  readonly sparse: boolean;
  /** Equalities and `{ $exists: true }` only. */
  readonly partialFilter: Document | null;
  readonly expireAfterSeconds: number | null;
  /** As `listIndexes` shows it, and as the journal keeps it. */
  readonly specification: Document;
  /** The fields at the top of a document that its keys come from. */
  readonly sources: readonly string[];
  /**
   * The keys under which a document stands in the index; none if the index does not cover it. Always in ascending
   * order: an index is read backwards for the other direction.
   */
  keysOf(document: Document): string[];
}

const OPTIONS = ['v', 'key', 'name', 'unique', 'sparse', 'partialFilterExpression', 'expireAfterSeconds', 'background'];
const MAX_EXPIRY_SECONDS = 2147483647;

export function idIndexDefinition(): IndexDefinition {
  return parseIndexDefinition({ key: { _id: 1 }, name: '_id_' });
}

export function parseIndexDefinition(requested: Document): IndexDefinition {
  const unknown = Object.keys(requested).find((option) => !OPTIONS.includes(option));
  if (unknown !== undefined) throw notSupported(`the index option '${unknown}'`);
  const specification = normalised(requested);
  const { name, key, unique, sparse, partialFilterExpression, expireAfterSeconds } = specification;
  const fields = parseSort(key);
  if (typeof name !== 'string' || name === '') throw cannotCreate("an index needs a 'name'");
  if (fields.length === 0) throw cannotCreate('an index key cannot be empty');
  if (sparse && partialFilterExpression) throw cannotCreate('an index cannot be both partial and sparse');
  if (partialFilterExpression !== undefined) assertPartialFilter(partialFilterExpression);
  if (expireAfterSeconds !== undefined) assertExpiry(expireAfterSeconds, fields);
  const definition = {
    name,
    fields,
    unique: unique === true || isIdKey(key),
    sparse: sparse === true,
    partialFilter: (partialFilterExpression as Document | undefined) ?? null,
    expireAfterSeconds: (expireAfterSeconds as number | undefined) ?? null,
    specification,
    sources: sourcesOf(fields, partialFilterExpression as Document | undefined),
  };
  return { ...definition, keysOf: keysFunction(definition) };
}

export function isIdKey(key: unknown): boolean {
  return valuesEqual(key, { _id: 1 });
}

/**
 * True if the wanted index is there already. Another one in its place is an error; equal keys may be indexed twice only
 * if the partial filters differ, as in mongod.
 */
export function isSameIndex(existing: IndexDefinition, wanted: IndexDefinition): boolean {
  if (valuesEqual(existing.specification, wanted.specification)) return true;
  const hasSameKey = valuesEqual(existing.specification['key'], wanted.specification['key']);
  const shown = JSON.stringify(existing.specification);
  if (hasSameKey && valuesEqual(existing.partialFilter, wanted.partialFilter)) {
    throw new CommandError('IndexOptionsConflict', `The index exists with another name or options: ${shown}`);
  }
  if (existing.name !== wanted.name) return false;
  throw new CommandError('IndexKeySpecsConflict', `Another index has this name: ${shown}`);
}

/**
 * Whether both have the same keys for certain. Versions of a document share what an update did not touch, so this is
 * told without making the keys.
 */
export function isUntouched({ sources }: IndexDefinition, before: Document, after: Document): boolean {
  return sources.every((field) => fieldOf(before, field) === fieldOf(after, field));
}

/** `{ tenantId: …, email: … }` with the values that make this one of its keys, for E11000. */
export function keyValueOf({ fields }: IndexDefinition, document: Document, key: string): Document {
  const keyValue: Document = {};
  let at = 0;
  for (const { name, path } of fields) {
    const { values } = valuesAt(document, path);
    keyValue[name] = values.find((value) => key.startsWith(encodeValue(value), at));
    at += encodeValue(keyValue[name]).length;
  }
  return keyValue;
}

/** Falsy options are dropped and `background` is ignored by mongod, so they do not make an index a different one. */
function normalised(requested: Document): Document {
  const { key, name, unique, sparse, partialFilterExpression, expireAfterSeconds } = requested;
  return {
    v: 2,
    key,
    name,
    ...(unique ? { unique: true } : {}),
    ...(sparse ? { sparse: true } : {}),
    ...(partialFilterExpression === undefined ? {} : { partialFilterExpression }),
    ...(expireAfterSeconds === undefined ? {} : { expireAfterSeconds }),
  };
}

function assertExpiry(expiry: unknown, fields: SortField[]): void {
  if (typeof expiry !== 'number' || expiry < 0 || expiry > MAX_EXPIRY_SECONDS) {
    throw cannotCreate(`'expireAfterSeconds' must be between 0 and ${MAX_EXPIRY_SECONDS}`);
  }
  if (fields.length > 1 || fields[0]!.name === '_id') throw cannotCreate('a TTL index has one field, and not _id');
}

function assertPartialFilter(filter: unknown): void {
  if (!isDocument(filter)) throw cannotCreate("'partialFilterExpression' must be an object");
  for (const [key, condition] of Object.entries(filter)) {
    const isKnown = !isOperatorDocument(condition) || valuesEqual(condition, { $exists: true });
    if (key.startsWith('$') || !isKnown) {
      throw notSupported(`${JSON.stringify({ [key]: condition })} as partial filter of an index`);
    }
  }
}

function sourcesOf(fields: readonly SortField[], partialFilter: Document = {}): string[] {
  const paths = [...fields.map(({ name }) => name), ...Object.keys(partialFilter)];
  return [...new Set(paths.map((path) => parsePath(path)[0]!))];
}

function cannotCreate(reason: string): CommandError {
  return new CommandError('CannotCreateIndex', reason);
}

function keysFunction({ fields, sparse, partialFilter }: Omit<IndexDefinition, 'keysOf'>): IndexDefinition['keysOf'] {
  const covers = partialFilter && compileFilter(partialFilter);
  return (document) => {
    if (covers && !covers(document)) return [];
    if (sparse && !fields.some(({ path }) => valuesAt(document, path).found)) return [];
    return combineKeys(document, fields);
  };
}

function combineKeys(document: Document, fields: readonly SortField[]): string[] {
  let keys = [''];
  let arrayField = '';
  for (const { name, path } of fields) {
    const { values, throughArray } = valuesAt(document, path);
    if (throughArray && arrayField) {
      throw new CommandError('CannotIndexParallelArrays', `cannot index parallel arrays [${name}] [${arrayField}]`);
    }
    if (throughArray) arrayField = name;
    const parts = values.map(encodeValue);
    keys = keys.flatMap((key) => parts.map((part) => key + part));
  }
  return keys.length === 1 ? keys : [...new Set(keys)];
}
