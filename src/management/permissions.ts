import type { Resource } from '../resources/index.js';

/** What the management API lets its callers do. Roles of a tenant allow it, tokens carry it as scope. */
const ofTenants = [
  ...['tenants:read', 'tenants:write', 'members:read', 'members:write', 'sessions:read', 'sessions:write'],
  ...['invitations:read', 'invitations:write', 'roles:read', 'roles:write', 'clients:read', 'clients:write'],
  ...['service-accounts:read', 'service-accounts:write', 'policies:read', 'policies:write', 'features:read'],
  ...['connections:read', 'connections:write'],
  ...['domains:read', 'domains:write'],
] as const;

const ofOperators = [
  ...['platform:tenants:read', 'platform:tenants:write', 'platform:users:read', 'platform:users:write'],
  ...['platform:resources:read', 'platform:resources:write', 'platform:templates:read', 'platform:templates:write'],
] as const;

/** About the person's own account: every person holds them, a token carries them when they were asked for. */
const ofEveryone = ['account:read', 'account:write'] as const;

export type Permission = (typeof ofTenants)[number] | (typeof ofOperators)[number] | (typeof ofEveryone)[number];

export function audienceOf(issuer: string): string {
  return `${issuer}/api`;
}

/** The API as a resource like any other: its identifier is the audience of the tokens it takes (RFC 8707). */
export function managementResource(issuer: string): Resource {
  return {
    identifier: audienceOf(issuer),
    name: 'Gatehouse management API',
    permissions: [...ofTenants, ...ofOperators, ...ofEveryone],
    ofEveryone,
    accessToken: { format: 'jwt', alg: 'ES256', ttlSeconds: 600 },
    introspectedBy: [],
    createdAt: new Date(0),
  };
}
