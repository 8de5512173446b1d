import Router from '@koa/router';
import type { Context } from 'koa';
import { z } from 'zod';
import type { Connection, SignInFailure, UpstreamPerson } from '../connections/index.js';
import { domainOf } from '../kernel/email.js';
import { AppError } from '../kernel/errors.js';
import { connectionIdPattern, interactionUidPattern } from '../kernel/patterns.js';
import { readFormText } from '../platform/http/form-body.js';
import { oneSpelling } from '../platform/http/http-errors.js';
import { noConnection, offeredConnections, tenantNamed } from './offered-connections.js';
import {
  bindingOf,
  exchangeOf,
  firstFactorGiven,
  open,
  pageOf,
  seeOther,
  throughOf,
  type OpenInteraction,
} from './parts-of-routes.js';
import type { SignInDeps } from './sign-in-deps.js';

const startForm = z.strictObject({ connection: z.string().max(64) });
/** What of a provider's answer is looked at. */
const answerMembers: readonly string[] = ['state', 'code', 'iss', 'error', 'user'];
/** Of a name that comes along with the answer, as JSON. */
const longestUser = 1000;
const callbackPath = '/connections/callback/:connectionId';
/** In the place of the id of a sign-in: the answer is for the portal. */
const portalPlace = 'account';
const portalPath = '/account/identities/return';

const problems = {
  over: { status: 400, text: 'connection.over' },
  closed: { status: 403, text: 'connection.closed' },
  denied: { status: 200, text: 'connection.denied' },
  unavailable: { status: 503, text: 'connection.unavailable' },
  invalid: { status: 400, text: 'connection.invalid' },
  unknown: { status: 403, text: 'connection.unknown' },
  elsewhere: { status: 403, text: 'connection.elsewhere' },
  full: { status: 409, text: 'connection.full' },
} as const;
type Problem = keyof typeof problems;

/** The way to an upstream provider and back, and who comes back from it. */
export function connectionRoutes(deps: SignInDeps): Router {
  const router = new Router(oneSpelling);
  router.post('/sign-in/:uid/connection', (ctx) => start(deps, ctx));
  router.get('/sign-in/:uid/connection', (ctx) => finish(deps, ctx));
  router.get(callbackPath, (ctx) => forward(deps, ctx, new URLSearchParams(ctx.querystring)));
  // by form_post it comes from the provider's page, and so without the cookies of this site
  router.post(callbackPath, async (ctx) =>
    forward(deps, ctx, new URLSearchParams(await readFormText(ctx, deps.formLimits))),
  );
  return router;
}

async function start(deps: SignInDeps, ctx: Context): Promise<void> {
  const interaction = await open(deps, ctx, 'login');
  const { connection: id } = await deps.forms.read(ctx, bindingOf(interaction), startForm);
  if (id === noConnection) {
    await deps.interactions.begunAnew(exchangeOf(ctx));
    return seeOther(ctx, `/sign-in/${interaction.uid}`);
  }
  const connection = (await offeredConnections(deps, interaction)).find((offered) => offered.id === id);
  if (!connection) return showProblem(deps, ctx, interaction, 'closed');
  return goToProvider(deps, ctx, interaction, connection);
}

/** Sends the browser to the provider; it comes back to `finish`. */
export async function goToProvider(
  deps: SignInDeps,
  ctx: Context,
  interaction: OpenInteraction,
  connection: Connection,
): Promise<void> {
  const begun = await deps.connections.begin(connection, {
    ...{ place: interaction.uid, browserId: deps.browserIds.ensure(ctx), loginHint: interaction.loginHint },
    // somebody is signed in and is asked all the same
    isFresh: interaction.userId !== undefined,
  });
  if (begun.outcome === 'failed') return fail(deps, ctx, interaction, { connection, failure: begun.failure });
  seeOther(ctx, begun.value);
}

/**
 * To where it was begun, with the connection as which it came in. Nothing is decided here: the cookies of that sign-in
 * are sent to its own path alone.
 */
function forward(deps: SignInDeps, ctx: Context, answer: URLSearchParams): void {
  const { connectionId } = (ctx as unknown as { params: { connectionId: string } }).params;
  const place = deps.connections.placeOfState(answer.get('state') ?? '');
  const isRepeated = answerMembers.some((name) => answer.getAll(name).length > 1);
  const isOfSignIn = place !== null && interactionUidPattern.test(place);
  const isKnown = !isRepeated && connectionIdPattern.test(connectionId) && (place === portalPlace || isOfSignIn);
  if (!isKnown)
    throw new AppError('connection.unknown_answer', {
      status: 400,
      detail: 'This answer of a provider belongs to no sign-in here. Go back to the app and start again.',
    });
  const isKept = ([name, { length }]: [string, string]): boolean =>
    answerMembers.includes(name) && (name !== 'user' || length <= longestUser);
  const kept = new URLSearchParams([...answer].filter(isKept));
  kept.set('connection', connectionId);
  seeOther(ctx, `${place === portalPlace ? portalPath : `/sign-in/${place}/connection`}?${kept.toString()}`);
}

