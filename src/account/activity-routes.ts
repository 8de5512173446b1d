import type Router from '@koa/router';
import type { AccountDeps } from './account-deps.js';
import { listActivity, parsePosition } from './activity.js';
import type { Portal } from './portal-routes.js';
import { places } from './places.js';

export function activityRoutes(router: Router, deps: AccountDeps, portal: Portal): void {
  router.get(
    places.activity,
    portal.page('activity', async (visit) => {
      const { id } = visit.session.user;
      const before = parsePosition(visit.ctx.query['before']);
      const { events, next } = await listActivity(deps, { id, reader: visit.reader }, before);
      portal.render(
        visit,
        { place: 'activity', view: 'activity', title: 'portal.activity' },
        { events, older: next, isFirst: before === null },
      );
    }),
  );
}
