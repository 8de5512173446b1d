import { z } from 'zod';

type JsonType = 'string' | 'number' | 'boolean' | 'null' | 'array' | 'object';

interface JsonSchema {
  type?: string | string[];
  properties?: Record<string, JsonSchema>;
  required?: string[];
  items?: JsonSchema;
  anyOf?: JsonSchema[];
  enum?: unknown[];
  const?: unknown;
  format?: string;
  pattern?: string;
  maxLength?: number;
  maxItems?: number;
  additionalProperties?: boolean | JsonSchema;
}

/** One member of a body, however deep, and what its schema says of it. */
export interface Member {
  path: readonly (string | number)[];
  /** Alternatives; one unless the schema has several. */
  schemas: readonly JsonSchema[];
}

/** A value in the place of a member. */
export interface Wrong {
  what: string;
  value: unknown;
  /** The name of a member that was put beside what is there, into the value. */
  added?: string;
}

const oneOfEach: Readonly<Record<JsonType, unknown>> = {
  string: 'x',
  number: 7.5,
  boolean: true,
  null: null,
  array: ['x'],
  object: { a: 1 },
};

export const jsonSchemaOf = (schema: z.ZodType): JsonSchema =>
  z.toJSONSchema(schema, { io: 'input', unrepresentable: 'any' }) as JsonSchema;

const alternativesOf = (schema: JsonSchema): JsonSchema[] => schema.anyOf?.flatMap(alternativesOf) ?? [schema];

/** Every member of what this schema describes, and itself. */
export function membersOf(schema: JsonSchema, path: readonly (string | number)[] = []): Member[] {
  const schemas = alternativesOf(schema);
  const below = schemas.flatMap(({ properties = {}, items }) => [
    ...Object.entries(properties).flatMap(([name, each]) => membersOf(each, [...path, name])),
    ...(items ? membersOf(items, [...path, 0]) : []),
  ]);
  return [{ path, schemas }, ...below];
}

export function typesOf({ type, enum: among, const: constant }: JsonSchema): JsonType[] {
  const named = type === undefined ? [] : [type].flat();
  const valued = [...(among ?? []), ...(constant === undefined ? [] : [constant])].map(
    (each) => typeof each as JsonType,
  );
  return [...named, ...(named.length === 0 ? valued : [])].map((each) =>
    each === 'integer' ? 'number' : (each as JsonType),
  );
}

/** What its schema must refuse, and what nothing may ever take. */
export function wrongsOf({ schemas }: Member): Wrong[] {
  const allowed = schemas.flatMap(typesOf);
  // a schema that names no type takes all
  if (allowed.length === 0) return [];
  const types = Object.keys(oneOfEach) as JsonType[];
  const ofOtherTypes = types
    .filter((type) => !allowed.includes(type))
    .map((type) => ({ what: type, value: oneOfEach[type] }));
  const everywhere: Wrong[] = [
    { what: 'an operator', value: { $ne: null } },
    { what: 'another operator', value: { $gt: '' } },
    { what: 'a regular expression', value: { $regex: '^a' } },
    { what: 'an operator in a list', value: ['$where'] },
    { what: 'a dotted key', value: { 'a.b': 1 } },
    { what: 'a prototype', value: JSON.parse('{"__proto__":{"isAdmin":true}}') as unknown },
    { what: 'a constructor', value: { constructor: { prototype: {} } } },
    { what: 'depth', value: nested(40) },
  ];
  return [...ofOtherTypes, ...everywhere, ...schemas.flatMap(beyondBounds), ...schemas.flatMap(beside)];
}

function beyondBounds(schema: JsonSchema): Wrong[] {
  const { enum: among, const: constant, maxLength, maxItems } = schema;
  const [type] = typesOf(schema);
  if (type === 'string') {
    const isOneOf = among !== undefined || constant !== undefined;
    return [
      { what: 'NUL', value: 'a\0b' },
      { what: 'a lone surrogate', value: 'a\ud800b' },
      { what: 'too long', value: 'a'.repeat((maxLength ?? 20_000) + 1) },
      ...(isOneOf ? [{ what: 'another word', value: 'x' }] : []),
    ];
  }
  if (type === 'number') return [1.5, -1, 1e300, 2 ** 53].map((value) => ({ what: String(value), value }));
  if (type === 'array') return [{ what: 'too many', value: Array.from({ length: (maxItems ?? 1000) + 1 }, () => 'x') }];
  return [];
}

const strange = ['unknown', '$where', 'a.b', '__proto__', 'constructor', 'prototype', 'toString', '', 'a/b~c'];

/** Members that the schema does not know, beside those that are there; where it says so it takes them, as of a key. */
function beside({ additionalProperties, properties }: JsonSchema): Wrong[] {
  if (properties === undefined || typeof additionalProperties === 'object') return [];
  return strange
    .filter((name) => !Object.hasOwn(properties, name))
    .map((name) => ({ what: `a member ${JSON.stringify(name)}`, value: 1, added: name }));
}

function nested(depth: number): unknown {
  return depth === 0 ? 1 : { a: nested(depth - 1) };
}

/** The body with this value in the place of the member; what leads there is made where it lacks. */
export function withWrong(body: unknown, path: readonly (string | number)[], { value, added }: Wrong): unknown {
  const [step, ...rest] = path;
  if (step !== undefined) {
    const whole = isObject(body) ? body : typeof step === 'number' ? [] : {};
    const below = withWrong((whole as Record<string, unknown>)[step], rest, {
      what: '',
      value,
      ...(added === undefined ? {} : { added }),
    });
    if (Array.isArray(whole)) return [below, ...(whole as unknown[]).slice(1)];
    return { ...whole, [step]: below };
  }
  if (added === undefined) return value;
  const copy: object = isObject(body) ? { ...body } : {};
  // `__proto__` as JSON has it: a member like any other
  Object.defineProperty(copy, added, { value, enumerable: true });
  return copy;
}

const isObject = (value: unknown): value is object => typeof value === 'object' && value !== null;

export const pointerTo = (path: readonly (string | number)[]): string =>
  path.map((step) => `/${String(step).replaceAll('~', '~0').replaceAll('/', '~1')}`).join('');
