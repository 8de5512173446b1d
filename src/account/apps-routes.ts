import type Router from '@koa/router';
import { z } from 'zod';
import { notFound } from '../platform/http/http-errors.js';
import type { AccountDeps } from './account-deps.js';
import { listApps, revokeApp } from './apps.js';
import { exportData } from './export-data.js';
import { goTo, type Portal } from './portal-routes.js';
import { places } from './places.js';

const revokeForm = z.strictObject({ tenant: z.string().min(1).max(64), client: z.string().max(256) });
const noMembers = z.strictObject({});

export function appsRoutes(router: Router, deps: AccountDeps, portal: Portal): void {
  router.get(
    places.apps,
    portal.page('apps', async (visit) => {
      const apps = await listApps(deps, visit.session.user.id, visit.reader);
      portal.render(visit, { place: 'apps', view: 'apps', title: 'portal.apps' }, { apps });
    }),
  );
  router.post(
    `${places.apps}/revoke`,
    portal.form('apps', revokeForm, async ({ ctx, session }, { tenant: tenantId, client: clientId }) => {
      if (!(await revokeApp(deps, { userId: session.user.id, tenantId, clientId }))) throw notFound();
      goTo(ctx, 'apps', 'revoked');
    }),
  );
}

export function dataRoutes(router: Router, deps: AccountDeps, portal: Portal): void {
  router.get(
    places.data,
    portal.page(
      'data',
      async (visit) => portal.render(visit, { place: 'data', view: 'data', title: 'portal.data' }, {}),
      {
        fresh: true,
      },
    ),
  );
  router.post(
    places.data,
    portal.form(
      'data',
      noMembers,
      async ({ ctx, session }) => {
        ctx.set('Content-Disposition', 'attachment; filename="gatehouse-account.json"');
        ctx.type = 'application/json';
        ctx.body = JSON.stringify(await exportData(deps, session.user), null, 2);
      },
      { fresh: true },
    ),
  );
}
