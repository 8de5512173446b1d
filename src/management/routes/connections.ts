import type { Connection } from '../../connections/index.js';
import type { RouteDeps } from '../management-deps.js';
import { route, type Answer, type Route } from '../route.js';
import { connectionShown, connectionTested, presentConnection } from '../connection-schemas.js';

const base = '/tenants/:tenantId/connections';
const rights = {
  reading: { permission: 'connections:read', operatorPermission: 'platform:tenants:read' },
  writing: { permission: 'connections:write', operatorPermission: 'platform:tenants:write' },
} as const;

/** Upstream identity providers of a tenant; those of the operators' tenant are of the whole platform. */
export function connectionRoutes(deps: RouteDeps): Route[] {
  const { administration: admin, schemas, connections } = deps;
  const shown = (connection: Connection): Answer => ({
    body: presentConnection(connection, connections.redirectUriOf(connection)),
    entity: connection,
  });
  const referenceOf = (tenantId: string, params: Readonly<Record<string, string>>) => ({
    ...{ tenantId, connectionId: params['connectionId'] ?? '' },
  });

  return [
    route({
      ...{ method: 'GET', path: base, operationId: 'listConnections', summary: 'Connections', status: 200 },
      ...{ ...rights.reading, isList: true, response: connectionShown },
      async handle({ tenantId, page }) {
        const found = await connections.listConnections(tenantId, page);
        return {
          body: found.map((connection) => ({
            key: connection.id,
            item: presentConnection(connection, connections.redirectUriOf(connection)),
          })),
        };
      },
    }),
    route({
      ...{ method: 'POST', path: base, operationId: 'createConnection', status: 201 },
      ...{ summary: 'Connect an upstream identity provider', ...rights.writing },
      description: `A \`preset\` (${deps.connectionPresets.join(', ')}) fills in what is known of a provider.`,
      ...{ body: schemas.newConnection, response: connectionShown },
      async handle({ by, tenantId, body }) {
        const connection = await admin.createConnection(by, tenantId, body);
        return { ...shown(connection), location: `/tenants/${tenantId}/connections/${connection.id}` };
      },
    }),
    route({
      ...{ method: 'GET', path: `${base}/:connectionId`, operationId: 'getConnection', status: 200 },
      ...{ summary: 'One connection, without its secret', ...rights.reading, response: connectionShown },
      async handle({ tenantId, params }) {
        return shown(await admin.getConnection(referenceOf(tenantId, params)));
      },
    }),
    route({
      ...{ method: 'PATCH', path: `${base}/:connectionId`, operationId: 'changeConnection', status: 200 },
      ...{ summary: 'Change it', ...rights.writing, body: schemas.connectionChanges, response: connectionShown },
      description:
        'Which provider it is stays: another one is another connection. `authoritative`, and what such a connection believes, operators alone change.',
      async handle({ by, tenantId, params, body: changes, precondition }) {
        return shown(await admin.changeConnection(by, referenceOf(tenantId, params), { changes, precondition }));
      },
    }),
    route({
      ...{ method: 'POST', path: `${base}/:connectionId/test`, operationId: 'testConnection', status: 200 },
      ...{ summary: 'Ask the provider whether it would work', ...rights.writing, response: connectionTested },
      async handle({ tenantId, params }) {
        const checks = await connections.testConnection(await admin.getConnection(referenceOf(tenantId, params)));
        return { body: { works: checks.every(({ passes }) => passes), checks } };
      },
    }),
    route({
      ...{ method: 'DELETE', path: `${base}/:connectionId`, operationId: 'deleteConnection', status: 204 },
      ...{ summary: 'Delete it with who people are by it', ...rights.writing },
      description: '409 while a domain leads to it.',
      async handle({ by, tenantId, params }) {
        await admin.deleteConnection(by, referenceOf(tenantId, params));
        return {};
      },
    }),
  ];
}
