import { browser, type Browser } from '../support/browser.js';
import { redirectUri } from '../support/contract-seed.js';
import { signIn } from '../support/relying-party.js';
import type { RunningApp } from '../support/start-app.js';
import { authorizeUrl, post, send, verifier, type Answer } from '../http/requests.js';
import { belongingsOf, type Belongings } from './belongings.js';
import { foreign, home, type Names } from './two-alike.js';

/** One of the two tenants, whose person is signed in. */
export interface Party extends Names {
  tenantId: string;
  userId: string;
  visitor: Browser;
}

export interface World {
  running: RunningApp;
  issuer: string;
  home: Party;
  foreign: Party;
  /** Of the foreign tenant. */
  belongings: Belongings;
  /** What no answer may tell of the foreign tenant. */
  marks: readonly string[];
}

/** `running` is seeded with `seedOfTwoAlike`. */
export async function openWorld(running: RunningApp): Promise<World> {
  const { issuer, database } = running;
  async function partyOf(names: Names): Promise<Party> {
    const tenant = await database.collection<{ _id: string }>('tenants').findOne({ slugs: names.slug });
    const tenantId = tenant?._id ?? '';
    const { userId } = (await database.collection('memberships').findOne({ tenantId })) as unknown as {
      userId: string;
    };
    return { ...names, tenantId, userId, visitor: browser(issuer) };
  }
  const parties = { home: await partyOf(home), foreign: await partyOf(foreign) };
  const { tenantId, userId, app, partner, tv, service, person, tenantName } = parties.foreign;
  const belongings = belongingsOf(database, [tenantId, userId, app[0], partner[0], tv, service[0]]);
  await signInAt(issuer, parties.home);
  await belongings.during(() => signInAt(issuer, parties.foreign));
  const marks = [tenantId, userId, person.email, tenantName, `Somebody of ${foreign.slug}`];
  return { running, issuer, ...parties, belongings, marks };
}

async function signInAt(issuer: string, { app, person, visitor }: Party): Promise<void> {
  const { page } = await signIn(issuer, authorizeUrl(issuer, { client_id: app[0] }), person, visitor);
  if (!page.url.startsWith(redirectUri)) throw new Error(`${person.email} was not signed in: ${page.url}`);
}

/** A code for this client, without a page: the person is signed in. */
export async function codeFor(issuer: string, { visitor }: Party, members: Record<string, string>): Promise<string> {
  const { headers, status } = await visitor.request(authorizeUrl(issuer, members));
  const code = new URL(headers.get('location') ?? '', issuer).searchParams.get('code');
  if (code === null) throw new Error(`no code: ${status} ${headers.get('location')}`);
  return code;
}

export function redeeming(code: string): Record<string, string> {
  return { grant_type: 'authorization_code', code, redirect_uri: redirectUri, code_verifier: verifier };
}

export async function tokensFor(
  issuer: string,
  party: Party,
  resource: string,
  client: readonly [string, string] = party.app,
): Promise<Record<'access_token' | 'refresh_token' | 'id_token', string>> {
  const scope = 'openid projects:read';
  const tenant = party.slug;
  const code = await codeFor(issuer, party, { client_id: client[0], scope, resource, tenant });
  return (await ok(post(issuer, 'token', redeeming(code), client))).json as Record<string, string>;
}

export async function ok(asked: Promise<Answer>): Promise<Answer> {
  const answer = await asked;
  if (answer.status >= 400) throw new Error(`${answer.status} ${answer.text}`);
  return answer;
}

/** What a signed-in person would be answered, by the cookies they have now. */
export function visit({ issuer, ...parties }: World, who: 'home' | 'foreign', pathAndQuery: string): Promise<Answer> {
  const url = new URL(pathAndQuery, issuer).href;
  return send(url, { headers: { Accept: 'text/html', Cookie: parties[who].visitor.cookieHeader(url) } });
}