async function finish(deps: SignInDeps, ctx: Context): Promise<void> {
  const interaction = await open(deps, ctx, 'login');
  const answer = new URLSearchParams(ctx.querystring);
  const at = { place: interaction.uid, browserId: deps.browserIds.ensure(ctx) };
  // named twice it is nobody's
  const named = { state: answer.get('state') ?? '', connectionId: answer.getAll('connection').join() };
  const transaction = await deps.connections.take(named, at);
  if (!transaction) return showProblem(deps, ctx, interaction, 'over');
  // as it is by now: it may have been closed while the person was away
  const connection = await deps.connections.findUsable(transaction, interaction.client.clientId);
  const { tenantId, connectionId } = transaction;
  if (!connection)
    return fail(deps, ctx, interaction, { connection: { id: connectionId, tenantId }, failure: 'closed' });
  const finished = await deps.connections.finish(connection, transaction, answer);
  if (finished.outcome === 'failed') return fail(deps, ctx, interaction, { connection, failure: finished.failure });
  return arrive(deps, ctx, interaction, { connection, person: finished.value });
}

async function arrive(
  deps: SignInDeps,
  ctx: Context,
  interaction: OpenInteraction,
  { connection, person }: { connection: Connection; person: UpstreamPerson },
): Promise<void> {
  const reference = { tenantId: connection.tenantId, connectionId: connection.id };
  const isOfPlatform = await deps.connections.isOfPlatform(connection);
  const domain = isOfPlatform ? null : await deps.findDomainVouching(connection, person);
  const isTakenIn = domain !== null && domain.joinRoles !== null;
  const arrival = { connection, person, isOfPlatform, through: throughOf(interaction) };
  const result = await deps.accounts.arriveByProvider({ ...arrival, isOfDomain: domain !== null, isTakenIn });
  if (result.outcome === 'known') {
    const { user } = result;
    if (!(await deps.homeRealms.maySignInWith(user, connection.id)))
      return fail(deps, ctx, interaction, { connection, failure: 'elsewhere' });
    if (isTakenIn && (await deps.joinByDomain({ userId: user.id, connection, person })) === 'full')
      return fail(deps, ctx, interaction, { connection, failure: 'full' });
    const isHome = domain?.name === domainOf(user.email);
    const isWhole = isOfPlatform || (isHome && (await isForWhole(deps, interaction, { connection, person })));
    const isVerified = person.hasSecondLevel && (isOfPlatform || !isWhole);
    const { federatedProof } = deps.assurance;
    return firstFactorGiven(deps, ctx, interaction, {
      user,
      proof: { ...federatedProof, amr: [...federatedProof.amr, ...(isVerified ? person.methods : [])], isVerified },
      boundTenantId: isWhole ? undefined : connection.tenantId,
      sessionSeconds: connection.sessionSeconds ?? undefined,
      upstream: {
        ...{ ...reference, issuer: person.issuer, subject: person.subject },
        domainId: isWhole && !isOfPlatform ? domain?.id : undefined,
      },
    });
  }
  if (result.outcome !== 'to_prove') {
    const failure = result.outcome === 'full' ? 'full' : 'unknown';
    return fail(deps, ctx, interaction, { connection, failure });
  }
  await deps.interactions.linkingBegun(exchangeOf(ctx), {
    ...{ browserId: deps.browserIds.ensure(ctx), userId: result.user.id, email: result.user.email },
    ...{ ...reference, issuer: person.issuer, subject: person.subject },
    ...{ sessionSeconds: connection.sessionSeconds ?? undefined, domainId: domain?.id },
  });
  seeOther(ctx, `/sign-in/${interaction.uid}`);
}

/**
 * Whether the provider of the domain of somebody's address opens their whole account, and not its tenant alone. Whoever
 * has shown the domain to be theirs reads its mail too, and that opens the account as well, but no second factor: the
 * word of a tenant about one counts in that tenant alone, so where it is given and the sign-in can be for that
 * tenant, it is for no other.
 */
async function isForWhole(
  deps: SignInDeps,
  interaction: OpenInteraction,
  { connection, person }: { connection: Connection; person: UpstreamPerson },
): Promise<boolean> {
  if (!person.hasSecondLevel || interaction.client.clientId === deps.accountClientId) return true;
  const tenantId = await tenantNamed(deps, interaction);
  return tenantId !== null && tenantId !== connection.tenantId;
}

/** Of the provider's answer no more is told than which kind of failure it was. */
async function fail(
  deps: SignInDeps,
  ctx: Context,
  interaction: OpenInteraction,
  { connection, failure }: { connection: Pick<Connection, 'id' | 'tenantId'>; failure: SignInFailure },
): Promise<void> {
  await deps.connections.recordFailedSignIn(connection, { clientId: interaction.client.clientId, failure });
  showProblem(deps, ctx, interaction, failure);
}

/** With the way back into the sign-in, where every other way in stands. */
function showProblem(deps: SignInDeps, ctx: Context, interaction: OpenInteraction, problem: Problem): void {
  const { status, text } = problems[problem];
  ctx.status = status;
  if (status === 503) ctx.set('Retry-After', '30');
  deps.pages.render(ctx, pageOf(interaction, 'connection-problem', 'connection.title'), {
    ...{ clientName: interaction.client.name, text, backUrl: `/sign-in/${interaction.uid}` },
  });
}
