import { z } from 'zod';
import { brandingShown, presentBranding } from './branding-shown.js';
import { policiesShown } from './policies-shown.js';
import { authenticationShown } from '../platform/schemas/authentication-names.js';
import type { Client } from '../clients/index.js';
import type { Factor } from '../credentials/index.js';
import type { Invitation } from '../invitations/index.js';
import type { Membership } from '../memberships/index.js';
import type { SessionOfUser } from '../oidc/index.js';
import type { Resource } from '../resources/index.js';
import type { CustomRole, Role } from '../roles/index.js';
import type { ApiKey, ServiceAccount } from '../service-accounts/index.js';
import type { Template } from '../templates/index.js';
import type { Tenant } from '../tenants/index.js';
import type { User } from '../users/index.js';

/** What the API shows, and how it is made of what is stored: nothing that is not named here leaves the server. */

export const time = z.iso.datetime().describe('RFC 3339, UTC');
export const timeOf = (instant: Date): string => instant.toISOString();
export const timeOrNull = (instant: Date | null): string | null => instant && instant.toISOString();

export const tenantShown = z.object({
  id: z.string(),
  slug: z.string(),
  formerSlugs: z.array(z.string()).describe('Names it had before, which still lead to it'),
  name: z.string(),
  type: z.enum(['personal', 'team', 'enterprise']),
  plan: z.string(),
  status: z.enum(['active', 'suspended', 'archived']),
  deleteAfter: time.nullable(),
  template: z.object({ key: z.string(), version: z.int() }),
  limits: z.object({ members: z.int().nullable(), serviceAccounts: z.int().nullable() }),
  branding: brandingShown,
  seats: z.object({ members: z.int(), serviceAccounts: z.int() }).describe('How many are taken'),
  createdAt: time,
});

export function presentTenant(tenant: Tenant): z.input<typeof tenantShown> {
  const { id, slug, formerSlugs, name, type, plan, status, template, limits, branding, seats } = tenant;
  return {
    ...{ id, slug, formerSlugs, name, type, plan, status: status === 'deleted' ? 'archived' : status },
    ...{ template, limits, branding: presentBranding(branding), seats },
    ...{ deleteAfter: timeOrNull(tenant.deleteAfter), createdAt: timeOf(tenant.createdAt) },
  };
}

export const memberShown = z.object({
  userId: z.string(),
  email: z.string().nullable(),
  name: z.string().nullable(),
  status: z.enum(['active', 'disabled']).nullable(),
  roles: z.array(z.string()),
  createdAt: time,
});

export function presentMember(
  { userId, roles, createdAt }: Membership,
  user: User | undefined,
): z.input<typeof memberShown> {
  return {
    ...{ userId, email: user?.email ?? null, name: user?.profile.name ?? null, status: user?.status ?? null, roles },
    createdAt: timeOf(createdAt),
  };
}

export const roleShown = z.object({
  id: z.string().nullable().describe('Null: built in'),
  key: z.string(),
  name: z.string(),
  permissions: z.array(z.string()).describe('Of built-in roles patterns, in which * stands for any word'),
  builtIn: z.boolean(),
});

export function presentRole(role: Role | CustomRole): z.input<typeof roleShown> {
  const { key, name, permissions, builtIn } = role;
  return { id: 'id' in role ? role.id : null, key, name, permissions: [...permissions], builtIn };
}

export const serviceAccountShown = z.object({
  id: z.string(),
  clientId: z.string(),
  name: z.string(),
  roles: z.array(z.string()),
  status: z.enum(['active', 'disabled']),
  authenticationMethod: z.string().describe('RFC 7591 token_endpoint_auth_method'),
  ipAllowlist: z.array(z.string()),
  createdBy: z.string().nullable().describe('The member who answers for it; null: the server itself'),
  createdAt: time,
});

export function presentServiceAccount(account: ServiceAccount): z.input<typeof serviceAccountShown> {
  const { id, clientId, name, roles, status, authentication, ipAllowlist, createdBy, createdAt } = account;
  return {
    ...{ id, clientId, name, roles, status, authenticationMethod: authentication.token_endpoint_auth_method },
    ...{ ipAllowlist, createdBy, createdAt: timeOf(createdAt) },
  };
}

export const apiKeyShown = z.object({
  id: z.string(),
  label: z.string(),
  status: z.enum(['live', 'expired', 'revoked']),
  createdBy: z.string().nullable(),
  createdAt: time,
  expiresAt: time.nullable(),
  lastUsedAt: time.nullable().describe('To the minute'),
});
export const newApiKeyShown = apiKeyShown.extend({ secret: z.string().describe('Shown this once') });

