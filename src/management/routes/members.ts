import type { Membership } from '../../memberships/index.js';
import { notFound } from '../../platform/http/http-errors.js';
import type { RouteDeps } from '../management-deps.js';
import { idOf, pageOf } from '../page-of.js';
import { route, type Answer, type Route } from '../route.js';
import { memberShown, presentMember, presentSession, sessionShown } from '../schemas.js';

/** Who belongs to a tenant, and in which sessions they use it. */
export function memberRoutes(deps: RouteDeps): Route[] {
  const { administration: admin, schemas, memberships, users, sessions } = deps;
  const asOperator = { read: 'platform:tenants:read', write: 'platform:tenants:write' } as const;

  async function memberOf(tenantId: string, userId: string): Promise<Membership> {
    const membership = await memberships.findMembership(tenantId, userId);
    if (!membership) throw notFound();
    return membership;
  }

  async function shown(tenantId: string, userId: string): Promise<Answer> {
    const membership = await memberOf(tenantId, userId);
    const user = (await users.findUserById(userId)) ?? undefined;
    return { body: presentMember(membership, user), entity: membership };
  }

  return [
    route({
      ...{ method: 'GET', path: '/tenants/:tenantId/members', operationId: 'listMembers', summary: 'Members' },
      ...{ permission: 'members:read', operatorPermission: asOperator.read, isList: true, response: memberShown },
      status: 200,
      async handle({ tenantId, page }) {
        const found = await memberships.listMembers(tenantId, page);
        const people = await users.findUsersByIds(found.map(({ userId }) => userId));
        const byId = new Map(people.map((user) => [user.id, user]));
        return { body: found.map((each) => ({ key: each.userId, item: presentMember(each, byId.get(each.userId)) })) };
      },
    }),
    route({
      ...{ method: 'POST', path: '/tenants/:tenantId/members', operationId: 'addMember', status: 201 },
      summary: 'Make a user a member',
      description: 'For operators. Tenants invite people, who then agree.',
      ...{ permission: 'platform:tenants:write', operatorPermission: asOperator.write },
      ...{ body: schemas.newMember, response: memberShown },
      async handle({ by, tenantId, body }) {
        const user = (await users.findUserById(body.userId)) ?? undefined;
        const membership = await admin.addMember(by, tenantId, body);
        const location = `/tenants/${tenantId}/members/${membership.userId}`;
        return { body: presentMember(membership, user), entity: membership, location };
      },
    }),
    route({
      ...{ method: 'GET', path: '/tenants/:tenantId/members/:userId', operationId: 'getMember', status: 200 },
      ...{ summary: 'One member', permission: 'members:read', operatorPermission: asOperator.read },
      response: memberShown,
      handle: ({ tenantId, params }) => shown(tenantId, params['userId'] ?? ''),
    }),
    route({
      ...{ method: 'PATCH', path: '/tenants/:tenantId/members/:userId', operationId: 'changeMember', status: 200 },
      ...{ summary: 'Change their roles', permission: 'members:write', operatorPermission: asOperator.write },
      ...{ body: schemas.memberRoles, response: memberShown },
      async handle({ by, tenantId, params, body, precondition }) {
        const { userId = '' } = params;
        await admin.changeMemberRoles(by, { tenantId, userId, precondition }, body);
        return shown(tenantId, userId);
      },
    }),
    route({
      ...{ method: 'DELETE', path: '/tenants/:tenantId/members/:userId', operationId: 'removeMember', status: 204 },
      summary: 'End their membership and what they granted in the tenant',
      ...{ permission: 'members:write', operatorPermission: asOperator.write },
      async handle({ by, tenantId, params }) {
        await admin.removeMember(by, { tenantId, userId: params['userId'] ?? '' });
        return {};
      },
    }),
    route({
      ...{ method: 'GET', path: '/tenants/:tenantId/members/:userId/sessions', operationId: 'listMemberSessions' },
      summary: 'Sessions in which they have used the tenant',
      ...{ permission: 'sessions:read', operatorPermission: asOperator.read, isList: true, status: 200 },
      response: sessionShown,
      async handle({ tenantId, params, bearer, page }) {
        const { userId } = await memberOf(tenantId, params['userId'] ?? '');
        const found = await sessions.listSessionsIn(tenantId, userId);
        return {
          body: pageOf(found, page, { keyOf: idOf, present: (each) => presentSession(each, bearer.sessionUid) }),
        };
      },
    }),
    route({
      ...{ method: 'DELETE', path: '/tenants/:tenantId/members/:userId/sessions', operationId: 'endMemberSessions' },
      summary: 'End what all their sessions have opened in the tenant',
      ...{ permission: 'sessions:write', operatorPermission: asOperator.write, status: 204 },
      async handle({ by, tenantId, params }) {
        await admin.endMemberSessions(by, { tenantId, userId: params['userId'] ?? '' });
        return {};
      },
    }),
    route({
      method: 'DELETE',
      path: '/tenants/:tenantId/members/:userId/sessions/:sessionId',
      ...{ operationId: 'endMemberSession', summary: 'End what one of their sessions has opened in the tenant' },
      ...{ permission: 'sessions:write', operatorPermission: asOperator.write, status: 204 },
      async handle({ by, tenantId, params }) {
        await admin.endMemberSessions(by, { tenantId, userId: params['userId'] ?? '' }, params['sessionId']);
        return {};
      },
    }),
  ];
}
