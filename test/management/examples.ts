import type { Route } from '../../src/management/index.js';
import { challengeOf } from '../../src/domains/index.js';
import type { PublicJwk } from '../../src/kernel/public-keys.js';
import { operator as system } from '../support/administered.js';
import { newClientKey } from '../support/client-keys.js';
import { redirectUri } from '../support/contract-seed.js';
import {
  newFactorOf,
  newGround,
  newMember,
  newServiceAccount,
  newSessionOf,
  newTokenOf,
  newUser,
  nobodyThere,
  unique,
} from './ground.js';
import type { Ground } from './ground.js';

/** A request to one operation that is right in all; what it names was made for it. */
export interface Example {
  params: Readonly<Record<string, string>>;
  query?: Readonly<Record<string, string>>;
  body?: Readonly<Record<string, unknown>>;
}

type Make = (ground: Ground) => Example | Promise<Example>;

const inTenant = ({ tenantId }: Ground): Example => ({ params: { tenantId } });

function changing(body: Readonly<Record<string, unknown>>): Make {
  return (ground) => ({ ...inTenant(ground), body });
}

async function aTenantFor(ground: Ground): Promise<Readonly<Record<string, unknown>>> {
  return { slug: `n-${unique()}`, name: 'A new tenant', type: 'team', ownerId: await newUser(ground) };
}

async function aMember(ground: Ground): Promise<Example> {
  return { params: { tenantId: ground.tenantId, userId: await newMember(ground) } };
}

async function anInvitation(ground: Ground, email = `${unique()}@example.com`): Promise<Example> {
  const { tenantId, running } = ground;
  const { id } = await running.app.administration.createInvitation(system, tenantId, { email, roles: ['member'] });
  return { params: { tenantId, invitationId: id } };
}

async function aDomain({ tenantId, running }: Ground): Promise<Example> {
  const domain = await running.app.administration.createDomain(system, tenantId, { name: `${unique()}.example` });
  const { name, value } = challengeOf(domain);
  running.textRecords.set(name, [value]);
  return { params: { tenantId, domainId: domain.id } };
}

async function aRole({ tenantId, running }: Ground): Promise<Example> {
  const wanted = { key: `r${unique()}`, name: 'A role', permissions: ['projects:read'] };
  const { id } = await running.app.administration.createRole(system, tenantId, wanted);
  return { params: { tenantId, roleId: id } };
}

async function anAccount(ground: Ground): Promise<Example> {
  const { serviceAccountId } = await newServiceAccount(ground, ['viewer']);
  return { params: { tenantId: ground.tenantId, serviceAccountId } };
}

async function anApiKey(ground: Ground): Promise<Example> {
  const { tenantId, running } = ground;
  const { serviceAccountId } = await newServiceAccount(ground, ['viewer']);
  const reference = { tenantId, serviceAccountId };
  const { key } = await running.app.administration.createApiKey(system, reference, { label: 'second' });
  return { params: { ...reference, keyId: key.id } };
}

async function aClient({ tenantId, running }: Ground): Promise<Example> {
  const wanted = { name: 'An app', redirectUris: [redirectUri] };
  const { client } = await running.app.administration.createClient(system, tenantId, wanted);
  return { params: { tenantId, clientId: client.clientId } };
}

/** Nobody listens at its provider. */
async function aConnection({ tenantId, running }: Ground): Promise<Example> {
  const wanted = { name: 'Corporate', issuer: nobodyThere, clientId: 'us', clientSecret: 'between us' };
  const { id } = await running.app.administration.createConnection(system, tenantId, wanted);
  return { params: { tenantId, connectionId: id } };
}

async function anIdentity(ground: Ground): Promise<Example> {
  const { userId } = await ground.person();
  const { params } = await aConnection(ground);
  const key = { tenantId: ground.tenantId, connectionId: params['connectionId'] ?? '' };
  await ground.running.app.accounts.linkIdentity({
    ...{ ...key, issuer: nobodyThere, subject: unique(), email: null, userId },
  });
  const found = await ground.running.database
    .collection<{ _id: string }>('identities')
    .findOne({ userId }, { sort: { linkedAt: -1 } });
  return { params: { identityId: found?._id ?? '' } };
}

async function aUser(ground: Ground): Promise<Example> {
  return { params: { userId: await newUser(ground) } };
}

async function aResource({ running }: Ground): Promise<Example> {
  const identifier = `https://${unique()}.example.com`;
  const wanted = { identifier, name: 'An API', permissions: ['things:read'] };
  await running.app.administration.createResource(system, wanted);
  return { params: {}, query: { identifier } };
}