export function presentApiKey(key: ApiKey, now: Date): z.input<typeof apiKeyShown> {
  const { id, label, createdBy, createdAt, expiresAt, revokedAt, lastUsedAt } = key;
  const isExpired = expiresAt !== null && expiresAt <= now;
  return {
    ...{ id, label, status: revokedAt ? 'revoked' : isExpired ? 'expired' : 'live', createdBy },
    ...{ createdAt: timeOf(createdAt), expiresAt: timeOrNull(expiresAt), lastUsedAt: timeOrNull(lastUsedAt) },
  };
}

const authenticationMembersShown = {
  jwks: z.object({ keys: z.array(z.record(z.string(), z.unknown())) }).nullable(),
  jwksUri: z.string().nullable(),
  tokenEndpointAuthSigningAlg: z.string().nullable(),
  tlsClientAuthSubjectDn: z.string().nullable(),
  tlsClientAuthSanDns: z.string().nullable(),
  tlsClientAuthSanUri: z.string().nullable(),
  tlsClientAuthSanIp: z.string().nullable(),
  tlsClientAuthSanEmail: z.string().nullable(),
  tlsClientCertificateBoundAccessTokens: z.boolean().nullable(),
  dpopBoundAccessTokens: z.boolean().nullable(),
};

export const keySetShown = z.object({
  tokenEndpointAuthMethod: z.string(),
  ...authenticationMembersShown,
});

export function presentKeySet({ authentication }: ServiceAccount): z.input<typeof keySetShown> {
  return authenticationShown(authentication);
}

export const clientShown = z.object({
  clientId: z.string(),
  name: z.string(),
  clientUri: z.string().nullable(),
  policyUri: z.string().nullable(),
  tosUri: z.string().nullable(),
  applicationType: z.string(),
  redirectUris: z.array(z.string()),
  postLogoutRedirectUris: z.array(z.string()),
  backchannelLogoutUri: z.string().nullable().describe('Where it is told that a session has ended'),
  backchannelLogoutSessionRequired: z.boolean().describe('Whether it is told which, by the sid of its ID tokens'),
  grantTypes: z.array(z.string()),
  tokenEndpointAuthMethod: z.string(),
  ...authenticationMembersShown,
  defaultAcrValues: z.array(z.string()).describe('What its people have to reach at every sign-in'),
  resources: z.array(z.string()),
  requirePkce: z.boolean(),
  firstParty: z.boolean(),
  signUp: z.boolean().describe('Whether people may make an account on the way into it'),
  secrets: z.int().describe('How many are live'),
  createdAt: time,
});
export const newClientShown = clientShown.extend({ secret: z.string().nullable().describe('Shown this once') });

export function presentClient({ clientId, metadata, ...client }: Client): z.input<typeof clientShown> {
  const { resources, requirePkce, firstParty, secretHashes, createdAt } = client;
  const { signUp = client.tenantId === null } = client;
  return {
    ...{ clientId, name: metadata.client_name ?? '', clientUri: metadata.client_uri ?? null },
    ...{ policyUri: metadata.policy_uri ?? null, tosUri: metadata.tos_uri ?? null },
    ...{ applicationType: metadata.application_type ?? 'web', redirectUris: metadata.redirect_uris ?? [] },
    ...{ postLogoutRedirectUris: metadata.post_logout_redirect_uris ?? [], grantTypes: metadata.grant_types },
    backchannelLogoutUri: metadata.backchannel_logout_uri ?? null,
    backchannelLogoutSessionRequired: metadata.backchannel_logout_session_required ?? true,
    ...authenticationShown(metadata),
    defaultAcrValues: metadata.default_acr_values ?? [],
    ...{ resources, requirePkce, firstParty, signUp, secrets: secretHashes.length, createdAt: timeOf(createdAt) },
  };
}

export const invitationShown = z.object({
  id: z.string(),
  email: z.string(),
  roles: z.array(z.string()),
  status: z.enum(['pending', 'expired', 'accepted', 'revoked']),
  sendings: z.int(),
  createdAt: time,
  expiresAt: time,
  acceptedAt: time.nullable(),
});

export function presentInvitation(
  { id, email, roles, sendings, createdAt, expiresAt, acceptedAt }: Invitation,
  status: z.input<typeof invitationShown>['status'],
): z.input<typeof invitationShown> {
  return {
    ...{ id, email, roles, status, sendings, createdAt: timeOf(createdAt) },
    ...{ expiresAt: timeOf(expiresAt), acceptedAt: timeOrNull(acceptedAt) },
  };
}

