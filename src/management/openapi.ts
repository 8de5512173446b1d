import { z } from 'zod';
import { audienceOf } from './permissions.js';
import type { Route } from './route.js';

const problem = z.object({
  type: z.string(),
  title: z.string(),
  status: z.int(),
  detail: z.string(),
  instance: z.string().describe('Id of the request, as in the logs'),
  code: z.string().describe('Stable; says what was refused'),
  errors: z
    .array(z.object({ pointer: z.string().describe('RFC 6901'), code: z.string(), detail: z.string() }))
    .optional(),
});

const refusals: Readonly<Record<string, string>> = {
  400: 'Something of the request has not the right form',
  401: 'No valid access token for this API',
  403: 'The caller lacks the permission, or rights that this would give',
  404: 'There is no such thing, or the caller may not know of it',
  409: 'It contradicts what is there',
  410: 'It is over',
  429: 'Too many requests',
  503: 'Another try in a moment may succeed',
};

/** OpenAPI 3.1 of the same list that answers (its schemas are JSON Schema 2020-12, as zod writes them). */
export function openApiDocument(routes: readonly Route[], issuer: string): object {
  const paths: Record<string, Record<string, object>> = {};
  for (const route of routes) {
    const path = route.path.replace(/:(\w+)/g, '{$1}');
    (paths[path] ??= {})[route.method.toLowerCase()] = operationOf(route);
  }
  return {
    openapi: '3.1.0',
    info: {
      title: 'Gatehouse management API',
      version: '1',
      description: `Tokens: any grant with \`resource=${audienceOf(issuer)}\` and the permissions as scopes. Lists are pages: \`limit\` and \`cursor\`. \`PATCH\` takes a JSON Merge Patch (RFC 7396) and honours \`If-Match\`, which nothing else takes. \`POST\` honours \`Idempotency-Key\`.`,
    },
    servers: [{ url: `${issuer}/api/v1` }],
    security: [{ oauth: [] }],
    tags: [...new Set(routes.map(tagOf))].map((name) => ({ name })),
    paths,
    components: {
      schemas: { Problem: jsonSchema(problem, 'output') },
      securitySchemes: {
        oauth: { type: 'openIdConnect', openIdConnectUrl: `${issuer}/.well-known/openid-configuration` },
      },
    },
  };
}

function operationOf(route: Route): object {
  const { operationId, summary, description, permission, operatorPermission, status } = route;
  const needs = operatorPermission === undefined ? permission : `${permission}, or ${operatorPermission} in any tenant`;
  return {
    operationId,
    summary,
    description: [description, `Needs \`${needs}\`.`].filter(Boolean).join('\n\n'),
    tags: [tagOf(route)],
    security: [{ oauth: [permission] }],
    parameters: [...pathParameters(route), ...queryParameters(route), ...headerParameters(route)],
    ...(route.body ? { requestBody: bodyOf(route, route.body) } : {}),
    responses: {
      [status]: { description: 'Done', ...(route.response ? contentOf(responseOf(route, route.response)) : {}) },
      ...Object.fromEntries(refusalsOf(route).map(([code, text]) => [code, refusalOf(text)])),
    },
  };
}

function refusalsOf({ method, body }: Route): [string, string][] {
  return [
    ...Object.entries(refusals),
    ...(method === 'PATCH' ? [['412', 'It was changed since the caller read it'] as [string, string]] : []),
    ...(body
      ? ([
          ['413', 'The body is too large'],
          ['415', 'The body is no JSON'],
        ] as [string, string][])
      : []),
    ...(method === 'POST' ? [['422', 'The Idempotency-Key was used with another body'] as [string, string]] : []),
  ];
}

function tagOf({ path }: Route): string {
  const [first = '', , third] = path.split('/').slice(1);
  return first === 'tenants' && third !== undefined && !/^(suspend|activate|archive|type|template)$/.test(third)
    ? third
    : first;
}

function responseOf(route: Route, response: z.ZodType): z.ZodType {
  return route.isList ? z.object({ items: z.array(response), nextCursor: z.string().nullable() }) : response;
}

function bodyOf(route: Route, body: z.ZodType): object {
  const type = route.method === 'PATCH' ? 'application/merge-patch+json' : 'application/json';
  return { required: true, content: { [type]: { schema: jsonSchema(body, 'input') } } };
}

function contentOf(response: z.ZodType): object {
  return { content: { 'application/json': { schema: jsonSchema(response, 'output') } } };
}

function refusalOf(description: string): object {
  const schema = { $ref: '#/components/schemas/Problem' };
  return { description, content: { 'application/problem+json': { schema } } };
}

function pathParameters({ path }: Route): object[] {
  return [...path.matchAll(/:(\w+)/g)].map(([, name]) => ({
    ...{ name, in: 'path', required: true },
    schema: { type: 'string' },
  }));
}

function queryParameters({ query, isList }: Route): object[] {
  const own = Object.entries(query?.shape ?? {}).map(([name, schema]) => ({
    ...{ name, in: 'query', required: !(schema as z.ZodType).safeParse(undefined).success },
    schema: jsonSchema(schema as z.ZodType, 'input'),
  }));
  if (!isList) return own;
  const limit = { name: 'limit', in: 'query', schema: { type: 'integer', minimum: 1, maximum: 100, default: 20 } };
  return [...own, limit, { name: 'cursor', in: 'query', schema: { type: 'string' } }];
}

function headerParameters({ method }: Route): object[] {
  const header = (name: string, description: string): object => ({
    ...{ name, in: 'header', description },
    schema: { type: 'string' },
  });
  if (method === 'POST') return [header('Idempotency-Key', 'Done once for a key, within a day')];
  if (method === 'PATCH') return [header('If-Match', 'The ETag of what was read; refused when it has changed since')];
  return [];
}

function jsonSchema(schema: z.ZodType, io: 'input' | 'output'): object {
  const { $schema: _, ...rest } = z.toJSONSchema(schema, { io, unrepresentable: 'any' });
  return rest;
}
