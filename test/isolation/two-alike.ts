import type { SeedInput } from '../../src/seeding/index.js';
import { projectsApi, redirectUri } from '../support/contract-seed.js';
import { deviceGrant } from '../support/device.js';
import { tokenExchange } from '../support/two-tenants.js';

export const opaqueApi = 'https://opaque.example.com';
export const landing = 'http://localhost:3001/';

/** What is known of a tenant that has one thing of every kind. */
export interface Names {
  slug: string;
  tenantName: string;
  person: { email: string; password: string };
  app: readonly [clientId: string, secret: string];
  /** Asks for consent. */
  partner: readonly [clientId: string, secret: string];
  /** A public client. */
  tv: string;
  service: readonly [clientId: string, key: string];
}

function namesOf(slug: string): Names {
  return {
    slug,
    tenantName: `The ${slug} company`,
    person: { email: `somebody@${slug}.example`, password: `a password of ${slug} alone` },
    app: [`${slug}-app`, `secret-of-${slug}-app-secret-of-the-app`],
    partner: [`${slug}-partner`, `secret-of-${slug}-partner-secret-of-it`],
    tv: `${slug}-tv`,
    service: [`${slug}-ci`, `sk_${slug}-at-least-32-characters-of-key`],
  };
}

/** The one who asks, and the one who is asked about. They have the same kinds of things, and nobody in common. */
export const home = namesOf('acme');
export const foreign = namesOf('globex');
/** A second tenant of the person at home, who so gets the page to pick one. */
const second = 'umbrella';
/** A client of the platform, for all tenants. */
export const web = ['web', 'secret-of-the-client-of-the-platform'] as const;

const resources = [projectsApi, opaqueApi];
const grants = ['authorization_code', 'refresh_token', deviceGrant, tokenExchange] as const;
const application = {
  ...{ redirect_uris: [redirectUri], post_logout_redirect_uris: [landing] },
  grant_types: [...grants] as 'refresh_token'[],
  resources,
};

function clientsOf({ slug, app, partner, tv }: Names): NonNullable<SeedInput['clients']> {
  return [
    { ...application, client_id: app[0], client_secret: app[1], firstParty: true, tenant: slug },
    { ...application, client_id: partner[0], client_secret: partner[1], tenant: slug },
    {
      ...application,
      ...{ client_id: tv, token_endpoint_auth_method: 'none', firstParty: true, tenant: slug },
    },
  ];
}

export const seedOfTwoAlike: SeedInput = {
  resources: [
    { identifier: projectsApi, name: 'Projects', permissions: ['projects:read', 'projects:write'] },
    { identifier: opaqueApi, name: 'Opaque', permissions: ['projects:read'], accessToken: { format: 'opaque' } },
  ],
  tenants: [
    ...[home, foreign].map(({ slug, tenantName, service }) => ({
      ...{ slug, name: tenantName, type: 'team' as const, plan: 'enterprise' },
      roles: [{ key: 'editor', permissions: ['projects:read', 'projects:write'] }],
      serviceAccounts: [
        { clientId: service[0], name: 'CI', roles: ['editor'], keys: [{ label: 'first', secret: service[1] }] },
      ],
    })),
    { slug: second, name: 'Umbrella', type: 'team' },
  ],
  users: [home, foreign].map(({ slug, person }) => ({
    ...{ ...person, emailVerified: true, name: `Somebody of ${slug}` },
    memberships: [
      { tenant: slug, roles: ['editor'] },
      ...(slug === home.slug ? [{ tenant: second, roles: ['member'] }] : []),
    ],
  })),
  clients: [
    { ...application, client_id: web[0], client_secret: web[1], firstParty: true },
    ...clientsOf(home),
    ...clientsOf(foreign),
  ],
  connections: [home, foreign].map(({ slug }) => ({
    ...{ tenant: slug, key: 'elsewhere', name: `Provider of ${slug}`, preset: 'github' },
    ...{ clientId: 'us', clientSecret: 'between us and them' },
  })),
};
