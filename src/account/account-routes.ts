import Router from '@koa/router';
import { AppError } from '../kernel/errors.js';
import { oneSpelling } from '../platform/http/http-errors.js';
import { returnPath } from './account-client.js';
import type { AccountDeps } from './account-deps.js';
import { activityRoutes } from './activity-routes.js';
import { appsRoutes, dataRoutes } from './apps-routes.js';
import { deletionRoutes } from './deletion-routes.js';
import { identitiesRoutes } from './identities-routes.js';
import { factorsRoutes, trustedBrowsersRoutes } from './factors-routes.js';
import { newFactorRoutes } from './new-factor-routes.js';
import { passwordRoutes } from './password-routes.js';
import { emailRoutes } from './email-routes.js';
import { pathOf, places, placeNamed, sections } from './places.js';
import { createPortal, seeOther, type Portal } from './portal-routes.js';
import { profileRoutes } from './profile-routes.js';
import { sessionsRoutes } from './sessions-routes.js';
import { termsRoutes } from './terms-routes.js';
import { invitationsRoutes, tenantsRoutes } from './tenants-routes.js';

type SectionRoutes = (router: Router, deps: AccountDeps, portal: Portal) => void;

const sectionRoutes: readonly SectionRoutes[] = [
  ...[overviewRoutes, profileRoutes, emailRoutes, passwordRoutes, factorsRoutes, newFactorRoutes],
  ...[trustedBrowsersRoutes, identitiesRoutes, sessionsRoutes, activityRoutes],
  ...[tenantsRoutes, invitationsRoutes, appsRoutes, termsRoutes, dataRoutes, deletionRoutes],
];

export function accountRoutes(deps: AccountDeps): Router {
  const router = new Router(oneSpelling);
  const portal = createPortal(deps);
  for (const add of sectionRoutes) add(router, deps, portal);

  router.get(returnPath, async (ctx) => {
    if (Object.values(ctx.query).some(Array.isArray)) throw repeatedParameter();
    const place = placeNamed(ctx.query['state']) ?? 'overview';
    if (ctx.query['error'] === undefined) return seeOther(ctx, places[place]);
    deps.pages.render(ctx, { view: 'account/signed-out', title: 'portal_out.not_title' }, { isChosen: false });
  });
  router.get('/account/signed-out', (ctx) => {
    deps.pages.render(ctx, { view: 'account/signed-out', title: 'portal_out.title' }, { isChosen: true });
  });
  return router;
}

function repeatedParameter(): AppError {
  return new AppError('account.repeated_parameter', { status: 400, detail: 'A parameter is there more than once.' });
}

function overviewRoutes(router: Router, _deps: AccountDeps, portal: Portal): void {
  router.get(
    places.overview,
    portal.page('overview', async (visit) => {
      const parts = sections
        .filter(({ place }) => place !== 'overview')
        .map(({ place, label, about }) => ({ path: pathOf(place), label, about }));
      portal.render(visit, { place: 'overview', view: 'overview', title: 'layout.your_account' }, { parts });
    }),
  );
}
