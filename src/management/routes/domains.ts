import type { Domain } from '../../domains/index.js';
import type { RouteDeps } from '../management-deps.js';
import { route, type Answer, type Route } from '../route.js';
import { domainShown, presentDomain } from '../domain-schemas.js';

const base = '/tenants/:tenantId/domains';
const rights = {
  reading: { permission: 'domains:read', operatorPermission: 'platform:tenants:read' },
  writing: { permission: 'domains:write', operatorPermission: 'platform:tenants:write' },
} as const;

/** Domains of e-mail addresses that are the tenant's own. */
export function domainRoutes({ administration: admin, schemas, domains, challengeOf }: RouteDeps): Route[] {
  const present = (each: Domain): ReturnType<typeof presentDomain> => presentDomain(each, challengeOf(each));
  const shown = (domain: Domain): Answer => ({ body: present(domain), entity: domain });
  const referenceOf = (tenantId: string, params: Readonly<Record<string, string>>) => ({
    tenantId,
    domainId: params['domainId'] ?? '',
  });

  return [
    route({
      ...{ method: 'GET', path: base, operationId: 'listDomains', summary: 'Domains', status: 200 },
      ...{ ...rights.reading, isList: true, response: domainShown },
      async handle({ tenantId, page }) {
        const found = await domains.listDomains(tenantId, page);
        return { body: found.map((each) => ({ key: each.id, item: present(each) })) };
      },
    }),
    route({
      ...{ method: 'POST', path: base, operationId: 'createDomain', status: 201 },
      summary: 'Say that a domain is the tenant’s; the answer holds the text record that shows it',
      ...{ ...rights.writing, body: schemas.newDomain, response: domainShown },
      async handle({ by, tenantId, body }) {
        const domain = await admin.createDomain(by, tenantId, body);
        return { ...shown(domain), location: `/tenants/${tenantId}/domains/${domain.id}` };
      },
    }),
    route({
      ...{ method: 'GET', path: `${base}/:domainId`, operationId: 'getDomain', summary: 'One domain', status: 200 },
      ...{ ...rights.reading, response: domainShown },
      handle: async ({ tenantId, params }) => shown(await admin.getDomain(referenceOf(tenantId, params))),
    }),
    route({
      ...{ method: 'PATCH', path: `${base}/:domainId`, operationId: 'changeDomain', status: 200 },
      summary: 'Say where people with such addresses are led, and whether they become members',
      ...{ ...rights.writing, body: schemas.domainRules, response: domainShown },
      async handle({ by, tenantId, params, body, precondition }) {
        return shown(await admin.changeDomain(by, { ...referenceOf(tenantId, params), precondition }, body));
      },
    }),
    route({
      ...{ method: 'POST', path: `${base}/:domainId/verify`, operationId: 'verifyDomain', status: 200 },
      summary: 'Look for the record now',
      ...{ ...rights.writing, response: domainShown },
      handle: async ({ by, tenantId, params }) => shown(await admin.verifyDomain(by, referenceOf(tenantId, params))),
    }),
    route({
      ...{
        method: 'DELETE',
        path: `${base}/:domainId`,
        operationId: 'deleteDomain',
        summary: 'Give it up',
        status: 204,
      },
      ...rights.writing,
      async handle({ by, tenantId, params }) {
        await admin.deleteDomain(by, referenceOf(tenantId, params));
        return {};
      },
    }),
  ];
}
