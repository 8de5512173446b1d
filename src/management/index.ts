/**
 * The management API under `/api/v1`, its OpenAPI document and its documentation page. Owns `idempotency_keys`. Routes
 * are data (`routes/`); one function answers them all (`handle-call.ts`). What may be done is decided by the use cases
 * of administration; here it is found out who asks and whether they may do such a thing at all.
 */
import { tenantIdPattern } from '../kernel/patterns.js';
import type { KeyRing } from '../platform/crypto/key-ring.js';
import type { Quota } from '../platform/limits/address-limits.js';
import { oneTimeRecords } from '../platform/mongo/one-time-records.js';
import { ensureOneTimeIndexes } from '../platform/mongo/one-time-records.js';
import type { Database } from '../platform/mongo/open-database.js';
import { authenticator, type AuthenticateDeps } from './authenticate.js';
import { createCursors } from './cursor.js';
import type { HandleCallDeps } from './handle-call.js';
import { ensureIdempotencyIndexes, idempotency } from './idempotency.js';
import type { JsonLimits } from '../platform/http/json-body.js';
import type { RouteDeps } from './management-deps.js';
import { managementRoutes } from './management-routes.js';
import type { Route } from './route.js';
import { clientRoutes } from './routes/clients.js';
import { connectionRoutes } from './routes/connections.js';
import { domainRoutes } from './routes/domains.js';
import { invitationRoutes } from './routes/invitations.js';
import { meRoutes } from './routes/me.js';
import { memberRoutes } from './routes/members.js';
import { platformRoutes } from './routes/platform.js';
import { policyRoutes } from './routes/policies.js';
import { roleRoutes } from './routes/roles.js';
import { serviceAccountRoutes } from './routes/service-accounts.js';
import { tenantRoutes } from './routes/tenants.js';
import { userRoutes } from './routes/users.js';

export { managementResource } from './permissions.js';
export type { Route } from './route.js';

export interface ManagementModule {
  router: ReturnType<typeof managementRoutes>;
  /** Everything that the API answers, for the tests that go through all of it. */
  operations: readonly Route[];
  ensureIndexes(): Promise<void>;
}

export interface ManagementDeps extends RouteDeps, Omit<AuthenticateDeps, 'usedProofs'> {
  database: Database;
  keyRing: KeyRing;
  limits: JsonLimits;
  quota: Quota;
  refusals: Quota;
  parsed: HandleCallDeps['parsed'];
}

const proofsCollection = 'management_proofs';

export function managementModule(deps: ManagementDeps): ManagementModule {
  const { database, keyRing, now } = deps;
  const sealed = { database, sealing: keyRing.sealing, now };
  const usedProofs = oneTimeRecords(proofsCollection, { ...sealed, hash: keyRing.hashFor('management-proof') });
  const operations = [
    ...tenantRoutes(deps),
    ...memberRoutes(deps),
    ...invitationRoutes(deps),
    ...domainRoutes(deps),
    ...roleRoutes(deps),
    ...serviceAccountRoutes(deps),
    ...clientRoutes(deps),
    ...connectionRoutes(deps),
    ...policyRoutes(deps),
    ...userRoutes(deps),
    ...platformRoutes(deps),
    ...meRoutes(deps),
  ];
  const router = managementRoutes(
    {
      ...deps,
      authenticate: authenticator({ ...deps, usedProofs }),
      isTenant: async (id) => {
        const tenant = tenantIdPattern.test(id) ? await deps.tenants.findTenantById(id) : null;
        return tenant !== null && tenant.status !== 'deleted';
      },
      cursors: createCursors(keyRing.hashFor('cursor')),
      once: idempotency({ ...sealed, hash: keyRing.hashFor('idempotency-key') }),
    },
    operations,
  );
  return {
    ...{ router, operations },
    async ensureIndexes() {
      await ensureIdempotencyIndexes(database);
      await ensureOneTimeIndexes(database, proofsCollection);
    },
  };
}
