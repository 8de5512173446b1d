import type { Invitation } from '../../invitations/index.js';
import { notFound } from '../../platform/http/http-errors.js';
import type { RouteDeps } from '../management-deps.js';
import { route, type Answer, type Call, type Route } from '../route.js';
import { invitationShown, presentInvitation } from '../schemas.js';

const base = '/tenants/:tenantId/invitations';
const rights = {
  reading: { permission: 'invitations:read', operatorPermission: 'platform:tenants:read' },
  writing: { permission: 'invitations:write', operatorPermission: 'platform:tenants:write' },
} as const;

/** Offers to become a member, sent by mail. */
export function invitationRoutes(deps: RouteDeps): Route[] {
  const { administration: admin, schemas, invitations } = deps;
  const present = (each: Invitation): ReturnType<typeof presentInvitation> =>
    presentInvitation(each, invitations.invitationStatus(each));
  const shown = (invitation: Invitation): Answer => ({ body: present(invitation), entity: invitation });

  return [
    route({
      ...{ method: 'GET', path: base, operationId: 'listInvitations', summary: 'Invitations', status: 200 },
      ...{ ...rights.reading, isList: true, response: invitationShown },
      async handle({ tenantId, page }) {
        const found = await invitations.listInvitations(tenantId, page);
        return { body: found.map((each) => ({ key: each.id, item: present(each) })) };
      },
    }),
    route({
      ...{ method: 'POST', path: base, operationId: 'createInvitation', summary: 'Invite somebody', status: 201 },
      ...{ ...rights.writing, body: schemas.newInvitation, response: invitationShown },
      async handle({ tenantId, body, ...call }) {
        const { email, roles, expiresAt } = body;
        const wanted = { email, roles, ...(expiresAt === undefined ? {} : { expiresAt }) };
        const invitation = await admin.createInvitation(inviterOf(call), tenantId, wanted);
        return { ...shown(invitation), location: `/tenants/${tenantId}/invitations/${invitation.id}` };
      },
    }),
    route({
      ...{ method: 'GET', path: `${base}/:invitationId`, operationId: 'getInvitation', status: 200 },
      ...{ summary: 'One invitation', ...rights.reading, response: invitationShown },
      async handle({ tenantId, params }) {
        const invitation = await invitations.findInvitation(tenantId, params['invitationId'] ?? '');
        if (!invitation) throw notFound();
        return shown(invitation);
      },
    }),
    route({
      ...{ method: 'POST', path: `${base}/:invitationId/resend`, operationId: 'resendInvitation', status: 200 },
      summary: 'Send it again with a new link; the link before opens nothing any more',
      ...{ ...rights.writing, response: invitationShown },
      handle: async ({ tenantId, params, ...call }) =>
        shown(await admin.resendInvitation(inviterOf(call), { tenantId, invitationId: params['invitationId'] ?? '' })),
    }),
    route({
      ...{ method: 'DELETE', path: `${base}/:invitationId`, operationId: 'revokeInvitation', status: 204 },
      ...{ summary: 'Revoke it', ...rights.writing },
      async handle({ by, tenantId, params }) {
        await admin.revokeInvitation(by, { tenantId, invitationId: params['invitationId'] ?? '' });
        return {};
      },
    }),
  ];
}

function inviterOf({
  by,
  bearer,
  isOperator,
}: Pick<Call<unknown, unknown>, 'by' | 'bearer' | 'isOperator'>): Parameters<
  RouteDeps['administration']['createInvitation']
>[0] {
  const { answeredForBy } = bearer.authorization;
  return isOperator ? { ...by, asOperator: { answeredForBy } } : by;
}