export const userShown = z.object({
  id: z.string(),
  email: z.string(),
  emailVerified: z.boolean(),
  name: z.string().nullable(),
  givenName: z.string().nullable(),
  familyName: z.string().nullable(),
  locale: z.string().nullable(),
  zoneinfo: z.string().nullable(),
  status: z.enum(['active', 'disabled']),
  deleteAfter: time.nullable().describe('They have asked to be deleted then'),
  createdAt: time,
  updatedAt: time,
});

export function presentUser(user: User): z.input<typeof userShown> {
  const { id, email, emailVerified, profile, status, createdAt, updatedAt } = user;
  return {
    ...{ id, email, emailVerified, name: profile.name ?? null, givenName: profile.givenName ?? null },
    ...{ familyName: profile.familyName ?? null, locale: profile.locale ?? null, zoneinfo: profile.zoneinfo ?? null },
    ...{ status, deleteAfter: timeOrNull(user.deletion?.dueAt ?? null) },
    ...{ createdAt: timeOf(createdAt), updatedAt: timeOf(updatedAt) },
  };
}

export const sessionShown = z.object({
  id: z.string(),
  current: z.boolean().describe('The one in which the token was given'),
  signedInAt: time,
  expiresAt: time,
  lastSeenAt: time.describe('To the minute'),
  device: z
    .object({ browser: z.string().nullable(), system: z.string().nullable(), address: z.string() })
    .nullable()
    .describe('With what it was last used, as it says itself, and from where'),
});

export function presentSession(
  { id, signedInAt, expiresAt, lastSeenAt, device }: SessionOfUser,
  currentId: string | undefined,
): z.input<typeof sessionShown> {
  return {
    ...{ id, current: id === currentId, signedInAt: timeOf(signedInAt), expiresAt: timeOf(expiresAt) },
    ...{ lastSeenAt: timeOf(lastSeenAt), device },
  };
}

export const factorShown = z.object({
  id: z.string(),
  kind: z.enum(['totp', 'passkey', 'email']),
  name: z.string(),
  createdAt: time,
  lastUsedAt: time.nullable(),
});

export function presentFactor({ id, kind, name, createdAt, lastUsedAt }: Factor): z.input<typeof factorShown> {
  return { id, kind, name, createdAt: timeOf(createdAt), lastUsedAt: timeOrNull(lastUsedAt) };
}

export const resourceShown = z.object({
  identifier: z.string(),
  name: z.string(),
  permissions: z.array(z.string()),
  accessToken: z.object({ format: z.enum(['jwt', 'opaque']), alg: z.string(), ttlSeconds: z.int() }),
  introspectedBy: z.array(z.string()),
  createdAt: time,
});

export function presentResource(resource: Resource): z.input<typeof resourceShown> {
  const { identifier, name, permissions, accessToken, introspectedBy, createdAt } = resource;
  return { identifier, name, permissions, accessToken, introspectedBy, createdAt: timeOf(createdAt) };
}

export const templateShown = z.object({
  key: z.string(),
  version: z.int(),
  name: z.string(),
  type: z.enum(['personal', 'team', 'enterprise']),
  settings: z.object({
    policies: policiesShown,
    features: z.array(z.string()),
    limits: tenantShown.shape.limits,
    branding: tenantShown.shape.branding,
  }),
  roles: z.array(z.object({ key: z.string(), name: z.string(), permissions: z.array(z.string()) })),
});

export function presentTemplate({
  key,
  version,
  name,
  type,
  settings,
  roles,
}: Template): z.input<typeof templateShown> {
  return {
    ...{ key, version, name, type, settings: { ...settings, branding: presentBranding(settings.branding) } },
    roles: roles.map((role) => ({ key: role.key, name: role.name, permissions: [...role.permissions] })),
  };
}

export const templateDiffShown = z.object({
  template: z.object({ key: z.string(), version: z.int() }),
  settings: z.array(z.object({ path: z.string(), before: z.unknown(), after: z.unknown() })),
  roles: z.array(z.object({ change: z.enum(['add', 'update', 'remove']), key: z.string() })),
  kept: z.array(z.object({ path: z.string(), own: z.unknown(), ofTemplate: z.unknown() })),
});

export const featuresShown = z.object({
  items: z.array(z.object({ key: z.string(), from: z.enum(['plan', 'tenant']) })),
});

export const accessExplained = z.object({
  allowed: z.boolean(),
  checks: z.array(z.object({ check: z.string(), passes: z.boolean(), detail: z.string() })),
});