/** One of them more than that in which the caller may be. */
async function aSession(ground: Ground): Promise<{ userId: string; sessionId: string }> {
  const person = await ground.person();
  return { userId: person.userId, sessionId: await newSessionOf(ground, person) };
}

/** The same with this body, and with what else is to be there. */
function of(make: Make, body: Readonly<Record<string, unknown>>): Make {
  return async (ground) => ({ ...(await make(ground)), body });
}

const nothing: Make = () => ({ params: {} });

/** For every operation; `exampleOf` throws for one that has none. */
export const examples: Readonly<Record<string, Make>> = {
  listTenants: nothing,
  createTenant: async (ground) => ({ params: {}, body: await aTenantFor(ground) }),
  getTenant: inTenant,
  changeTenant: changing({
    name: 'Renamed',
    branding: { supportUri: 'https://help.example.com', primaryColor: '#003366' },
  }),
  suspendTenant: inTenant,
  activateTenant: inTenant,
  archiveTenant: inTenant,
  previewTenantType: (ground) => ({ ...inTenant(ground), query: { type: 'personal' } }),
  async changeTenantType(ground) {
    const { type } = await ground.running.app.administration.getTenant(ground.tenantId);
    return { ...inTenant(ground), body: { type: type === 'team' ? 'enterprise' : 'team' } };
  },
  previewTemplate: async (ground) => ({ ...inTenant(ground), body: { key: await typeOf(ground) } }),
  applyTemplate: async (ground) => ({ ...inTenant(ground), body: { key: await typeOf(ground), version: 1 } }),
  endTokensOfTenant: inTenant,

  listMembers: inTenant,
  addMember: async (ground) => ({
    ...inTenant(ground),
    body: { userId: await newUser(ground), roles: ['member'] },
  }),
  getMember: aMember,
  changeMember: of(aMember, { roles: ['viewer'] }),
  removeMember: aMember,
  listMemberSessions: async (ground) => ({
    params: { tenantId: ground.tenantId, userId: (await aSession(ground)).userId },
  }),
  endMemberSessions: aMember,
  endMemberSession: async (ground) => ({ params: { tenantId: ground.tenantId, ...(await aSession(ground)) } }),

  listInvitations: inTenant,
  createInvitation: (ground) => ({
    ...inTenant(ground),
    body: { email: `${unique()}@example.com`, roles: ['member'] },
  }),
  getInvitation: anInvitation,
  resendInvitation: anInvitation,
  revokeInvitation: anInvitation,

  listDomains: inTenant,
  createDomain: (ground) => ({ ...inTenant(ground), body: { name: `${unique()}.example` } }),
  getDomain: aDomain,
  changeDomain: async (ground) => ({ ...(await aDomain(ground)), body: { joinRoles: ['member'] } }),
  verifyDomain: aDomain,
  deleteDomain: aDomain,

  listRoles: inTenant,
  createRole: (ground) => ({
    ...inTenant(ground),
    body: { key: `r${unique()}`, name: 'A role', permissions: ['projects:read', 'projects:write'] },
  }),
  getRole: aRole,
  changeRole: of(aRole, { name: 'Another name', permissions: ['projects:write'] }),
  deleteRole: aRole,

  listServiceAccounts: inTenant,
  createServiceAccount: changing({ name: 'CI', roles: ['viewer'], ipAllowlist: ['127.0.0.0/8', '::1'] }),
  getServiceAccount: anAccount,
  changeServiceAccount: of(anAccount, { name: 'Another name', roles: ['viewer'] }),
  deleteServiceAccount: anAccount,
  adoptServiceAccount: anAccount,
  endTokensOfServiceAccount: anAccount,
  listApiKeys: anAccount,
  createApiKey: of(anAccount, { label: 'a new one' }),
  revokeApiKey: anApiKey,
  getPublicKeys: anAccount,
  async setPublicKeys(ground) {
    const { jwk } = await newClientKey('ES256', 'a-key');
    return { ...(await anAccount(ground)), body: byKey(jwk) };
  },
  async removePublicKeys(ground) {
    const example = await anAccount(ground);
    const { tenantId = '', serviceAccountId = '' } = example.params;
    const { jwk } = await newClientKey('ES256');
    const { administration } = ground.running.app;
    await administration.setServiceAccountAuthentication(system, { tenantId, serviceAccountId }, byKey(jwk));
    return example;
  },

  listClients: inTenant,
  createClient: changing({ name: 'An app', redirectUris: [redirectUri], clientUri: 'https://app.example.com' }),
  getClient: aClient,
  changeClient: of(aClient, { name: 'Another name', clientUri: null }),
  rotateClientSecret: aClient,
  deleteClient: aClient,

  listConnections: inTenant,
  createConnection: changing({ name: 'Corporate', preset: 'google', clientId: 'us', clientSecret: 'between us' }),
  getConnection: aConnection,
  changeConnection: of(aConnection, { name: 'Another name', status: 'disabled', scopes: ['openid', 'email'] }),
  testConnection: aConnection,
  deleteConnection: aConnection,

  getPolicies: inTenant,
  changePolicies: changing({ mfa: 'optional', ipAllowlist: ['0.0.0.0/0', '::/0'] }),
  explainAccess: async (ground) => ({
    ...inTenant(ground),
    body: { address: '192.0.2.1', userId: await newMember(ground), clientId: 'console' },
  }),
  getFeatures: inTenant,
  setFeatures: changing({ features: ['audit_export'] }),

  listUsers: nothing,
  createUser: () => ({ params: {}, body: { email: `${unique()}@example.com`, name: 'Somebody', locale: 'en' } }),
  getUser: aUser,
  changeUser: of(aUser, { name: 'Another name', locale: null }),
  disableUser: aUser,
  enableUser: aUser,
  requirePasswordReset: aUser,
  unlockUser: aUser,
  setUserPassword: of(aUser, { password: 'a new password that is long' }),
  listUserFactors: async (ground) => ({ params: { userId: (await ground.person()).userId } }),
  resetUserFactors: aUser,
  deleteUser: aUser,
  listUserSessions: async (ground) => ({ params: { userId: (await aSession(ground)).userId } }),
  endUserSessions: aUser,
  endUserSession: async (ground) => ({ params: await aSession(ground) }),

  listResources: nothing,
  createResource: () => ({
    params: {},
    body: { identifier: `https://${unique()}.example.com`, name: 'An API', permissions: ['things:read'] },
  }),
  getResource: aResource,
  changeResource: of(aResource, { name: 'Another name', accessToken: { format: 'opaque' } }),
  deleteResource: aResource,
  listTemplates: nothing,
  publishTemplate: () => ({ params: {}, body: { ...aTemplate, key: `k${unique()}` } }),

  getMe: nothing,
  changeMe: () => ({ params: {}, body: { name: 'Somebody', zoneinfo: 'Europe/Vienna' } }),
  listMyTenants: nothing,
  listMySessions: nothing,
  endMySessions: nothing,
  endMySession: async (ground) => ({ params: { sessionId: (await aSession(ground)).sessionId } }),
  listMyFactors: nothing,
  async removeMyFactor(ground) {
    return { params: { factorId: await newFactorOf(ground, (await ground.person()).userId) } };
  },
  listMyIdentities: nothing,
  removeMyIdentity: anIdentity,
  async acceptInvitation(ground) {
    const { email } = await ground.person();
    const { params } = await anInvitation(await newGround(ground), email);
    return { params: {}, body: { token: await newTokenOf(ground, params['invitationId'] ?? '') } };
  },
};

