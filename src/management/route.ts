import type { z } from 'zod';
import type { Authority } from '../kernel/actor.js';
import type { Page } from '../platform/mongo/page.js';
import type { Bearer } from '../oidc/index.js';
import type { Permission } from './permissions.js';

/** Throws 412 unless the stored thing is still the one that the caller has seen (RFC 9110 §13.1.1). */
export type Precondition = (current: object) => void;

/** One request that is authenticated, permitted and parsed. */
export interface Call<Query, Body> {
  by: Authority;
  bearer: Bearer;
  /** An operator who acts in a tenant that is not theirs. */
  isOperator: boolean;
  /** The tenant of the path; where there is none, that of the token. */
  tenantId: string;
  /** Parts of the path by name. */
  params: Readonly<Record<string, string>>;
  query: Query;
  body: Body;
  /** Of a list. One more than was asked for, so that it is known whether there is a next one. */
  page: Page;
  precondition: Precondition;
  /** Client address, as the edge pinned it. */
  address: string;
}

export interface Answer {
  body?: unknown;
  /** Path under the API of what was made. */
  location?: string;
  /** What `If-Match` is compared with: the stored thing that the body shows. */
  entity?: object;
}

export type Method = 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';

/** One operation of the API, as data: what answers it, the document that describes it and its tests come from here. */
export interface Route {
  method: Method;
  /** Under `/api/v1`; a part that starts with a colon varies. */
  path: string;
  operationId: string;
  summary: string;
  description?: string;
  /** What the token must carry, and its bearer hold in the tenant of the path. */
  permission: Permission;
  /** With which operators may do it in every tenant. */
  operatorPermission?: Permission;
  query?: z.ZodObject;
  body?: z.ZodType;
  response?: z.ZodType;
  /** Answers `{ items, nextCursor }`, with items of `response`. */
  isList?: true;
  status: 200 | 201 | 204;
  handle(call: Call<never, never>): Promise<Answer>;
}

type OutputOf<Schema> = Schema extends z.ZodType ? z.output<Schema> : undefined;

/** A route whose handler is typed by its schemas. */
export function route<
  Query extends z.ZodObject | undefined = undefined,
  Body extends z.ZodType | undefined = undefined,
>(
  definition: Omit<Route, 'query' | 'body' | 'handle'> & {
    query?: Query;
    body?: Body;
    handle(call: Call<OutputOf<Query>, OutputOf<Body>>): Promise<Answer>;
  },
): Route {
  return definition as unknown as Route;
}
