import { policy } from '../../../config/policy.js';
import type { SeedInput } from '../../../src/seeding/index.js';
import { makeAuthority } from '../../support/authority.js';
import { browser, type Browser, type Page } from '../../support/browser.js';
import { contractSeed } from '../../support/contract-seed.js';
import { closeHttpsHosts } from '../../support/https-host.js';
import { startCanary, type Canary } from '../../support/ssrf.js';
import { closeApps, startApp, type RunningApp } from '../../support/start-app.js';
import { startOAuth2Provider, type OAuth2Provider } from '../../support/upstream/oauth2-provider.js';
import { startUpstreamProvider, type Answer, type UpstreamProvider } from '../../support/upstream/oidc-provider.js';
import { manyTries } from '../hostile/ask.js';
import { authorizeUrl } from '../requests.js';

type SeedConnection = NonNullable<SeedInput['connections']>[number];

/** One server, and the providers that it may call. */
export interface UpstreamStage {
  running: RunningApp;
  canary: Canary;
  provider: UpstreamProvider;
  /** Another one, of somebody else. */
  stranger: UpstreamProvider;
  oauth2: OAuth2Provider;
  /** A new connection, of which nothing is remembered; those before are gone, unless they are kept. */
  connect(to: UpstreamProvider | OAuth2Provider, options?: ConnectOptions): Promise<string>;
  /** What there is of people and of what they are known by. */
  accounts(): Promise<string>;
  close(): Promise<void>;
}

export interface ConnectOptions {
  changes?: Partial<SeedConnection>;
  keepOthers?: boolean;
}

/** Short, so that a table of providers that do not answer ends; and nothing is remembered of connections. */
const impatient = {
  ...manyTries,
  lifetimes: { ...policy.lifetimes, decisionCacheSeconds: 0 },
  connections: {
    ...policy.connections,
    ...{ answerSeconds: 2, outbound: { ...policy.connections.outbound, timeoutMs: 1000 } },
  },
};

export async function openUpstreamStage(): Promise<UpstreamStage> {
  const authority = makeAuthority();
  const canary = await startCanary();
  const provider = await startUpstreamProvider(authority);
  const stranger = await startUpstreamProvider(authority);
  const oauth2 = await startOAuth2Provider(authority);
  const allow = [provider, stranger, oauth2].map(({ host }) => host.hostAndPort);
  const egress = { allow, extraAuthorities: [authority.certificate] };
  const running = await startApp({ seed: contractSeed, egress, policy: impatient });
  await running.app.seeding.firstStart({
    email: 'operator@example.com',
    password: 'the operator has this one',
    mfa: 'optional',
  });
  const stored = running.database.collection<{ _id: string }>('connections');
  let made = 0;
  return {
    ...{ running, canary, provider, stranger, oauth2 },
    async connect(to, { changes = {}, keepOthers = false } = {}) {
      if (!keepOthers) await stored.deleteMany({});
      const key = `c-${++made}`;
      const wanted = 'issuer' in to ? toOidc(to) : toOAuth2(to);
      await running.app.seeding.applySeed({ connections: [{ ...wanted, ...changes, key }] });
      return (await stored.findOne({ key }))?._id ?? '';
    },
    async accounts() {
      const read = (name: string) =>
        running.database
          .collection(name)
          .find({}, { projection: { _id: 1 } })
          .toArray();
      return JSON.stringify([await read('users'), await read('identities'), await read('memberships')]);
    },
    async close() {
      await canary.close();
      await closeApps();
      await closeHttpsHosts();
    },
  };
}

function toOidc({ issuer, clientId, clientSecret }: UpstreamProvider): SeedConnection {
  const trusted = { authoritative: true, makesAccounts: true };
  return { key: '', name: 'Corp', issuer, clientId, clientSecret, ...trusted };
}

function toOAuth2({ host, clientId, clientSecret }: OAuth2Provider): SeedConnection {
  return {
    ...{ key: '', preset: 'github', name: 'Code', clientId, clientSecret, issuer: host.at('') },
    authorizationEndpoint: host.at('/login/oauth/authorize'),
    tokenEndpoint: host.at('/login/oauth/access_token'),
    ...{ userinfoEndpoint: host.at('/user'), emailsEndpoint: host.at('/user/emails') },
    ...{ authoritative: true, makesAccounts: true },
  };
}

/** Somebody who has chosen the connection: the address at the provider, or the page that is shown in its place. */
export interface Away {
  visitor: Browser;
  page: Page;
}

export async function goAway({ running }: UpstreamStage, connectionId: string, visitor?: Browser): Promise<Away> {
  const own = visitor ?? browser(running.issuer);
  const login = await own.get(authorizeUrl(running.issuer));
  return { visitor: own, page: await own.submit(login, { connection: connectionId }) };
}

/** As the browser brings it back: by address, or by a form of the provider's page. */
export async function bringBack(visitor: Browser, { redirectUri, parameters, isForm }: Answer): Promise<Page> {
  const members = new URLSearchParams(parameters);
  if (!isForm) return visitor.get(`${redirectUri}?${members.toString()}`);
  // without the cookies of this site, as browsers do with posts from elsewhere (SameSite)
  const headers = { Origin: 'https://provider.example', 'Sec-Fetch-Site': 'cross-site' };
  const taken = await fetch(redirectUri, { method: 'POST', body: members, headers, redirect: 'manual' });
  const location = taken.headers.get('location');
  if (location !== null) return visitor.get(new URL(location, redirectUri).href);
  return { status: taken.status, url: redirectUri, html: await taken.text(), headers: taken.headers };
}

/** The whole way. */
export async function signInAt(
  stage: UpstreamStage,
  provider: Pick<UpstreamProvider, 'agree'>,
  connectionId: string,
): Promise<Page> {
  const { visitor, page } = await goAway(stage, connectionId);
  if (page.status < 300 || page.status >= 400) return page;
  return bringBack(visitor, provider.agree(page.url));
}
