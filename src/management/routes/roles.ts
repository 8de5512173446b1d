import { notFound } from '../../platform/http/http-errors.js';
import type { RouteDeps } from '../management-deps.js';
import { pageOf } from '../page-of.js';
import { route, type Answer, type Route } from '../route.js';
import { presentRole, roleShown } from '../schemas.js';

/** Built-in roles of a tenant, and those of its own. */
export function roleRoutes(deps: RouteDeps): Route[] {
  const { administration: admin, schemas, roles, tenantTypes } = deps;
  const asOperator = { read: 'platform:tenants:read', write: 'platform:tenants:write' } as const;

  async function shown(tenantId: string, roleId: string): Promise<Answer> {
    const role = (await roles.listCustomRoles(tenantId)).find(({ id }) => id === roleId);
    if (!role) throw notFound();
    return { body: presentRole(role), entity: role };
  }

  return [
    route({
      ...{ method: 'GET', path: '/tenants/:tenantId/roles', operationId: 'listRoles', summary: 'Roles', status: 200 },
      ...{ permission: 'roles:read', operatorPermission: asOperator.read, isList: true, response: roleShown },
      async handle({ tenantId, page }) {
        const { type } = await admin.getTenant(tenantId);
        const builtIn = roles.builtInRoles.filter(({ key }) => tenantTypes[type].builtInRoles.includes(key));
        const all = [...builtIn, ...(await roles.listCustomRoles(tenantId))];
        return { body: pageOf(all, page, { keyOf: ({ key }) => key, present: presentRole }) };
      },
    }),
    route({
      ...{ method: 'POST', path: '/tenants/:tenantId/roles', operationId: 'createRole', status: 201 },
      summary: 'Make a role of permissions that the caller has',
      ...{
        permission: 'roles:write',
        operatorPermission: asOperator.write,
        body: schemas.newRole,
        response: roleShown,
      },
      async handle({ by, tenantId, body }) {
        const role = await admin.createRole(by, tenantId, body);
        return { body: presentRole(role), entity: role, location: `/tenants/${tenantId}/roles/${role.id}` };
      },
    }),
    route({
      ...{ method: 'GET', path: '/tenants/:tenantId/roles/:roleId', operationId: 'getRole', summary: 'One role' },
      ...{ permission: 'roles:read', operatorPermission: asOperator.read, response: roleShown, status: 200 },
      handle: ({ tenantId, params }) => shown(tenantId, params['roleId'] ?? ''),
    }),
    route({
      ...{ method: 'PATCH', path: '/tenants/:tenantId/roles/:roleId', operationId: 'changeRole', status: 200 },
      ...{ summary: 'Change its name or permissions', permission: 'roles:write', operatorPermission: asOperator.write },
      ...{ body: schemas.roleChanges, response: roleShown },
      async handle({ by, tenantId, params, body, precondition }) {
        const { roleId = '' } = params;
        const { name, permissions } = body;
        const changes = {
          ...(name === undefined ? {} : { name }),
          ...(permissions === undefined ? {} : { permissions }),
        };
        await admin.changeRole(by, { tenantId, roleId, precondition }, changes);
        return shown(tenantId, roleId);
      },
    }),
    route({
      ...{ method: 'DELETE', path: '/tenants/:tenantId/roles/:roleId', operationId: 'deleteRole', status: 204 },
      ...{ summary: 'Delete one that nobody holds', permission: 'roles:write', operatorPermission: asOperator.write },
      async handle({ by, tenantId, params }) {
        await admin.deleteRole(by, { tenantId, roleId: params['roleId'] ?? '' });
        return {};
      },
    }),
  ];
}
