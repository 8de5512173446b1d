import type { SeedInput } from '../../src/seeding/index.js';
import { contractSeed, projectsApi, redirectUri, webSecret } from './contract-seed.js';

export const consultant = { email: 'consultant@example.com', password: 'several tenants, one person' };
export const thirdPartySecret = 'another-s3cret-another-s3cret-xxxx';

export const kioskSecret = 'kiosk-s3cret-kiosk-s3cret-kiosk-xxxx';

const device = {
  grant_types: ['urn:ietf:params:oauth:grant-type:device_code' as const, 'refresh_token' as const],
  response_types: [],
  resources: [projectsApi],
};

const application = {
  client_secret: thirdPartySecret,
  redirect_uris: [redirectUri],
  grant_types: ['authorization_code' as const, 'refresh_token' as const],
};

export const tokenExchange = 'urn:ietf:params:oauth:grant-type:token-exchange' as const;

/** The contract's seed and beside it: a second tenant, a member of both, and clients of other kinds. */
export const seedWithTwoTenants: SeedInput = {
  ...contractSeed,
  tenants: [...(contractSeed.tenants ?? []), { slug: 'globex', name: 'Globex', type: 'team' }],
  users: [
    ...(contractSeed.users ?? []),
    {
      ...consultant,
      emailVerified: true,
      memberships: [
        { tenant: 'acme', roles: ['editor'] },
        { tenant: 'globex', roles: ['member'] },
      ],
    },
  ],
  clients: [
    ...(contractSeed.clients ?? []),
    { ...application, client_id: 'plain', firstParty: true },
    { ...application, client_id: 'globex-app', firstParty: true, tenant: 'globex' },
    { ...application, client_id: 'third-party', client_name: 'Third Party', resources: [projectsApi] },
    {
      ...application,
      ...{ client_id: 'switcher', firstParty: true, resources: [projectsApi] },
      grant_types: ['authorization_code', 'refresh_token', tokenExchange],
    },
    { client_id: 'rs', client_secret: webSecret, grant_types: [], response_types: [] },
    { ...application, client_id: 'no-pkce', firstParty: true, requirePkce: false },
    {
      ...device,
      ...{ client_id: 'television', client_name: 'Acme Television', firstParty: true },
      token_endpoint_auth_method: 'none',
    },
    { ...device, client_id: 'kiosk', client_name: 'Kiosk', client_secret: kioskSecret },
  ],
};
