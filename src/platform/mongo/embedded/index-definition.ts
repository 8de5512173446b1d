import { type Document, isDocument, isOperatorDocument } from './document.js';
import { CommandError, badValue, failedToParse } from './errors.js';
import { compileFilter, filtersOf, type Predicate } from './match.js';
import { type Path, parsePath, valuesAt } from './paths.js';
import { complement, encodeValue, valuesEqual } from './value-order.js';

export interface IndexField {
  readonly name: string;
  readonly path: Path;
  readonly descending: boolean;
}

export interface IndexDefinition {
  readonly name: string;
  readonly fields: readonly IndexField[];
  readonly unique: boolean;
  readonly sparse: boolean;
  readonly partialFilter: Document | null;
  readonly expireAfterSeconds: number | null;
  /** As `listIndexes` shows it, and as the journal keeps it. */
  readonly specification: Document;
  /** The keys under which a document stands in the index; none if the index does not cover it. */
  keysOf(document: Document): string[];
}

const KNOWN_OPTIONS = [
  'v',
  'key',
  'name',
  'unique',
  'sparse',
  'partialFilterExpression',
  'expireAfterSeconds',
  'background',
];
const PARTIAL_OPERATORS = ['$eq', '$gt', '$gte', '$lt', '$lte', '$in', '$type', '$exists'];
const MAX_EXPIRY_SECONDS = 2147483647;

export const ID_INDEX_SPECIFICATION: Document = { v: 2, key: { _id: 1 }, name: '_id_' };

export function parseIndexDefinition(specification: Document): IndexDefinition {
  for (const option of Object.keys(specification)) {
    if (KNOWN_OPTIONS.includes(option)) continue;
    throw new CommandError(197, `The field '${option}' is not valid for an index specification, or not supported here`);
  }
  const { key, name, partialFilterExpression: partial, expireAfterSeconds: expiry } = specification;
  if (typeof name !== 'string' || name === '')
    throw failedToParse("The 'name' field is a required property of an index specification");
  const fields = parseFields(key);
  if (partial !== undefined) assertPartialFilter(partial);
  if (expiry !== undefined) assertExpiry(expiry, fields);
  const definition = {
    name,
    fields,
    unique: booleanOption(specification, 'unique') || isIdPattern(key),
    sparse: booleanOption(specification, 'sparse'),
    partialFilter: (partial as Document | undefined) ?? null,
    expireAfterSeconds: (expiry as number | undefined) ?? null,
    specification: listed(specification),
  };
  if (definition.sparse && definition.partialFilter) {
    throw new CommandError(67, 'cannot mix "partialFilterExpression" and "sparse" options');
  }
  return { ...definition, keysOf: keysFunction(definition) };
}

/** The same index under the same name: creating it again does nothing. */
export function isSameIndex(a: IndexDefinition, b: IndexDefinition): boolean {
  return valuesEqual(a.specification, b.specification);
}

export function hasSameKeyPattern(a: IndexDefinition, b: IndexDefinition): boolean {
  return valuesEqual(a.specification['key'], b.specification['key']);
}

export function isIdPattern(key: unknown): boolean {
  return valuesEqual(key, { _id: 1 });
}

/** `{ tenantId: 1, email: 1 }` with the values that clash, for E11000. */
export function keyValueOf(definition: IndexDefinition, document: Document): Document {
  return Object.fromEntries(definition.fields.map(({ name, path }) => [name, valuesAt(document, path).values[0]]));
}

function parseFields(key: unknown): IndexField[] {
  if (!isDocument(key) || Object.keys(key).length === 0) throw new CommandError(67, 'Index keys cannot be empty.');
  return Object.keys(key).map((name) => {
    const direction = key[name];
    if (direction !== 1 && direction !== -1) {
      throw new CommandError(
        67,
        `The index kind ${JSON.stringify(direction)} of '${name}' is not supported (1 and -1 are)`,
      );
    }
    return { name, path: parsePath(name), descending: direction === -1 };
  });
}

/** Falsy options are dropped and `background` is ignored by mongod, so they do not make an index a different one. */
function listed(specification: Document): Document {
  const { key, name, unique, sparse, partialFilterExpression, expireAfterSeconds } = specification;
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

function booleanOption(specification: Document, option: string): boolean {
  const value = specification[option];
  if (value === undefined || typeof value === 'boolean' || typeof value === 'number') return Boolean(value);
  throw new CommandError(
    14,
    `The field '${option}' has value ${JSON.stringify(value)}, which is not convertible to bool`,
  );
}

function assertExpiry(expiry: unknown, fields: IndexField[]): void {
  if (typeof expiry !== 'number' || expiry < 0 || expiry > MAX_EXPIRY_SECONDS) {
    throw new CommandError(67, `TTL index 'expireAfterSeconds' must be between 0 and ${MAX_EXPIRY_SECONDS}`);
  }
  if (fields.length > 1)
    throw new CommandError(67, 'TTL indexes are single-field indexes, compound indexes do not support TTL.');
  if (fields[0]!.name === '_id')
    throw new CommandError(67, "The field 'expireAfterSeconds' is not valid for an _id index specification");
}

function assertPartialFilter(filter: unknown): void {
  if (!isDocument(filter)) throw badValue("The field 'partialFilterExpression' must be an object");
  for (const [key, condition] of Object.entries(filter)) {
    if (key === '$and') filtersOf(key, condition).forEach(assertPartialFilter);
    else if (key.startsWith('$')) throw unsupportedPartial(key);
    else if (isOperatorDocument(condition)) {
      for (const [operator, operand] of Object.entries(condition)) {
        if (!PARTIAL_OPERATORS.includes(operator) || (operator === '$exists' && !operand))
          throw unsupportedPartial(operator);
      }
    }
  }
  compileFilter(filter);
}

function unsupportedPartial(operator: string): CommandError {
  return new CommandError(67, `unsupported expression in partial index: ${operator}`);
}

function keysFunction(definition: Omit<IndexDefinition, 'keysOf'>): (document: Document) => string[] {
  const { fields, sparse, partialFilter } = definition;
  const covers: Predicate | null = partialFilter && compileFilter(partialFilter);
  return (document) => {
    if (covers && !covers(document)) return [];
    if (sparse && !fields.some(({ path }) => isPresentAt(document, path))) return [];
    return combineKeys(document, fields);
  };
}

function isPresentAt(document: Document, path: Path): boolean {
  return valuesAt(document, path).found;
}

function combineKeys(document: Document, fields: readonly IndexField[]): string[] {
  let keys = [''];
  let arrayField = '';
  for (const { name, path, descending } of fields) {
    const { values, throughArray } = valuesAt(document, path);
    if (throughArray && arrayField)
      throw new CommandError(171, `cannot index parallel arrays [${name}] [${arrayField}]`);
    if (throughArray) arrayField = name;
    const parts = values.map((value) => (descending ? complement(encodeValue(value)) : encodeValue(value)));
    keys =
      parts.length === 1 ? keys.map((key) => key + parts[0]!) : keys.flatMap((key) => parts.map((part) => key + part));
  }
  return keys.length === 1 ? keys : [...new Set(keys)];
}
