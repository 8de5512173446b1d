import { z } from 'zod';
import type { Resource } from '../../resources/index.js';
import type { Template } from '../../templates/index.js';
import { notFound } from '../../platform/http/http-errors.js';
import type { RouteDeps } from '../management-deps.js';
import { pageOf } from '../page-of.js';
import { route, type Answer, type Route } from '../route.js';
import { presentResource, presentTemplate, resourceShown, templateShown } from '../schemas.js';

/** What all tenants share: APIs and presets, for operators. */
export function platformRoutes(deps: RouteDeps): Route[] {
  const { administration: admin, schemas, resources, templates } = deps;
  const shown = (resource: Resource): Answer => ({ body: presentResource(resource), entity: resource });
  // an identifier is a URI: it stands in the query, since a path would be read in two ways
  const named = z.strictObject({ identifier: z.string().max(500) });

  return [
    route({
      ...{ method: 'GET', path: '/resources', operationId: 'listResources', summary: 'APIs', status: 200 },
      ...{ permission: 'platform:resources:read', isList: true, response: resourceShown },
      async handle({ page }) {
        const keyOf = ({ identifier }: Resource): string => identifier;
        return { body: pageOf(await resources.listResources(), page, { keyOf, present: presentResource }) };
      },
    }),
    route({
      ...{ method: 'POST', path: '/resources', operationId: 'createResource', summary: 'Register an API', status: 201 },
      ...{ permission: 'platform:resources:write', body: schemas.newResource, response: resourceShown },
      async handle({ by, body }) {
        const resource = await admin.createResource(by, body);
        return { ...shown(resource), location: `/resource?identifier=${encodeURIComponent(resource.identifier)}` };
      },
    }),
    route({
      ...{ method: 'GET', path: '/resource', operationId: 'getResource', summary: 'One API', status: 200 },
      ...{ permission: 'platform:resources:read', query: named, response: resourceShown },
      async handle({ query }) {
        const found = (await resources.listResources()).find(({ identifier }) => identifier === query.identifier);
        if (!found) throw notFound();
        return shown(found);
      },
    }),
    route({
      ...{ method: 'PATCH', path: '/resource', operationId: 'changeResource', summary: 'Change an API', status: 200 },
      ...{ permission: 'platform:resources:write', query: named, body: schemas.resourceChanges },
      response: resourceShown,
      handle: async ({ by, query, body: changes, precondition }) =>
        shown(await admin.changeResource(by, query.identifier, { changes, precondition })),
    }),
    route({
      ...{ method: 'DELETE', path: '/resource', operationId: 'deleteResource', summary: 'Forget an API', status: 204 },
      ...{ permission: 'platform:resources:write', query: named },
      async handle({ by, query }) {
        await admin.deleteResource(by, query.identifier);
        return {};
      },
    }),
    route({
      ...{
        method: 'GET',
        path: '/templates',
        operationId: 'listTemplates',
        summary: 'Presets of tenants',
        status: 200,
      },
      ...{ permission: 'platform:templates:read', isList: true, response: templateShown },
      async handle({ page }) {
        const keyOf = ({ key, version }: Template): string => `${key} ${String(version).padStart(7, '0')}`;
        return { body: pageOf(await templates.listTemplates(), page, { keyOf, present: presentTemplate }) };
      },
    }),
    route({
      ...{ method: 'POST', path: '/templates', operationId: 'publishTemplate', status: 201 },
      summary: 'Publish a preset as the next version of its key',
      ...{ permission: 'platform:templates:write', body: schemas.template, response: templateShown },
      async handle({ by, body }) {
        return { body: presentTemplate(await admin.publishTemplate(by, body)) };
      },
    }),
  ];
}
