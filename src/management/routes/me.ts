import { z } from 'zod';
import type { Freshness } from '../../credentials/index.js';
import type { Identity } from '../../identities/index.js';
import type { User } from '../../users/index.js';
import { identityShown, presentIdentity } from '../connection-schemas.js';
import { unauthenticated } from '../management-errors.js';
import type { RouteDeps } from '../management-deps.js';
import type { Tenant } from '../../tenants/index.js';
import { idOf, pageOf } from '../page-of.js';
import { route, type Answer, type Call, type Route } from '../route.js';
import { factorShown, presentFactor, presentSession, presentUser, sessionShown, userShown } from '../schemas.js';

const reading = { permission: 'account:read' } as const;
const writing = { permission: 'account:write' } as const;

const freshNeeded =
  'The token must be of a sign-in of the last 10 minutes, and with a second factor (`acr` `aal2`) where there is one: 403 otherwise.';

const meShown = userShown.extend({
  tenant: z.object({ id: z.string(), slug: z.string(), name: z.string(), type: z.string() }),
  roles: z.array(z.string()),
});

const ownTenantShown = z.object({
  id: z.string(),
  slug: z.string(),
  name: z.string(),
  type: z.string(),
  status: z.string(),
  roles: z.array(z.string()),
  current: z.boolean(),
});

function ownShown({ bearer }: Pick<Call<unknown, unknown>, 'bearer'>, user: User): Answer {
  const { tenant, roles } = bearer.authorization;
  return { body: { ...presentUser(user), tenant, roles }, entity: user };
}

/** How the sign-in was that the token is of; one that tells of none is never fresh. */
function freshnessOf({ bearer }: Pick<Call<unknown, unknown>, 'bearer'>): Freshness {
  const { provenAt = new Date(0), level, amr = [] } = bearer.signIn ?? {};
  return { provenAt, level, amr };
}

async function namesOf({ connections }: RouteDeps, identities: readonly Identity[]): Promise<Map<string, string>> {
  const found = await Promise.all(
    identities.map(({ tenantId, connectionId }) => connections.findConnection(tenantId, connectionId)),
  );
  return new Map(found.flatMap((connection) => (connection ? [[connection.id, connection.name] as const] : [])));
}