export async function exampleOf({ operationId }: Pick<Route, 'operationId'>, ground: Ground): Promise<Example> {
  const make = examples[operationId];
  if (!make) throw new Error(`${operationId} has no example in test/management/examples.ts`);
  return make(ground);
}

/** Path and query, under `/api/v1`. */
export function addressOf({ path }: Pick<Route, 'path'>, { params, query }: Example): string {
  const filled = path.replace(/:(\w+)/g, (_, name: string) => encodeURIComponent(params[name] ?? ''));
  return query ? `${filled}?${new URLSearchParams(query).toString()}` : filled;
}

export const parametersOf = ({ path }: Pick<Route, 'path'>): string[] =>
  [...path.matchAll(/:(\w+)/g)].map(([, name = '']) => name);

const byKey = (jwk: PublicJwk) => ({
  tokenEndpointAuthMethod: 'private_key_jwt' as const,
  jwks: { keys: [jwk as PublicJwk & Record<string, unknown>] },
});

async function typeOf({ running, tenantId }: Ground): Promise<string> {
  return (await running.app.administration.getTenant(tenantId)).type;
}

const aTemplate = {
  ...{ name: 'A preset', type: 'team' },
  settings: {
    policies: {
      ...{ ipAllowlist: [], mfa: 'optional', password: { minimumLength: 16 } },
      session: { idleSeconds: 600, absoluteSeconds: null },
      ...{ requiredProfile: ['name'], terms: { version: '1', uri: 'https://example.com/terms' } },
    },
    features: ['audit_export'],
    limits: { members: 10, serviceAccounts: null },
    branding: { displayName: null, logo: null, primaryColor: null, primaryColorDark: null, supportUri: null },
  },
  roles: [{ key: 'helper', name: 'Helper', permissions: ['projects:read'] }],
} as const;
