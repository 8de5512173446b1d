import { z } from 'zod';
import type { Connection } from '../connections/index.js';
import type { Identity } from '../identities/index.js';
import { time, timeOf, timeOrNull } from './schemas.js';

const textOrNull = z.string().nullable();

export const connectionShown = z.object({
  ...{ id: z.string(), key: z.string(), name: z.string(), status: z.enum(['enabled', 'disabled']) },
  mode: z.enum(['login', 'link-only']),
  clientIds: z.array(z.string()).describe('Apps on the way into which it is offered; empty: all'),
  protocol: z.enum(['oidc', 'oauth2']),
  issuer: z.string(),
  ...{ authorizationEndpoint: textOrNull, tokenEndpoint: textOrNull, userinfoEndpoint: textOrNull },
  ...{ emailsEndpoint: textOrNull, clientId: z.string(), authentication: z.string() },
  signer: z.object({ teamId: z.string(), keyId: z.string() }).nullable(),
  jwks: z
    .object({ keys: z.array(z.record(z.string(), z.unknown())) })
    .nullable()
    .describe('What the provider verifies us by, with private_key_jwt'),
  ...{ scopes: z.array(z.string()), responseMode: z.string(), idTokenAlgorithm: z.string() },
  claims: z.record(z.string(), z.string()).describe('Names of the provider by what they are here'),
  authoritative: z.boolean().describe('Whether its word about an address is enough to find or make an account'),
  makesAccounts: z.boolean().describe('Whether whoever it vouches for gets an account'),
  syncsProfile: z.boolean().describe('Whether names follow the provider at each sign-in'),
  secondLevel: z
    .object({ acr: z.array(z.string()), amr: z.array(z.string()) })
    .describe('What of the provider counts for a second factor'),
  sessionSeconds: z.int().nullable().describe('After how long a sign-in by it ends at the latest; null: as others do'),
  roleMapping: z
    .object({
      claim: z.string(),
      values: z.array(z.object({ value: z.string(), role: z.string() })),
      syncs: z.boolean(),
    })
    .nullable()
    .describe('Which roles in the tenant the provider gives'),
  redirectUri: z
    .string()
    .describe('Where the provider sends people back: what it is told of us. No other connection has it'),
  ...{ createdAt: time, updatedAt: time },
});

export const connectionTested = z.object({
  works: z.boolean(),
  checks: z.array(z.object({ check: z.string(), passes: z.boolean(), detail: z.string() })),
});

export function presentConnection(connection: Connection, redirectUri: string): z.input<typeof connectionShown> {
  const { id, key, name, status, mode, clientIds, upstream, publicKey, createdAt, updatedAt } = connection;
  const { isAuthoritative: authoritative, makesAccounts, syncsProfile, secondLevel, sessionSeconds } = connection;
  const { roleMapping } = connection;
  return {
    ...{ id, key, name, status, mode, clientIds, ...upstream, claims: { ...upstream.claims } },
    jwks: publicKey && { keys: [{ ...publicKey }] },
    ...{ authoritative, makesAccounts, syncsProfile, secondLevel, sessionSeconds, roleMapping, redirectUri },
    ...{ createdAt: timeOf(createdAt), updatedAt: timeOf(updatedAt) },
  };
}

export const identityShown = z.object({
  id: z.string(),
  connectionId: z.string(),
  connectionName: z.string(),
  email: textOrNull.describe('At the provider, when it was linked'),
  linkedAt: time,
  lastUsedAt: time.nullable(),
});

export function presentIdentity(
  { id, connectionId, email, linkedAt, lastUsedAt }: Identity,
  connectionName: string,
): z.input<typeof identityShown> {
  return {
    ...{ id, connectionId, connectionName, email },
    ...{ linkedAt: timeOf(linkedAt), lastUsedAt: timeOrNull(lastUsedAt) },
  };
}
