import { z } from 'zod';
import type { RouteDeps } from '../management-deps.js';
import { route, type Answer, type Route } from '../route.js';
import { policiesShown } from '../policies-shown.js';
import { accessExplained, featuresShown } from '../schemas.js';

/** What a tenant asks of who uses it, and what its plan and operators let it do. */
export function policyRoutes(deps: RouteDeps): Route[] {
  const { administration: admin, schemas } = deps;
  const asOperator = { read: 'platform:tenants:read', write: 'platform:tenants:write' } as const;

  async function shown(tenantId: string): Promise<Answer> {
    const { policies } = await admin.getTenant(tenantId);
    return { body: policies, entity: policies };
  }

  async function features(tenantId: string): Promise<Answer> {
    const tenant = await admin.getTenant(tenantId);
    const ofPlan = deps.entitlementsOf(tenant.plan).map((key) => ({ key, from: 'plan' as const }));
    const own = tenant.features.map((key) => ({ key, from: 'tenant' as const }));
    return { body: { items: [...ofPlan, ...own] } };
  }

  return [
    route({
      ...{ method: 'GET', path: '/tenants/:tenantId/policies', operationId: 'getPolicies', summary: 'Policies' },
      ...{ permission: 'policies:read', operatorPermission: asOperator.read, response: policiesShown, status: 200 },
      handle: ({ tenantId }) => shown(tenantId),
    }),
    route({
      ...{ method: 'PATCH', path: '/tenants/:tenantId/policies', operationId: 'changePolicies', status: 200 },
      summary: 'Change policies',
      description:
        'What is left out stays as it is, also of a policy with several members. An allowlist without the address of the ' +
        'caller is refused unless `allowLockout=true`.',
      ...{ permission: 'policies:write', operatorPermission: asOperator.write, response: policiesShown },
      query: z.strictObject({ allowLockout: z.enum(['true', 'false']).default('false') }),
      body: schemas.policyChanges,
      async handle({ by, tenantId, query, body: policies, precondition, isOperator, address }) {
        // an operator comes in by their own tenant
        const guarded = query.allowLockout === 'true' || isOperator ? {} : { address };
        const onPolicies = (tenant: object): void => precondition((tenant as { policies: object }).policies);
        await admin.changeSettings(by, { tenantId, ...guarded, precondition: onPolicies }, { policies });
        return shown(tenantId);
      },
    }),
    route({
      ...{ method: 'POST', path: '/tenants/:tenantId/policies/explain', operationId: 'explainAccess', status: 200 },
      summary: 'What somebody would be told who comes from an address, and why; changes nothing',
      ...{ permission: 'policies:read', operatorPermission: asOperator.read, response: accessExplained },
      body: schemas.accessQuestion,
      async handle({ tenantId, body: { address, userId, clientId } }) {
        const about = { ...(userId === undefined ? {} : { userId }), ...(clientId === undefined ? {} : { clientId }) };
        return { body: await admin.explainAccess(tenantId, { address, ...about }) };
      },
    }),
    route({
      ...{ method: 'GET', path: '/tenants/:tenantId/features', operationId: 'getFeatures', summary: 'Entitlements' },
      ...{ permission: 'features:read', operatorPermission: asOperator.read, response: featuresShown, status: 200 },
      handle: ({ tenantId }) => features(tenantId),
    }),
    route({
      ...{ method: 'PUT', path: '/tenants/:tenantId/features', operationId: 'setFeatures', status: 200 },
      summary: 'Set what the tenant may do beside what its plan allows',
      ...{ permission: 'platform:tenants:write', operatorPermission: asOperator.write, response: featuresShown },
      body: z.strictObject({ features: schemas.settings.shape.features }),
      async handle({ by, tenantId, body }) {
        await admin.changeSettings(by, { tenantId }, { features: body.features });
        return features(tenantId);
      },
    }),
  ];
}
