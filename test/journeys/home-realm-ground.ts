import type { Clock } from '../../src/kernel/time.js';
import { operator, tenantIdOf } from '../support/administered.js';
import { makeAuthority } from '../support/authority.js';
import { browser, type Browser, type Page } from '../support/browser.js';
import { contractSeed } from '../support/contract-seed.js';
import { relyingParty, type RelyingParty } from '../support/relying-party.js';
import { startApp, type RunningApp } from '../support/start-app.js';
import { startUpstreamProvider, type UpstreamProvider } from '../support/upstream/oidc-provider.js';
import { bringBack } from '../http/upstream/stage.js';

export const grace = { email: 'grace@corp.example', password: 'a password of grace alone' };
export const owner = { email: 'olga@corp.example', password: 'a password of olga alone' };

/** A tenant whose domain, corp.example, leads to a connection of its own. */
export interface HomeRealmGround {
  running: RunningApp;
  provider: UpstreamProvider;
  party: RelyingParty;
  acme: string;
  domainId: string;
  connectionId: string;
  rule(rules: Rules): Promise<unknown>;
  /** But for the owner. */
  enforce(): Promise<unknown>;
  /** By the address alone, to the provider and back. */
  comeBy(login: string, parameters?: Record<string, string>): Promise<Arrival>;
}

type Rules = Parameters<RunningApp['app']['administration']['changeDomain']>[2];

interface Arrival {
  page: Page;
  own: Browser;
  finish: Awaited<ReturnType<RelyingParty['begin']>>['finish'];
}

/** Takes openssl. */
export async function homeRealmGround(now: Clock = () => new Date()): Promise<HomeRealmGround> {
  const authority = makeAuthority();
  const provider = await startUpstreamProvider(authority);
  const tenants = [{ ...contractSeed.tenants![0]!, domains: [{ name: 'corp.example', verified: true }] }];
  const own = { emailVerified: true, name: 'Olga', memberships: [{ tenant: 'acme', roles: ['owner'] }] };
  const { issuer, clientId, clientSecret, host } = provider;
  const connections = [{ key: 'corp', tenant: 'acme', name: 'Corp SSO', issuer, clientId, clientSecret }];
  const running = await startApp({
    seed: { ...contractSeed, tenants, users: [...contractSeed.users!, { ...owner, ...own }], connections },
    egress: { allow: [host.hostAndPort], extraAuthorities: [authority.certificate] },
    now,
  });
  const party = await relyingParty(running.issuer);
  const acme = await tenantIdOf(running, 'acme');
  const idIn = async (name: string): Promise<string> =>
    (await running.database.collection<{ _id: string }>(name).findOne({}))?._id ?? '';
  const [domainId, connectionId] = [await idIn('domains'), await idIn('connections')];
  const { administration } = running.app;
  const rule = (rules: Rules): Promise<unknown> =>
    administration.changeDomain(operator, { tenantId: acme, domainId }, rules);
  await rule({ connectionId });

  return {
    ...{ running, provider, party, acme, domainId, connectionId, rule },
    enforce: async () => rule({ enforced: true, exceptUserId: (await administration.getUserByEmail(owner.email)).id }),
    async comeBy(login, parameters = {}) {
      const visitor = browser(running.issuer);
      const { url, finish } = await party.begin(parameters);
      const away = await discover(visitor, await visitor.get(url), login);
      const page = away.status === 303 ? await bringBack(visitor, provider.agree(away.url)) : away;
      return { page, own: visitor, finish };
    },
  };
}

/** As a browser does by the second button of the form. */
export function discover(own: Browser, page: Page, login: string): Promise<Page> {
  const [, action = ''] = /formaction="([^"]+)"/.exec(page.html) ?? [];
  const form = page.html.replace(/(<form class="stack" method="post" action=")[^"]+/, `$1${action}`);
  return own.submit({ ...page, html: form }, { login, password: '' });
}
