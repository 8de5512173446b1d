import type { Client } from '../../clients/index.js';
import { notFound } from '../../platform/http/http-errors.js';
import type { RouteDeps } from '../management-deps.js';
import { route, type Answer, type Route } from '../route.js';
import { clientShown, newClientShown, presentClient } from '../schemas.js';

const base = '/tenants/:tenantId/clients';
const rights = {
  reading: { permission: 'clients:read', operatorPermission: 'platform:tenants:read' },
  writing: { permission: 'clients:write', operatorPermission: 'platform:tenants:write' },
} as const;

/** Clients that a tenant owns: apps that sign its people in. */
export function clientRoutes(deps: RouteDeps): Route[] {
  const { administration: admin, schemas, clients } = deps;
  const shown = (client: Client): Answer => ({ body: presentClient(client), entity: client });

  return [
    route({
      ...{ method: 'GET', path: base, operationId: 'listClients', summary: 'Clients', status: 200 },
      ...{ ...rights.reading, isList: true, response: clientShown },
      async handle({ tenantId, page }) {
        const found = await clients.listApplications(tenantId, page);
        return { body: found.map((client) => ({ key: client.clientId, item: presentClient(client) })) };
      },
    }),
    route({
      ...{ method: 'POST', path: base, operationId: 'createClient', status: 201 },
      ...{ summary: 'Register one; its secret is shown this once', ...rights.writing },
      ...{ body: schemas.newClient, response: newClientShown },
      async handle({ by, tenantId, body }) {
        const { client, secret } = await admin.createClient(by, tenantId, body);
        const location = `/tenants/${tenantId}/clients/${client.clientId}`;
        return { body: { ...presentClient(client), secret }, entity: client, location };
      },
    }),
    route({
      ...{ method: 'GET', path: `${base}/:clientId`, operationId: 'getClient', summary: 'One client', status: 200 },
      ...{ ...rights.reading, response: clientShown },
      async handle({ tenantId, params }) {
        const client = await clients.findClient(params['clientId'] ?? '');
        if (client?.kind !== 'application' || client.tenantId !== tenantId) throw notFound();
        return shown(client);
      },
    }),
    route({
      ...{ method: 'PATCH', path: `${base}/:clientId`, operationId: 'changeClient', summary: 'Change it', status: 200 },
      ...{ ...rights.writing, body: schemas.clientChanges, response: clientShown },
      async handle({ by, tenantId, params, body: changes, precondition }) {
        const reference = { tenantId, clientId: params['clientId'] ?? '' };
        return shown(await admin.changeClient(by, reference, { changes, precondition }));
      },
    }),
    route({
      ...{ method: 'POST', path: `${base}/:clientId/secret`, operationId: 'rotateClientSecret', status: 200 },
      summary: 'Give it a new secret, shown this once; the one before stays good until the next',
      ...{ ...rights.writing, response: newClientShown },
      async handle({ by, tenantId, params }) {
        const reference = { tenantId, clientId: params['clientId'] ?? '' };
        const { client, secret } = await admin.rotateClientSecret(by, reference);
        return { body: { ...presentClient(client), secret }, entity: client };
      },
    }),
    route({
      ...{ method: 'DELETE', path: `${base}/:clientId`, operationId: 'deleteClient', status: 204 },
      ...{ summary: 'Delete it with what people granted to it', ...rights.writing },
      async handle({ by, tenantId, params }) {
        await admin.deleteClient(by, { tenantId, clientId: params['clientId'] ?? '' });
        return {};
      },
    }),
  ];
}
