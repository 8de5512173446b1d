import type { SeedInput } from '../../src/seeding/index.js';

export const projectsApi = 'https://api.example.com/projects';
export const ada = { email: 'ada@example.com', password: 'correct horse battery' };
export const webSecret = 's3cret-s3cret-s3cret-s3cret-s3cret';
export const ciKey = 'sk_at-least-32-characters-of-secret';
export const redirectUri = 'http://localhost:3001/callback';

/** The seed file of the contract, word for word where it matters to clients. */
export const contractSeed: SeedInput = {
  resources: [
    {
      identifier: projectsApi,
      name: 'Projects API',
      permissions: ['projects:read', 'projects:write'],
      accessToken: { format: 'jwt', alg: 'ES256', ttlSeconds: 600 },
      introspectedBy: ['rs'],
    },
  ],
  tenants: [
    {
      slug: 'acme',
      name: 'Acme Inc',
      type: 'enterprise',
      plan: 'enterprise',
      policies: { ipAllowlist: [], mfa: 'optional' },
      roles: [{ key: 'editor', permissions: ['projects:read', 'projects:write'] }],
      serviceAccounts: [
        { clientId: 'acme-ci', name: 'CI', roles: ['editor'], keys: [{ label: 'first', secret: ciKey }] },
      ],
    },
  ],
  users: [{ ...ada, emailVerified: true, name: 'Ada Lovelace', memberships: [{ tenant: 'acme', roles: ['owner'] }] }],
  clients: [
    {
      client_id: 'web',
      client_secret: webSecret,
      redirect_uris: [redirectUri],
      post_logout_redirect_uris: ['http://localhost:3001/'],
      grant_types: ['authorization_code', 'refresh_token'],
      response_types: ['code'],
      token_endpoint_auth_method: 'client_secret_basic',
      firstParty: true,
      requirePkce: true,
      resources: [projectsApi],
    },
  ],
  connections: [],
};
