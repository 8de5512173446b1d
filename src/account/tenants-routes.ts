import type Router from '@koa/router';
import { z } from 'zod';
import { AppError } from '../kernel/errors.js';
import type { Said } from '../kernel/message.js';
import { momentsFor } from '../platform/i18n/moments.js';
import type { AccountDeps } from './account-deps.js';
import { listOwnTenants } from './own-places.js';
import { goTo, type Portal, type Visit } from './portal-routes.js';
import { places } from './places.js';

const leaveForm = z.strictObject({ tenant: z.string().min(1).max(64) });
const teamForm = z.strictObject({ name: z.string().max(200), slug: z.string().max(63) });
const acceptForm = z.strictObject({ invitation: z.string().max(64) });
const noTeam = { name: '', slug: '' };

export function tenantsRoutes(router: Router, deps: AccountDeps, portal: Portal): void {
  async function show(visit: Visit, { form = noTeam, error = null }: { form?: object; error?: Said | null } = {}) {
    const tenants = await listOwnTenants(deps, visit.session.user.id);
    const locals = { tenants, mayCreate: deps.ownedTeams > 0, form, error };
    portal.render(visit, { place: 'tenants', view: 'tenants', title: 'portal.tenants' }, locals);
  }

  router.get(places.tenants, portal.page('tenants', show));
  router.post(
    `${places.tenants}/leave`,
    portal.form('tenants', leaveForm, async (visit, { tenant }) => {
      try {
        await deps.administration.leaveTenant(visit.session.user.id, tenant);
      } catch (error) {
        return show(visit, { error: refusal(visit, error) });
      }
      goTo(visit.ctx, 'tenants', 'left');
    }),
  );
  router.post(
    `${places.tenants}/create`,
    portal.form('tenants', teamForm, async (visit, form) => {
      try {
        await deps.administration.createOwnTeam(visit.session.user.id, { name: form.name.trim(), slug: form.slug });
      } catch (error) {
        return show(visit, { form, error: refusal(visit, error) });
      }
      goTo(visit.ctx, 'tenants', 'team-created');
    }),
  );
}

export function invitationsRoutes(router: Router, deps: AccountDeps, portal: Portal): void {
  async function show(visit: Visit, error: Said | null = null): Promise<void> {
    const { email, emailVerified } = visit.session.user;
    const found = emailVerified ? await deps.invitations.listOpenInvitationsTo(email) : [];
    const tenants = await deps.tenants.findTenantsByIds(found.map(({ tenantId }) => tenantId));
    const roles = await deps.roles.findRolesIn(new Map(found.map((each) => [each.tenantId, each.roles])));
    const moment = momentsFor(visit.reader);
    const invitations = found.flatMap(({ id, tenantId, expiresAt }) => {
      const tenant = tenants.find((each) => each.id === tenantId);
      if (!tenant) return [];
      const roleNames = (roles.get(tenantId) ?? []).map(({ name }) => name);
      return [{ id, tenantName: tenant.name, roles: roleNames, expiresAt: moment(expiresAt) }];
    });
    const page = { place: 'invitations', view: 'invitations', title: 'portal.invitations' } as const;
    portal.render(visit, page, { invitations, isVerified: emailVerified, error });
  }

  router.get(
    places.invitations,
    portal.page('invitations', (visit) => show(visit)),
  );
  router.post(
    `${places.invitations}/accept`,
    portal.form('invitations', acceptForm, async (visit, { invitation }) => {
      try {
        await deps.administration.acceptOwnInvitation(visit.session.user, invitation);
      } catch (error) {
        return show(visit, refusal(visit, error));
      }
      goTo(visit.ctx, 'tenants', 'joined');
    }),
  );
}

/** Words for what the rules refuse; what is not there is answered as everywhere. */
export function refusal({ ctx }: Visit, error: unknown): Said {
  if (!(error instanceof AppError) || error.status >= 500 || error.status === 404) throw error;
  ctx.status = 422;
  if (error.status !== 400) return error;
  return error.fields[0]?.pointer === '/slug' ? 'tenants.bad_slug' : 'tenants.bad_name';
}
