import { send, type Answer } from '../http/requests.js';
import { contractSeed, projectsApi } from '../support/contract-seed.js';
import type { RunningApp } from '../support/start-app.js';
import type { SeedInput } from '../../src/seeding/index.js';
import { seedWithTwoTenants } from '../support/two-tenants.js';

export const keyOf = (clientId: string): string => `sk_${clientId}-key-of-at-least-32-characters`;

const account = (
  clientId: string,
  roles: string[],
): NonNullable<NonNullable<SeedInput['tenants']>[number]['serviceAccounts']>[number] => ({
  ...{ clientId, name: clientId, roles },
  keys: [{ label: 'first', secret: keyOf(clientId) }],
});

/** Each role of a tenant as a service account of it, named `<tenant>-<role>`; and the operators' tenant. */
export const roleSeed: SeedInput = {
  ...seedWithTwoTenants,
  tenants: [
    {
      slug: 'platform',
      name: 'Platform',
      type: 'enterprise',
      serviceAccounts: [
        account('platform-owner', ['owner']),
        account('platform-viewer', ['viewer']),
        account('platform-member', ['member']),
      ],
    },
    ...(seedWithTwoTenants.tenants ?? []).map((tenant) => ({
      ...tenant,
      serviceAccounts: [
        ...(tenant.serviceAccounts ?? []),
        ...['owner', 'admin', 'member', 'viewer'].map((role) => account(`${tenant.slug}-${role}`, [role])),
      ],
    })),
  ],
};

export interface Api {
  token: string;
  call(method: string, path: string, options?: { body?: unknown; headers?: Record<string, string> }): Promise<Answer>;
}

/** A service account with a token for the API. */
export async function apiOf({ issuer }: Pick<RunningApp, 'issuer'>, clientId: string, scope?: string): Promise<Api> {
  const { status, json, text } = await send(`${issuer}/oauth2/token`, {
    method: 'POST',
    headers: { Authorization: `Basic ${Buffer.from(`${clientId}:${keyOf(clientId)}`).toString('base64')}` },
    body: new URLSearchParams({
      grant_type: 'client_credentials',
      resource: `${issuer}/api`,
      ...(scope === undefined ? {} : { scope }),
    }),
  });
  if (status !== 200) throw new Error(`no token: ${status} ${text}`);
  return apiWith(issuer, String(json['access_token']));
}

export function apiWith(issuer: string, token: string): Api {
  return {
    token,
    call: (method, path, { body, headers = {} } = {}) =>
      send(`${issuer}/api/v1${path}`, {
        method,
        headers: {
          Authorization: `Bearer ${token}`,
          ...(body === undefined ? {} : { 'Content-Type': 'application/json' }),
          ...headers,
        },
        ...(body === undefined ? {} : { body: typeof body === 'string' ? body : JSON.stringify(body) }),
      }),
  };
}

export { contractSeed, projectsApi };
