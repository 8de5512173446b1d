import type { SeedInput } from '../../src/seeding/index.js';
import { makeAuthority, type Authority } from './authority.js';
import { browser, type Browser, type Page } from './browser.js';
import { contractSeed } from './contract-seed.js';
import { fetchTrusting } from './fetch-trusting.js';
import { signIn } from './relying-party.js';
import { startApp, type RunningApp, type StartOptions } from './start-app.js';

type SeedConnection = NonNullable<SeedInput['connections']>[number];
type SeedClient = NonNullable<SeedInput['clients']>[number];
type SeedUser = NonNullable<SeedInput['users']>[number];

export const upstreamSecret = 'upstream-s3cret-upstream-s3cret-0';

/** Who has an account at the provider beside Ada. */
export const grace = { email: 'grace@example.com', password: 'a compiler is born here', emailVerified: true };

export interface TwoServers {
  /** Ours, which sends people to the other one. */
  main: RunningApp;
  /** The provider: the same server once more, with its own database and people. */
  upstream: RunningApp;
  connectionId: string;
  /** Where its provider sends people back. */
  redirectUri: string;
  /** A person at the provider, from the address to which they were sent to the one to which they are sent back. */
  atProvider(url: string, person?: { email: string; password: string }, visitor?: Browser): Promise<string>;
  providerBrowser(): Browser;
}

export interface TwoServersOptions {
  connection?: Partial<SeedConnection>;
  /** Of the main server. */
  seed?: SeedInput;
  options?: StartOptions;
  upstreamClient?: Partial<SeedClient>;
  upstreamUsers?: SeedUser[];
}

let authority: Authority | undefined;

/** Two servers, each with Ada as an owner of Acme. The connection is of the platform unless it names a tenant. */
export async function twoServers({ seed = contractSeed, ...wanted }: TwoServersOptions = {}): Promise<TwoServers> {
  authority ??= makeAuthority();
  const { host, certificate } = authority;
  const tls = { certificates: host.cert, key: host.key, clientAuthorities: null };
  const upstream = await startApp({ tls, seed: contractSeed });
  const { host: hostAndPort } = new URL(upstream.issuer);
  const egress = { allow: [hostAndPort], extraAuthorities: [certificate] };
  const main = await startApp({ seed, egress, ...wanted.options });
  await main.app.seeding.firstStart({
    email: 'operator@example.com',
    password: 'the operator has this one',
    mfa: 'optional',
  });
  await main.app.seeding.applySeed({ connections: [connectionTo(upstream.issuer, wanted.connection)] });
  const found = await main.database.collection<{ _id: string }>('connections').findOne({});
  const connectionId = found?._id ?? '';
  const redirectUri = `${main.issuer}/connections/callback/${connectionId}`;
  await upstream.app.seeding.applySeed({
    users: [
      { ...grace, name: 'Grace Hopper', memberships: [{ tenant: 'acme', roles: ['member'] }] },
      ...(wanted.upstreamUsers ?? []),
    ],
    clients: [clientFor(redirectUri, wanted.upstreamClient)],
  });
  const providerBrowser = (): Browser => browser(upstream.issuer, fetchTrusting(certificate));
  return {
    ...{ main, upstream, connectionId, redirectUri, providerBrowser },
    async atProvider(url, person = grace, visitor = providerBrowser()) {
      return (await signIn(upstream.issuer, url, person, visitor)).page.url;
    },
  };
}

export function connectionTo(issuer: string, changes: Partial<SeedConnection> = {}): SeedConnection {
  return {
    ...{ key: 'other', name: 'The other one', issuer, clientId: 'gatehouse', idTokenAlgorithm: 'ES256' },
    ...(changes.authentication === 'private_key_jwt' ? {} : { clientSecret: upstreamSecret }),
    ...{ authoritative: true, makesAccounts: true },
    ...changes,
  };
}

/** How the provider knows a connection of ours. */
export function clientFor(redirectUri: string, changes: Partial<SeedClient> = {}): SeedClient {
  return {
    ...{ client_id: 'gatehouse', client_secret: upstreamSecret, redirect_uris: [redirectUri] },
    ...{ id_token_signed_response_alg: 'ES256', firstParty: true },
    ...changes,
  };
}

/** Where the login page sends whoever chooses the connection; the page that is shown in its place, if it does not. */
export async function chooseConnection(
  { connectionId }: Pick<TwoServers, 'connectionId'>,
  visitor: Browser,
  login: Page,
): Promise<Page> {
  return visitor.submit(login, { connection: connectionId });
}

/** From an authorization request by the connection to where the main server leads then. */
export async function signInBy(
  servers: TwoServers,
  url: string,
  {
    person = grace,
    visitor = browser(servers.main.issuer),
  }: { person?: { email: string; password: string }; visitor?: Browser } = {},
): Promise<{ page: Page; visitor: Browser }> {
  const away = await chooseConnection(servers, visitor, await visitor.get(url));
  if (away.status < 300 || away.status >= 400) return { page: away, visitor };
  return { page: await visitor.get(await servers.atProvider(away.url, person)), visitor };
}
