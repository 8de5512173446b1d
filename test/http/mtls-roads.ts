import type { X509Certificate } from 'node:crypto';
import type { Authority } from '../support/authority.js';
import { certifiedJwk, makeClientAuthority, makeSelfSigned, type Identity } from '../support/client-certificates.js';
import { contractSeed, projectsApi, redirectUri } from '../support/contract-seed.js';
import { fetchTrusting } from '../support/fetch-trusting.js';
import { freePort } from '../support/server-process.js';
import { startApp, type RunningApp, type StartOptions } from '../support/start-app.js';
import { startTlsFront } from '../support/tls-front.js';
import type { SeedInput } from '../../src/seeding/index.js';
import type { Answer } from './requests.js';

export const header = 'x-client-cert';

/** How a certificate comes to the server, and whose signature counts there. */
export interface Road {
  name: string;
  start(host: Authority, authority: string, options?: StartOptions): Promise<RunningApp>;
}

export const direct: Road = {
  name: 'to the server itself',
  start: ({ host }, authority, options = {}) =>
    startApp({
      tls: { certificates: host.cert, key: host.key, clientAuthorities: [authority] },
      clientCertificates: { header: undefined, authorities: [authority] },
      ...options,
    }),
};

const behindFront = (name: string, write: (certificate: X509Certificate) => string): Road => ({
  name,
  async start({ host }, authority, options = {}) {
    const port = await freePort();
    const running = await startApp({
      issuer: `https://localhost:${port}`,
      trustedProxies: 1,
      clientCertificates: { header, authorities: [authority] },
      ...options,
    });
    await startTlsFront({ host, port, target: running.port, header, write });
    return running;
  },
});

export const escaped = (certificate: X509Certificate): string => encodeURIComponent(certificate.toString());

export const behindProxy = behindFront('in the header of nginx', escaped);
export const roads: readonly Road[] = [
  direct,
  behindProxy,
  behindFront('in the header of RFC 9440', ({ raw }) => `:${raw.toString('base64')}:`),
];

/** Certificates of one run. */
export interface Certificates {
  authority: string;
  otherAuthority: string;
  /** Of the service `by-dn` and the app `by-dn-app`. */
  job: Identity;
  /** What comes after it: the same subject and authority. */
  nextJob: Identity;
  /** The same subject, with what is wrong. */
  ofOtherAuthority: Identity;
  expired: Identity;
  selfSignedJob: Identity;
  /** Of the same authority, with another subject. */
  otherSubject: Identity;
  /** Of the service `by-key`, and one with the same subject and another key. */
  own: Identity;
  otherKey: Identity;
}

const subject = '/O=Acme/CN=job';

export function makeCertificates(): Certificates {
  const authority = makeClientAuthority('Authority of clients');
  const other = makeClientAuthority('Authority of clients'); // the same name, another key
  try {
    return {
      ...{ authority: authority.certificate, otherAuthority: other.certificate },
      nextJob: authority.issue(subject),
      ...{ job: authority.issue(subject), expired: authority.issueExpired(subject) },
      ...{ ofOtherAuthority: other.issue(subject), selfSignedJob: makeSelfSigned(subject) },
      otherSubject: authority.issue('/O=Acme/CN=job2'),
      ...{ own: makeSelfSigned('/CN=own'), otherKey: makeSelfSigned('/CN=own') },
    };
  } finally {
    authority.remove();
    other.remove();
  }
}

type Account = NonNullable<NonNullable<SeedInput['tenants']>[number]['serviceAccounts']>[number];

export const byDn = {
  token_endpoint_auth_method: 'tls_client_auth',
  tls_client_auth_subject_dn: 'CN=job,O=Acme',
  tls_client_certificate_bound_access_tokens: true,
} as const;

/** The contract's seed with services and an app that show certificates; and a second tenant of Ada's. */
export function seedFor({ own }: Certificates, accounts: readonly Account[] = []): SeedInput {
  const [acme] = contractSeed.tenants ?? [];
  const [person] = contractSeed.users ?? [];
  const service = { name: 'A service', roles: ['owner', 'editor'] };
  const byKey = {
    token_endpoint_auth_method: 'self_signed_tls_client_auth' as const,
    jwks: { keys: [certifiedJwk(own)] },
  };
  return {
    ...contractSeed,
    tenants: [
      {
        ...acme!,
        serviceAccounts: [
          ...(acme?.serviceAccounts ?? []),
          { clientId: 'by-dn', ...service, ...byDn },
          { clientId: 'by-key', ...service, ...byKey },
          ...accounts,
        ],
      },
      { slug: 'beta', name: 'Beta', type: 'team', roles: [{ key: 'editor', permissions: ['projects:read'] }] },
    ],
    users: [
      { ...person!, memberships: [...(person?.memberships ?? []), { tenant: 'beta', roles: ['owner', 'editor'] }] },
    ],
    clients: [
      ...(contractSeed.clients ?? []),
      {
        ...{
          client_id: 'by-dn-app',
          redirect_uris: [redirectUri],
          firstParty: true,
          resources: [projectsApi],
          ...byDn,
        },
        grant_types: ['authorization_code', 'refresh_token', 'urn:ietf:params:oauth:grant-type:token-exchange'],
      },
    ],
  };
}

/** Posts a form with this certificate, or none. */
export async function postAs(
  address: string,
  members: Record<string, string>,
  {
    host,
    identity,
    headers = {},
  }: { host: Pick<Authority, 'certificate'>; identity?: Identity | undefined; headers?: Record<string, string> },
): Promise<Answer> {
  const send = fetchTrusting(host.certificate, identity);
  return answerOf(await send(address, { method: 'POST', headers, body: new URLSearchParams(members) }));
}

export async function answerOf(response: Response): Promise<Answer> {
  const text = await response.text();
  return {
    ...{ status: response.status, headers: response.headers, text, location: response.headers.get('location') },
    get json() {
      return JSON.parse(text) as Record<string, unknown>;
    },
  };
}