/** A person about themselves. */
export function meRoutes(deps: RouteDeps): Route[] {
  const { administration: admin, schemas, memberships, tenants, users, sessions, factors } = deps;
  const { accounts, identities } = deps;

  async function self({ bearer }: Pick<Call<unknown, unknown>, 'bearer'>): Promise<User> {
    const user = bearer.subject.kind === 'user' ? await users.findUserById(bearer.subject.userId) : null;
    if (!user) throw unauthenticated();
    return user;
  }

  return [
    route({
      ...{ method: 'GET', path: '/me', operationId: 'getMe', summary: 'Who I am, and where', status: 200 },
      ...{ ...reading, response: meShown },
      async handle(call) {
        return ownShown(call, await self(call));
      },
    }),
    route({
      ...{ method: 'PATCH', path: '/me', operationId: 'changeMe', summary: 'Change my profile', status: 200 },
      ...{ ...writing, body: schemas.ownProfile, response: meShown },
      async handle(call) {
        const { body: changes, precondition } = call;
        const user = await admin.changeOwnProfile((await self(call)).id, { changes, precondition });
        return ownShown(call, user);
      },
    }),
    route({
      ...{ method: 'GET', path: '/me/tenants', operationId: 'listMyTenants', summary: 'Where I belong', status: 200 },
      ...{ ...reading, isList: true, response: ownTenantShown },
      async handle(call) {
        const held = new Map(
          (await memberships.listMembershipsOfUser((await self(call)).id)).map((each) => [each.tenantId, each]),
        );
        const found = await tenants.findTenantsByIds([...held.keys()]);
        const current = call.bearer.authorization.tenant.id;
        const present = ({ id, slug, name, type, status }: Tenant) => ({
          ...{ id, slug, name, type, status },
          ...{ roles: held.get(id)?.roles ?? [], current: id === current },
        });
        return { body: pageOf(found, call.page, { keyOf: idOf, present }) };
      },
    }),
    route({
      ...{ method: 'GET', path: '/me/sessions', operationId: 'listMySessions', status: 200 },
      ...{ summary: 'Browsers in which I am signed in', ...reading, isList: true, response: sessionShown },
      async handle(call) {
        const found = await sessions.listSessionsOf((await self(call)).id);
        const present = (each: (typeof found)[number]) => presentSession(each, call.bearer.sessionUid);
        return { body: pageOf(found, call.page, { keyOf: idOf, present }) };
      },
    }),
    route({
      ...{ method: 'DELETE', path: '/me/sessions', operationId: 'endMySessions', status: 204 },
      ...{ summary: 'Sign me out everywhere', ...writing },
      async handle(call) {
        await admin.endUserSessions(call.by, (await self(call)).id);
        return {};
      },
    }),
    route({
      ...{ method: 'DELETE', path: '/me/sessions/:sessionId', operationId: 'endMySession', status: 204 },
      ...{ summary: 'Sign me out of one', ...writing },
      async handle(call) {
        await admin.endUserSessions(call.by, (await self(call)).id, call.params['sessionId']);
        return {};
      },
    }),
    route({
      ...{ method: 'GET', path: '/me/factors', operationId: 'listMyFactors', status: 200 },
      ...{ summary: 'With what I can sign in beside my password', ...reading, isList: true, response: factorShown },
      async handle(call) {
        const found = await factors.listFactors((await self(call)).id);
        return { body: pageOf(found, call.page, { keyOf: idOf, present: presentFactor }) };
      },
    }),
    route({
      ...{ method: 'DELETE', path: '/me/factors/:factorId', operationId: 'removeMyFactor', status: 204 },
      summary: 'Remove one',
      description: freshNeeded,
      ...writing,
      async handle(call) {
        await factors.removeFactor(await self(call), freshnessOf(call), call.params['factorId'] ?? '');
        return {};
      },
    }),
    route({
      ...{ method: 'GET', path: '/me/identities', operationId: 'listMyIdentities', status: 200 },
      ...{ summary: 'Accounts elsewhere that sign in to mine', ...reading, isList: true, response: identityShown },
      async handle(call) {
        const found = await identities.listIdentitiesOf((await self(call)).id);
        const names = await namesOf(deps, found);
        const present = (each: (typeof found)[number]) => presentIdentity(each, names.get(each.connectionId) ?? '');
        return { body: pageOf(found, call.page, { keyOf: idOf, present }) };
      },
    }),
    route({
      ...{ method: 'DELETE', path: '/me/identities/:identityId', operationId: 'removeMyIdentity', status: 204 },
      summary: 'Unlink one',
      description: `${freshNeeded} 409 for the last way into the account.`,
      ...writing,
      async handle(call) {
        const userId = (await self(call)).id;
        await factors.requireFresh(userId, freshnessOf(call));
        const sessionUid = call.bearer.sessionUid ?? '';
        await accounts.unlinkIdentity({ userId, sessionUid, identityId: call.params['identityId'] ?? '' });
        return {};
      },
    }),
    route({
      ...{ method: 'POST', path: '/me/invitations/accept', operationId: 'acceptInvitation', status: 200 },
      ...{ summary: 'Accept the invitation whose link I was sent', ...writing, response: ownTenantShown },
      body: z.strictObject({ token: z.string().min(1).max(100) }),
      async handle(call) {
        const user = await self(call);
        const { tenant, roles } = await admin.acceptInvitation(user, call.body.token);
        const { id, slug, name, type, status } = tenant;
        return { body: { id, slug, name, type, status, roles, current: false } };
      },
    }),
  ];
}
