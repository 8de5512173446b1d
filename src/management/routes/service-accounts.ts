import type { ServiceAccount } from '../../service-accounts/index.js';
import { notFound } from '../../platform/http/http-errors.js';
import type { RouteDeps } from '../management-deps.js';
import { idOf, pageOf } from '../page-of.js';
import { route, type Answer, type Route } from '../route.js';
import {
  apiKeyShown,
  keySetShown,
  newApiKeyShown,
  presentApiKey,
  presentKeySet,
  presentServiceAccount,
  serviceAccountShown,
} from '../schemas.js';

const base = '/tenants/:tenantId/service-accounts';
const rights = {
  reading: { permission: 'service-accounts:read', operatorPermission: 'platform:tenants:read' },
  writing: { permission: 'service-accounts:write', operatorPermission: 'platform:tenants:write' },
} as const;

/** Machine principals of a tenant, and with what they prove who they are. */
export function serviceAccountRoutes(deps: RouteDeps): Route[] {
  const { administration: admin, schemas, serviceAccounts, now } = deps;
  type Params = Readonly<Record<string, string>>;
  const referenceOf = (tenantId: string, { serviceAccountId = '' }: Params) => ({ tenantId, serviceAccountId });
  const shown = (account: ServiceAccount): Answer => ({ body: presentServiceAccount(account), entity: account });

  async function accountOf(tenantId: string, { serviceAccountId = '' }: Params): Promise<ServiceAccount> {
    const account = await serviceAccounts.findServiceAccountById(tenantId, serviceAccountId);
    if (!account) throw notFound();
    return account;
  }

  return [
    route({
      ...{ method: 'GET', path: base, operationId: 'listServiceAccounts', summary: 'Service accounts', status: 200 },
      ...{ ...rights.reading, isList: true, response: serviceAccountShown },
      async handle({ tenantId, page }) {
        const found = await serviceAccounts.listServiceAccounts(tenantId, page);
        return { body: found.map((account) => ({ key: account.id, item: presentServiceAccount(account) })) };
      },
    }),
    route({
      ...{ method: 'POST', path: base, operationId: 'createServiceAccount', summary: 'Make one', status: 201 },
      ...{ ...rights.writing, body: schemas.newAccount, response: serviceAccountShown },
      async handle({ by, tenantId, body }) {
        const account = await admin.createServiceAccount(by, tenantId, body);
        return { ...shown(account), location: `/tenants/${tenantId}/service-accounts/${account.id}` };
      },
    }),
    route({
      ...{ method: 'GET', path: `${base}/:serviceAccountId`, operationId: 'getServiceAccount', status: 200 },
      ...{ summary: 'One service account', ...rights.reading, response: serviceAccountShown },
      handle: async ({ tenantId, params }) => shown(await accountOf(tenantId, params)),
    }),
    route({
      ...{ method: 'PATCH', path: `${base}/:serviceAccountId`, operationId: 'changeServiceAccount', status: 200 },
      ...{ summary: 'Change name, roles, allowlist or status', ...rights.writing },
      ...{ body: schemas.accountChanges, response: serviceAccountShown },
      async handle({ by, tenantId, params, body: changes, precondition }) {
        const reference = referenceOf(tenantId, params);
        return shown(await admin.changeServiceAccount(by, reference, { changes, precondition }));
      },
    }),
    route({
      ...{ method: 'DELETE', path: `${base}/:serviceAccountId`, operationId: 'deleteServiceAccount', status: 204 },
      ...{ summary: 'Delete it with its keys; its tokens are no good any more', ...rights.writing },
      async handle({ by, tenantId, params }) {
        await admin.deleteServiceAccount(by, referenceOf(tenantId, params));
        return {};
      },
    }),
    route({
      ...{ method: 'POST', path: `${base}/:serviceAccountId/adopt`, operationId: 'adoptServiceAccount', status: 200 },
      summary: 'Answer for it and its keys from now on',
      description: 'It can never do more than who answers for it, and nothing without them.',
      ...{ ...rights.writing, response: serviceAccountShown },
      handle: async ({ by, tenantId, params }) =>
        shown(await admin.adoptServiceAccount(by, referenceOf(tenantId, params))),
    }),
    route({
      ...{ method: 'POST', path: `${base}/:serviceAccountId/tokens/end`, operationId: 'endTokensOfServiceAccount' },
      ...{ summary: 'End every token that it holds', ...rights.writing, status: 204 },
      async handle({ by, tenantId, params }) {
        const { clientId } = await accountOf(tenantId, params);
        await admin.endTokensOf(by, { serviceAccount: { tenantId, clientId } });
        return {};
      },
    }),
    route({
      ...{ method: 'GET', path: `${base}/:serviceAccountId/keys`, operationId: 'listApiKeys', status: 200 },
      ...{ summary: 'Its API keys, also those that are over', ...rights.reading, isList: true, response: apiKeyShown },
      async handle({ tenantId, params, page }) {
        const { id } = await accountOf(tenantId, params);
        const found = await serviceAccounts.listApiKeys(tenantId, id);
        return { body: pageOf(found, page, { keyOf: idOf, present: (key) => presentApiKey(key, now()) }) };
      },
    }),
    route({
      ...{ method: 'POST', path: `${base}/:serviceAccountId/keys`, operationId: 'createApiKey', status: 201 },
      summary: 'Make an API key, which is shown this once',
      description: 'It expires after 90 days unless `expiresAt` says otherwise, after a year at the latest.',
      ...{ ...rights.writing, body: schemas.newKey, response: newApiKeyShown },
      async handle({ by, tenantId, params, body }) {
        const { label, expiresAt } = body;
        const wanted = { label, ...(expiresAt === undefined ? {} : { expiresAt }) };
        const { key, secret } = await admin.createApiKey(by, referenceOf(tenantId, params), wanted);
        const location = `/tenants/${tenantId}/service-accounts/${key.serviceAccountId}/keys/${key.id}`;
        return { body: { ...presentApiKey(key, now()), secret }, location };
      },
    }),
    route({
      ...{ method: 'DELETE', path: `${base}/:serviceAccountId/keys/:keyId`, operationId: 'revokeApiKey', status: 204 },
      ...{ summary: 'Revoke a key at once', ...rights.writing },
      async handle({ by, tenantId, params }) {
        await admin.revokeApiKey(by, referenceOf(tenantId, params), params['keyId'] ?? '');
        return {};
      },
    }),
    route({
      ...{ method: 'GET', path: `${base}/:serviceAccountId/jwks`, operationId: 'getPublicKeys', status: 200 },
      ...{ summary: 'Its public keys', ...rights.reading, response: keySetShown },
      async handle({ tenantId, params }) {
        return { body: presentKeySet(await accountOf(tenantId, params)) };
      },
    }),
    route({
      ...{ method: 'PUT', path: `${base}/:serviceAccountId/jwks`, operationId: 'setPublicKeys', status: 200 },
      summary: 'Let it prove itself with keys of its own, in place of API keys',
      ...{ ...rights.writing, body: schemas.clientAuthentication, response: keySetShown },
      async handle({ by, tenantId, params, body }) {
        const account = await admin.setServiceAccountAuthentication(by, referenceOf(tenantId, params), body);
        return { body: presentKeySet(account) };
      },
    }),
    route({
      ...{ method: 'DELETE', path: `${base}/:serviceAccountId/jwks`, operationId: 'removePublicKeys', status: 204 },
      ...{ summary: 'Let it prove itself with API keys again', ...rights.writing },
      async handle({ by, tenantId, params }) {
        await admin.setServiceAccountAuthentication(by, referenceOf(tenantId, params), null);
        return {};
      },
    }),
  ];
}
