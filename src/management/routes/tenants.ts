import { z } from 'zod';
import type { Tenant } from '../../tenants/index.js';
import type { RouteDeps } from '../management-deps.js';
import { route, type Answer, type Call, type Route } from '../route.js';
import { presentTenant, templateDiffShown, tenantShown } from '../schemas.js';

const asOperator = { read: 'platform:tenants:read', write: 'platform:tenants:write' } as const;

/** Tenants and their life: made, changed, moved, closed. */
export function tenantRoutes(deps: RouteDeps): Route[] {
  const { administration: admin, schemas, tenants } = deps;
  const shown = (tenant: Tenant): Answer => ({ body: presentTenant(tenant), entity: tenant });
  const changed = async ({ tenantId }: Pick<Call<unknown, unknown>, 'tenantId'>): Promise<Answer> =>
    shown(await admin.getTenant(tenantId));
  const { policies: _policies, features: _features, ...plain } = schemas.settingsChanges.shape;
  const changes = z.strictObject(plain);

  const statusRoute = (verb: string, status: 'active' | 'suspended' | 'archived', summary: string): Route =>
    route({
      ...{ method: 'POST', path: `/tenants/:tenantId/${verb}`, operationId: `${verb}Tenant`, summary, status: 200 },
      ...{ permission: 'platform:tenants:write', operatorPermission: asOperator.write, response: tenantShown },
      async handle(call) {
        await admin.changeStatus(call.by, call.tenantId, status);
        return changed(call);
      },
    });

  return [
    route({
      ...{ method: 'GET', path: '/tenants', operationId: 'listTenants', summary: 'Tenants that the caller governs' },
      ...{ permission: 'tenants:read', operatorPermission: asOperator.read, isList: true, response: tenantShown },
      status: 200,
      async handle({ isOperator, page, bearer }) {
        const found = isOperator
          ? await tenants.listTenants(page)
          : await tenants.findTenantsByIds(page.after === undefined ? [bearer.authorization.tenant.id] : []);
        return { body: found.map((tenant) => ({ key: tenant.id, item: presentTenant(tenant) })) };
      },
    }),
    route({
      ...{ method: 'POST', path: '/tenants', operationId: 'createTenant', summary: 'Make a tenant with its owner' },
      ...{ permission: 'platform:tenants:write', body: schemas.newTenant, response: tenantShown, status: 201 },
      async handle({ by, body }) {
        const tenant = await admin.createTenant(by, body);
        return { ...shown(tenant), location: `/tenants/${tenant.id}` };
      },
    }),
    route({
      ...{ method: 'GET', path: '/tenants/:tenantId', operationId: 'getTenant', summary: 'One tenant', status: 200 },
      ...{ permission: 'tenants:read', operatorPermission: asOperator.read, response: tenantShown },
      handle: changed,
    }),
    route({
      ...{ method: 'PATCH', path: '/tenants/:tenantId', operationId: 'changeTenant', status: 200 },
      summary: 'Change name, slug, limits or branding',
      ...{ permission: 'tenants:write', operatorPermission: asOperator.write, body: changes, response: tenantShown },
      async handle(call) {
        const { by, tenantId, precondition, body } = call;
        await admin.changeSettings(by, { tenantId, precondition }, body);
        return changed(call);
      },
    }),
    statusRoute('suspend', 'suspended', 'Nobody gets in, nothing is lost'),
    statusRoute('activate', 'active', 'Everybody gets in again'),
    statusRoute('archive', 'archived', 'Nobody gets in, and it is deleted after the grace period'),
    route({
      ...{ method: 'GET', path: '/tenants/:tenantId/type', operationId: 'previewTenantType', status: 200 },
      summary: 'What stands in the way of a change of type',
      ...{ permission: 'tenants:read', operatorPermission: asOperator.read },
      query: z.strictObject({ type: schemas.tenantType }),
      response: z.object({ blockers: z.array(z.object({ code: z.string(), detail: z.string() })) }),
      async handle({ tenantId, query }) {
        return { body: { blockers: await admin.listTypeBlockers(tenantId, query.type) } };
      },
    }),
    route({
      ...{ method: 'POST', path: '/tenants/:tenantId/type', operationId: 'changeTenantType', status: 200 },
      summary: 'Move it up or down where nothing is lost',
      ...{ permission: 'tenants:write', operatorPermission: asOperator.write, response: tenantShown },
      body: z.strictObject({ type: schemas.tenantType }),
      async handle(call) {
        await admin.changeType(call.by, call.tenantId, call.body.type);
        return changed(call);
      },
    }),
    route({
      ...{ method: 'POST', path: '/tenants/:tenantId/template/preview', operationId: 'previewTemplate', status: 200 },
      summary: 'What bringing it to a version of a template would change',
      ...{ permission: 'tenants:read', operatorPermission: asOperator.read, response: templateDiffShown },
      body: schemas.templateReference,
      async handle({ tenantId, body }) {
        return { body: presentDiff(await admin.previewTemplate(tenantId, body)) };
      },
    }),
    route({
      ...{ method: 'POST', path: '/tenants/:tenantId/template', operationId: 'applyTemplate', status: 200 },
      summary: 'Bring it to a version of a template; what it set itself stays',
      ...{ permission: 'tenants:write', operatorPermission: asOperator.write, response: templateDiffShown },
      body: schemas.templateReference,
      async handle({ by, tenantId, body }) {
        return { body: presentDiff(await admin.applyTemplate(by, tenantId, body)) };
      },
    }),
    route({
      ...{ method: 'POST', path: '/tenants/:tenantId/tokens/end', operationId: 'endTokensOfTenant', status: 204 },
      summary: 'End every token that there is for it',
      ...{ permission: 'tenants:write', operatorPermission: asOperator.write },
      async handle({ by, tenantId }) {
        await admin.endTokensOf(by, { tenantId });
        return {};
      },
    }),
  ];
}

type Diff = Awaited<ReturnType<RouteDeps['administration']['previewTemplate']>>;

function presentDiff({ template, settings, roles, kept }: Diff): z.input<typeof templateDiffShown> {
  return { template, settings, roles: roles.map(({ change, key }) => ({ change, key })), kept };
}
