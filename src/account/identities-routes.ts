import type Router from '@koa/router';
import { z } from 'zod';
import type { Connection, UpstreamFailure } from '../connections/index.js';
import { AppError } from '../kernel/errors.js';
import type { Said } from '../kernel/message.js';
import { momentsFor } from '../platform/i18n/moments.js';
import { accountClientId } from './account-client.js';
import type { AccountDeps } from './account-deps.js';
import { places } from './places.js';
import { goTo, seeOther, type Portal, type Visit } from './portal-routes.js';

const linkForm = z.strictObject({ connection: z.string().max(64) });
const unlinkForm = z.strictObject({ identity: z.string().max(64) });
/** How this place is called where the answer of a provider comes in. */
const upstreamPlace = 'account';

const problems = {
  over: 'connection.over',
  closed: 'connection.closed',
  denied: 'connection.denied',
  unavailable: 'connection.unavailable',
  invalid: 'connection.invalid',
  taken: 'identities.taken',
} as const;

const statuses = { over: 400, closed: 404, denied: 200, unavailable: 503, invalid: 400, taken: 409 } as const;

/** Accounts at providers that sign in to this one. */
export function identitiesRoutes(router: Router, deps: AccountDeps, portal: Portal): void {
  router.get(
    places.identities,
    portal.page('identities', (visit) => show(deps, portal, visit, null)),
  );
  router.post(
    `${places.identities}/link`,
    portal.form('identities', linkForm, (visit, form) => startLink(deps, portal, visit, form.connection), {
      fresh: true,
    }),
  );
  router.get(
    `${places.identities}/return`,
    portal.page('identities', (visit) => finishLink(deps, portal, visit), { fresh: true }),
  );
  router.post(
    `${places.identities}/unlink`,
    portal.form(
      'identities',
      unlinkForm,
      async (visit, { identity: identityId }) => {
        const { user, uid: sessionUid } = visit.session;
        const refusal = await deps.accounts.unlinkIdentity({ userId: user.id, sessionUid, identityId }).then(
          () => null,
          (error: unknown) => {
            if (error instanceof AppError && error.status === 409) return error;
            throw error;
          },
        );
        if (refusal === null) return goTo(visit.ctx, 'identities', 'identity-unlinked');
        visit.ctx.status = 409;
        return show(deps, portal, visit, refusal);
      },
      { fresh: true },
    ),
  );
}

async function linkable(deps: AccountDeps, { session }: Visit): Promise<Connection[]> {
  const memberships = await deps.memberships.listMembershipsOfUser(session.user.id);
  return deps.connections.listLinkable(memberships.map(({ tenantId }) => tenantId));
}

async function show(deps: AccountDeps, portal: Portal, visit: Visit, error: Said | null): Promise<void> {
  const { user } = visit.session;
  const [identities, connections] = await Promise.all([
    deps.identities.listIdentitiesOf(user.id),
    linkable(deps, visit),
  ]);
  const names = await namesOf(deps, identities);
  const moment = momentsFor(visit.reader);
  const shown = identities.map(({ id, connectionId, email, linkedAt, lastUsedAt }) => ({
    ...{ id, name: names.get(connectionId) ?? connectionId, email, linkedAt: moment(linkedAt) },
    lastUsedAt: lastUsedAt && moment(lastUsedAt),
  }));
  const others = connections.map(({ id, name }) => ({ id, name }));
  portal.render(
    visit,
    { place: 'identities', view: 'identities', title: 'portal.identities' },
    { identities: shown, connections: others, error },
  );
}

async function namesOf(
  deps: AccountDeps,
  identities: readonly { tenantId: string; connectionId: string }[],
): Promise<Map<string, string>> {
  const found = await Promise.all(
    identities.map(({ tenantId, connectionId }) => deps.connections.findConnection(tenantId, connectionId)),
  );
  return new Map(found.flatMap((connection) => (connection ? [[connection.id, connection.name] as const] : [])));
}

/** The session is part of it: somebody else who signs in meanwhile in the same browser gets nothing of it. */
function placeOf(deps: AccountDeps, { ctx, session }: Visit): { place: string; browserId: string } {
  return { place: upstreamPlace, browserId: `${deps.browserIds.ensure(ctx)} ${session.uid}` };
}

async function startLink(deps: AccountDeps, portal: Portal, visit: Visit, connectionId: string): Promise<void> {
  const offered = (await linkable(deps, visit)).find(({ id }) => id === connectionId);
  const connection = offered && (await deps.connections.findLinkable({ tenantId: offered.tenantId, connectionId }));
  if (!offered) return refuse(deps, portal, visit, 'closed');
  if (!connection) return fail(deps, portal, visit, { connection: offered, failure: 'closed' });
  const begun = await deps.connections.begin(connection, placeOf(deps, visit));
  if (begun.outcome === 'failed') return fail(deps, portal, visit, { connection, failure: begun.failure });
  seeOther(visit.ctx, begun.value);
}

async function finishLink(deps: AccountDeps, portal: Portal, visit: Visit): Promise<void> {
  const answer = new URLSearchParams(visit.ctx.querystring);
  const named = { state: answer.get('state') ?? '', connectionId: answer.getAll('connection').join() };
  const transaction = await deps.connections.take(named, placeOf(deps, visit));
  if (!transaction) return refuse(deps, portal, visit, 'over');
  const connection = await deps.connections.findLinkable(transaction);
  const { tenantId, connectionId: id } = transaction;
  if (!connection) return fail(deps, portal, visit, { connection: { id, tenantId }, failure: 'closed' });
  const answered = await deps.connections.finish(connection, transaction, answer);
  if (answered.outcome === 'failed') return fail(deps, portal, visit, { connection, failure: answered.failure });
  // an answer may take its time, and the session has its end meanwhile
  if ((await deps.currentSession(visit.ctx))?.uid !== visit.session.uid) return seeOther(visit.ctx, places.identities);
  const { issuer, subject, email } = answered.value;
  const reference = { tenantId: connection.tenantId, connectionId: connection.id };
  const identity = { ...reference, issuer, subject, email, userId: visit.session.user.id };
  const result = await deps.accounts.linkIdentity(identity);
  if (result !== 'linked') return refuse(deps, portal, visit, result);
  goTo(visit.ctx, 'identities', 'identity-linked');
}

async function fail(
  deps: AccountDeps,
  portal: Portal,
  visit: Visit,
  { connection, failure }: { connection: Pick<Connection, 'id' | 'tenantId'>; failure: UpstreamFailure | 'closed' },
): Promise<void> {
  await deps.connections.recordFailedSignIn(connection, { clientId: accountClientId, failure });
  return refuse(deps, portal, visit, failure);
}

async function refuse(deps: AccountDeps, portal: Portal, visit: Visit, problem: keyof typeof problems): Promise<void> {
  visit.ctx.status = statuses[problem];
  await show(deps, portal, visit, problems[problem]);
}
