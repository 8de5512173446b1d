import { boundsOf, type FieldBounds } from './bounds.js';
import { type Document, isOperatorDocument } from './document.js';
import type { IndexDefinition } from './index-definition.js';
import { encodeValue, TypeTag, typeTagOf, valuesEqual } from './value-order.js';

/**
 * Whether everything the filter can match stands in the index. As in mongod, a sparse or partial index serves only
 * filters for which that is certain: a test that forbids full scans must not pass here and fail in production.
 */
export function servesFilter(definition: IndexDefinition, filter: Document): boolean {
  if (definition.sparse) {
    const bounds = boundsOf(filter);
    return definition.fields.some(({ name }) => excludesMissing(bounds.get(name)));
  }
  return definition.partialFilter === null || implies(filter, definition.partialFilter);
}

function implies(filter: Document, partial: Document): boolean {
  const bounds = boundsOf(filter);
  return Object.entries(partial).every(([key, condition]) => {
    if (key === '$and') return (condition as Document[]).every((part) => implies(filter, part));
    if (statesSame(filter, key, condition)) return true;
    if (!isOperatorDocument(condition)) return pointsWithin(bounds.get(key), [condition]);
    return Object.entries(condition).every(([operator, operand]) =>
      impliesOperator(bounds.get(key), operator, operand),
    );
  });
}

function statesSame(filter: Document, key: string, condition: unknown): boolean {
  if (key in filter && valuesEqual(filter[key], condition)) return true;
  const parts = filter['$and'] as Document[] | undefined;
  return parts?.some((part) => statesSame(part, key, condition)) ?? false;
}

function impliesOperator(bounds: FieldBounds | undefined, operator: string, operand: unknown): boolean {
  if (!bounds) return false;
  if (operator === '$eq') return pointsWithin(bounds, [operand]);
  if (operator === '$in') return pointsWithin(bounds, operand as unknown[]);
  if (operator === '$exists') return excludesMissing(bounds);
  if (operator === '$type') return operand === 'string' && everythingHasTag(bounds, TypeTag.string);
  return everythingHasTag(bounds, typeTagOf(operand)) && withinLimit(bounds, operator, encodeValue(operand));
}

function pointsWithin(bounds: FieldBounds | undefined, values: unknown[]): boolean {
  const allowed = new Set(values.map(encodeValue));
  return bounds?.points?.every((point) => allowed.has(point)) ?? false;
}

function excludesMissing(bounds: FieldBounds | undefined): boolean {
  if (bounds?.points) return bounds.points.every((point) => point.charCodeAt(0) !== TypeTag.null);
  return bounds?.tag !== undefined && bounds.tag !== TypeTag.null;
}

function everythingHasTag(bounds: FieldBounds, tag: number): boolean {
  return bounds.points?.every((point) => point.charCodeAt(0) === tag) ?? bounds.tag === tag;
}

function withinLimit(bounds: FieldBounds, operator: string, limit: string): boolean {
  const inclusive = operator.endsWith('e');
  const goesUp = operator.startsWith('$gt');
  const isInside = (encoded: string) =>
    (goesUp ? encoded > limit : encoded < limit) || (inclusive && encoded === limit);
  if (bounds.points) return bounds.points.every(isInside);
  const own = goesUp ? bounds.lower : bounds.upper;
  return own !== undefined && (isInside(own.encoded) || (!own.inclusive && own.encoded === limit));
}
