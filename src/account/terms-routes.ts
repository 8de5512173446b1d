import type Router from '@koa/router';
import type { Said } from '../kernel/message.js';
import { momentsFor } from '../platform/i18n/moments.js';
import type { AccountDeps } from './account-deps.js';
import { listOwnTerms, type OwnTerms } from './own-terms.js';
import type { Portal } from './portal-routes.js';
import { places } from './places.js';

export function termsRoutes(router: Router, deps: AccountDeps, portal: Portal): void {
  router.get(
    places.terms,
    portal.page('terms', async (visit) => {
      const { user } = visit.session;
      const moment = momentsFor(visit.reader);
      const terms = (await listOwnTerms(deps, user)).map(({ tenant, version, uri, acceptedAt }) => ({
        ...{ label: labelOf(tenant), version, termsUri: uri, acceptedAt: moment(acceptedAt) },
      }));
      portal.render(visit, { place: 'terms', view: 'terms', title: 'portal.terms' }, { terms });
    }),
  );
}

function labelOf(tenant: OwnTerms['tenant']): Said {
  return tenant ? { key: 'accept_terms.of_tenant', values: { tenantName: tenant.name } } : 'accept_terms.of_platform';
}
