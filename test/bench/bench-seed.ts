import type { SeedInput } from '../../src/seeding/index.js';

const secret = 'sk_bench-secret-bench-secret-bench-secret';
export const redirectUri = 'http://localhost:9/callback';
export const person = { email: 'ada@example.com', password: 'correct horse battery' };
export const api = {
  es256: 'https://api.example.com/es256',
  rs256: 'https://api.example.com/rs256',
  opaque: 'https://api.example.com/opaque',
};

export interface BenchClient {
  clientId: string;
  kind: 'application' | 'service';
}

export const benchClients: readonly BenchClient[] = [
  { clientId: 'web', kind: 'application' },
  { clientId: 'plain', kind: 'application' },
  { clientId: 'service', kind: 'service' },
];

export function manyClients(): BenchClient[] {
  return Array.from({ length: 1000 }, (_, index) => ({ clientId: `service-${index}`, kind: 'service' as const }));
}

export function secretOf(clientId: string, kind: BenchClient['kind']): string {
  return kind === 'service' ? `${secret}-${clientId}` : secret;
}

/** The same for our server: one tenant with one member and the service accounts; in parts, each of which is one transaction. */
export function benchSeeds(): SeedInput[] {
  const services = [...benchClients, ...manyClients()].filter(({ kind }) => kind === 'service');
  const parts: SeedInput[] = [];
  for (let from = 0; from < services.length; from += 100) parts.push(benchSeed(services.slice(from, from + 100)));
  return parts;
}

function benchSeed(services: readonly BenchClient[]): SeedInput {
  const application = { client_secret: secret, redirect_uris: [redirectUri], firstParty: true };
  const resource = (identifier: string, format: 'jwt' | 'opaque', alg: 'ES256' | 'RS256') => ({
    identifier,
    name: identifier,
    permissions: ['projects:read'],
    accessToken: { format, alg, ttlSeconds: 600 },
  });
  return {
    resources: [
      resource(api.es256, 'jwt', 'ES256'),
      resource(api.rs256, 'jwt', 'RS256'),
      resource(api.opaque, 'opaque', 'ES256'),
    ],
    tenants: [
      {
        slug: 'acme',
        name: 'Acme Inc',
        type: 'enterprise',
        roles: [{ key: 'reader', permissions: ['projects:read'] }],
        serviceAccounts: services.map(({ clientId }) => ({
          clientId,
          name: clientId,
          roles: ['reader'],
          keys: [{ label: 'bench', secret: secretOf(clientId, 'service') }],
        })),
      },
    ],
    users: [{ ...person, memberships: [{ tenant: 'acme', roles: ['reader'] }] }],
    clients: [
      {
        ...application,
        client_id: 'web',
        resources: [api.es256],
        grant_types: ['authorization_code', 'refresh_token'],
      },
      { ...application, client_id: 'plain', grant_types: ['authorization_code', 'refresh_token'] },
    ],
  };
}
