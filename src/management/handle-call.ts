import type { Context } from 'koa';
import type { z } from 'zod';
import type { Authority } from '../kernel/actor.js';
import { AppError, invalidInput } from '../kernel/errors.js';
import type { Bearer } from '../oidc/index.js';
import type { Quota } from '../platform/limits/address-limits.js';
import { secondsAfter, type Clock } from '../kernel/time.js';
import { insufficientScopeChallenge, type Authenticated } from './authenticate.js';
import type { Cursors } from './cursor.js';
import { etagOf, preconditionOf, requireNoPrecondition } from './etag.js';
import type { KeptAnswer, Once } from './idempotency.js';
import { readJson, type JsonLimits } from '../platform/http/json-body.js';
import { addressNotAllowed, insufficientScope } from './management-errors.js';
import { notFound } from '../platform/http/http-errors.js';
import type { Answer, Call, Route } from './route.js';

export interface HandleCallDeps {
  issuer: string;
  now: Clock;
  authenticate(ctx: Context): Promise<Authenticated>;
  /** Of one user or service account. */
  quota: Quota;
  /** Of requests without a good token, of one address. */
  refusals: Quota;
  cursors: Cursors;
  once: Once;
  limits: JsonLimits;
  /** By its id: there is one, and it is not deleted. */
  isTenant(id: string): Promise<boolean>;
  /** Throws 400 with pointers. */
  parsed<Schema extends z.ZodType>(schema: Schema, input: unknown): z.output<Schema>;
}

const defaultPageSize = 20;
const maximumPageSize = 100;

/** Id of a tenant, of a user … as it may stand in a path; whatever else stands there names nothing. */
const idPattern = /^[\w.~:%-]{1,200}$/;

/** How long a body may take to come until who sends it is asked about again, in seconds. */
const shortWhile = 1;

/** Always in this order: who, which tenant, whether they may, what they sent; then the work. */
export async function handleCall(deps: HandleCallDeps, route: Route, ctx: Context): Promise<void> {
  const caller = await refusalsCounted(deps, ctx, () => deps.authenticate(ctx));
  const refusal = await deps.quota.take(ctx.res, subjectOf(caller.bearer));
  if (refusal) throw refusal;
  const params = (ctx as unknown as { params: Record<string, string> }).params;
  const { tenantId } = params;
  const admitted = await admit(deps, ctx, { route, params, bearer: caller.bearer });
  const { limit, query } = readQuery(deps, route, ctx);
  const begun = deps.now();
  const body = await readBody(deps, route, ctx);
  // nobody unknown is read, and nobody acts by holding back a body until their rights are gone
  const isSlow = secondsAfter(begun, shortWhile) < deps.now();
  const { bearer, isOperator } = isSlow
    ? await admit(deps, ctx, { route, params, bearer: await refusalsCounted(deps, ctx, caller.askAgain) })
    : admitted;
  const scope = [route.operationId, bearer.authorization.tenant.id, ...Object.values(params)];
  const cursor = ctx.query['cursor'] as string | undefined;
  const filter = JSON.stringify(query ?? {});
  const after = cursor === undefined ? {} : { after: deps.cursors.read([...scope, filter], cursor) };
  const call: Call<unknown, unknown> = {
    ...{ by: authorityOf(bearer, isOperator && tenantId !== undefined), bearer, isOperator, params, query, body },
    tenantId: tenantId ?? bearer.authorization.tenant.id,
    page: { limit: limit + 1, ...after },
    precondition: preconditionOf(ctx.get('If-Match')),
    address: ctx.ip,
  };
  if (route.method !== 'PATCH') requireNoPrecondition(ctx.get('If-Match'));
  const work = async (): Promise<KeptAnswer> => {
    const answer = await route.handle(call as Call<never, never>);
    return kept(route, answer, (last) => deps.cursors.write([...scope, filter], last), limit);
  };
  const key = ctx.get('Idempotency-Key');
  const isKeyed = route.method === 'POST' && key !== '';
  if (isKeyed && !/^[\x21-\x7e]{1,255}$/.test(key)) throw badIdempotencyKey();
  const subject = subjectOf(bearer);
  write(ctx, isKeyed ? await deps.once({ scope: [...scope, subject], key, body }, work) : await work());
}

async function refusalsCounted<Found>(deps: HandleCallDeps, ctx: Context, ask: () => Promise<Found>): Promise<Found> {
  try {
    return await ask();
  } catch (error) {
    if (!(error instanceof AppError) || error.status !== 401) throw error;
    const refusal = await deps.refusals.take(ctx.res, ctx.ip);
    throw refusal ?? error;
  }
}

/** Whether this is open to them, from here, and as whom. */
async function admit(
  deps: HandleCallDeps,
  ctx: Context,
  { route, params, bearer }: { route: Route; params: Record<string, string>; bearer: Bearer },
): Promise<{ bearer: Bearer; isOperator: boolean }> {
  if (!bearer.authorization.admits(ctx.ip)) throw addressNotAllowed();
  if (Object.values(params).some((value) => !idPattern.test(value))) throw notFound();
  const { tenantId } = params;
  const isOperator = requirePermission(deps, ctx, { route, bearer, tenantId });
  // whoever acts at home is in it; elsewhere an id may name nothing
  if (isOperator && tenantId !== undefined && !(await deps.isTenant(tenantId))) throw notFound();
  return { bearer, isOperator };
}

function subjectOf({ subject }: Bearer): string {
  return subject.kind === 'user' ? subject.userId : subject.clientId;
}

/**
 * True for an operator where it is not about their own tenant: at home they are whoever their roles make them. Whoever may not read other tenants is not told that there are
 * any: one is answered like one that does not exist.
 */
function requirePermission(
  deps: HandleCallDeps,
  ctx: Context,
  { route, bearer, tenantId }: { route: Route; bearer: Bearer; tenantId: string | undefined },
): boolean {
  const isAtHome = tenantId === bearer.authorization.tenant.id;
  const isOwn = isAtHome || tenantId === undefined;
  const asOperator = route.operatorPermission;
  if (!isAtHome && asOperator !== undefined && holds(bearer, asOperator)) return true;
  if (!isOwn && !holds(bearer, 'platform:tenants:read')) throw notFound();
  if (isOwn && holds(bearer, route.permission)) return false;
  const needed = isOwn ? route.permission : (asOperator ?? route.permission);
  ctx.set('WWW-Authenticate', insufficientScopeChallenge(deps.issuer, needed));
  throw insufficientScope(needed);
}

/** The token carries it, and who holds the token has it still; what is about their own account is every person's. */
function holds({ scopes, authorization, subject }: Bearer, permission: string): boolean {
  if (!scopes.includes(permission)) return false;
  return permission.startsWith('account:') ? subject.kind === 'user' : authorization.allows(permission);
}

/** Nobody gives what they lack. What only operators decide takes the scope too: a token may be meant for less. */
function authorityOf({ subject, authorization, scopes }: Bearer, isOperator: boolean): Authority {
  const actor =
    subject.kind === 'user'
      ? ({ kind: 'user', userId: subject.userId } as const)
      : ({ kind: 'service_account', clientId: subject.clientId } as const);
  const ofOperators = (name: string): boolean =>
    authorization.allows(name) && (name.includes('*') || scopes.includes(name));
  const answersFor = subject.kind === 'user' ? subject.userId : authorization.answeredForBy;
  return {
    actor,
    // who is no member answers for nothing in it
    answersFor: isOperator ? null : answersFor,
    roles: isOperator ? ['owner'] : authorization.roles,
    allows: (name) => (name.startsWith('platform:') ? ofOperators(name) : isOperator || authorization.allows(name)),
  };
}

function readQuery(deps: HandleCallDeps, route: Route, ctx: Context): { limit: number; query: unknown } {
  const { limit: limitText, cursor, ...others } = { ...ctx.query };
  const repeated = Object.entries(ctx.query).find(([, value]) => Array.isArray(value));
  if (repeated) throw badQuery(repeated[0], 'must be there once');
  if (!route.isList && limitText !== undefined) throw badQuery('limit', 'is not known here');
  if (!route.isList && cursor !== undefined) throw badQuery('cursor', 'is not known here');
  const [unknown] = route.query ? [] : Object.keys(others);
  if (unknown !== undefined) throw badQuery(unknown, 'is not known here');
  const limit = limitText === undefined ? defaultPageSize : /^\d{1,3}$/.test(String(limitText)) ? Number(limitText) : 0;
  if (limit < 1 || limit > maximumPageSize) throw badQuery('limit', `must be from 1 to ${maximumPageSize}`);
  return { limit, query: route.query ? deps.parsed(route.query, others) : undefined };
}

async function readBody(deps: HandleCallDeps, route: Route, ctx: Context): Promise<unknown> {
  const body = await readJson(ctx, deps.limits);
  if (route.body) return deps.parsed(route.body, body);
  const isNothing = body === undefined || (typeof body === 'object' && body !== null && Object.keys(body).length === 0);
  if (isNothing) return undefined;
  throw invalidInput([], 'This takes no body.');
}

function badQuery(name: string, detail: string): AppError {
  const pointer = `/${name.replaceAll('~', '~0').replaceAll('/', '~1')}`;
  return invalidInput([{ pointer, code: 'invalid', detail }], 'The query has not the right form.');
}

function badIdempotencyKey(): AppError {
  return new AppError('idempotency.bad_key', {
    status: 400,
    detail: 'Idempotency-Key has 1 to 255 visible characters.',
  });
}

function kept(route: Route, answer: Answer, cursorAt: (last: string) => string, limit: number): KeptAnswer {
  const headers: Record<string, string> = {};
  if (answer.location !== undefined) headers['Location'] = `/api/v1${answer.location}`;
  if (answer.entity) headers['ETag'] = etagOf(answer.entity);
  if (!route.isList) return { status: route.status, headers, body: answer.body };
  const found = answer.body as { key: string; item: unknown }[];
  const shown = found.slice(0, limit);
  const last = shown.at(-1);
  const nextCursor = found.length > limit && last ? cursorAt(last.key) : null;
  return { status: route.status, headers, body: { items: shown.map(({ item }) => item), nextCursor } };
}

function write(ctx: Context, { status, headers, body }: KeptAnswer): void {
  ctx.set(headers);
  ctx.status = status;
  if (status === 204) return;
  ctx.body = JSON.stringify(body);
  ctx.type = 'application/json';
}
